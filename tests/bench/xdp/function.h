/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel made of a function of a loaded program. */
#pragma once

struct function {
	unsigned instructions; /* of BPF, after the verifier's changes */
	unsigned bytes;	       /* of machine code */
};

/* Returns 0; -ENOENT when the program has no function of this name; another negative errno. */
int function_of(int program, const char *name, struct function *out);
