/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The one place that proves bounds: to the verifier, to the sanitizers and to the reader. */
#pragma once
#include "dataplane/l4/wire.h"

/* A frame in memory. `end` is one past its last byte, `len` their distance. */
struct l4_frame {
	uint8_t *data, *end;
	uint32_t len;
};

/* x, of which the kernel's verifier is to know nothing but that it is at most `mask`: paths that differ in x alone are
 * then one to it, and looked at once. */
#ifdef __bpf__
static volatile uint32_t l4_zero;

L4_INLINE uint32_t l4_forget(uint32_t x, uint32_t mask)
{
	return (x + l4_zero) & mask;
}
#else
L4_INLINE uint32_t l4_forget(uint32_t x, uint32_t mask)
{
	(void)mask;
	return x;
}
#endif

/* The `size` bytes at offset `off`, or NULL when the frame ends before. For the kernel the compiler is kept from concluding
 * one check from another: the verifier does not follow such reasoning and wants each pointer checked. */
L4_INLINE void *l4_at(const struct l4_frame *f, uint32_t off, uint32_t size)
{
	uint8_t *p = f->data + off;

#ifdef __bpf__
	__asm__("" : "+r"(p));
#endif
	if (!p)
		__builtin_unreachable();
	return p + size > f->end ? NULL : p;
}
