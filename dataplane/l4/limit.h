/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How often a processor may answer packets that it refuses (RFC 1812, section 4.3.2.8; RFC 4443, section 2.4(f)). */
#pragma once
#include "dataplane/l4/wire.h"

/* Coarse time: nanoseconds of CLOCK_MONOTONIC shifted by this, in units of 1.07 s, modulo 2^16. */
enum { L4_TIME_SHIFT = 30 };

/* How long ago something was. A clock that another processor reads may be one unit ahead of ours. */
L4_INLINE uint16_t l4_time_since(uint16_t then, uint16_t now)
{
	uint16_t age = (uint16_t)(now - then);

	return age == 0xffff ? 0 : age;
}

/* A token bucket, filled up again whenever coarse time goes on. One per processor, which alone uses it; all zero
 * at first. */
struct l4_limit {
	uint16_t since; /* when it was last full */
	uint16_t pad;
	uint32_t used; /* tokens taken since then */
};

/* Takes one of the `size` tokens that the bucket holds; false when none is left. */
L4_INLINE bool l4_limit_take(struct l4_limit *l, uint16_t now, uint32_t size)
{
	if (l->since != now) {
		l->since = now;
		l->used = 0;
	}
	if (l->used >= size)
		return false;
	l->used++;
	return true;
}
