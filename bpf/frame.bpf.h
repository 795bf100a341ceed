/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A program's frame, as the stages know one. */
#pragma once
#include <linux/bpf.h>
#include "dataplane/l4/cursor.h"

/* The compiler is kept from making 32-bit sums with pointers of the length, which the verifier refuses. */
static __always_inline void frame_set(struct l4_frame *f, const struct xdp_md *ctx)
{
	uint64_t len;

	f->data = (uint8_t *)(long)ctx->data;
	f->end = (uint8_t *)(long)ctx->data_end;
	len = (uint64_t)(f->end - f->data);
	__asm__("" : "+r"(len));
	f->len = (uint32_t)len;
}
