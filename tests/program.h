/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel made of a loaded BPF program: its functions, and which calls which. */
#pragma once
#include <stdint.h>

enum { PROGRAM_FUNCTIONS = 64 };

struct program_function {
	char name[64];
	unsigned instructions; /* of BPF, after the verifier's changes */
	unsigned bytes;	       /* of machine code */
	uint64_t calls;	       /* bit i: function i */
};

struct program {
	unsigned n;
	struct program_function functions
		[PROGRAM_FUNCTIONS]; /* in the verifier's order; the first is where it begins */
};

/* Returns 0; -E2BIG when it has more functions; another negative errno. */
int program_read(int fd, struct program *out);

/* The function with the name, or NULL. */
const struct program_function *program_find(const struct program *p, const char *name);
