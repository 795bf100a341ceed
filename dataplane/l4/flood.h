/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Floods of TCP SYNs: what a service that answers them with SYN cookies (cookie.h) knows of its own. */
#pragma once
#include "dataplane/l4/limit.h"

/* How long a flood goes on when no more SYNs than allowed come, and how long cookies sent in it may come back: in
 * coarse time. */
enum { L4_FLOOD_AGE = 1, L4_FLOOD_COOKIES_AGE = 64 };

/* Of one service, by its stable id; all zero at first. Engines write it but for `ended` and `ready`, which are the control
 * plane's. */
struct l4_flood {
	uint32_t syns;	/* in the unit of coarse time */
	uint16_t unit;	/* that they are counted in */
	uint16_t last;	/* the last unit that had more of them than allowed */
	uint32_t seen;	/* 1: there has been such a unit, and cookies of it may still come back */
	uint32_t begun; /* connections that got a record (proxied.h), ever, modulo 2^32 */
	uint32_t ended; /* as many as had begun when none of them was left */
	/* Of services with L4_FORWARD_LOCAL. */
	uint8_t ready; /* 1: this host's own stack takes cookies now */
	uint8_t times; /* 1: and finds in its time stamps, which have no random offset, what else a SYN said */
	uint8_t scale; /* the scale that it gives windows then */
	uint8_t pad0;
	uint32_t pad1[10];
};

_Static_assert(sizeof(struct l4_flood) == 64, "one cache line");

/* Whether there is a flood now. */
L4_INLINE bool l4_flood_is_on(const struct l4_flood *f, uint16_t now)
{
	return f->seen && l4_time_since(f->last, now) <= L4_FLOOD_AGE;
}

/* Takes note of a SYN, of which `limit` may come in a unit of coarse time before there is a flood; and whether there is one. In
 * a flood nothing is written, so that processors do not wait for each other. */
L4_INLINE bool l4_flood_syn(struct l4_flood *f, uint32_t limit, uint16_t now)
{
	if (f->unit != now) {
		f->unit = now;
		f->syns = 0;
	}
	if (f->syns < limit) {
		__sync_fetch_and_add(&f->syns, 1);
	} else if (!f->seen || f->last != now) {
		f->last = now;
		f->seen = 1;
	}
	return l4_flood_is_on(f, now);
}

/* Whether cookies sent in the last flood may come back now. */
L4_INLINE bool l4_flood_has_cookies(struct l4_flood *f, uint16_t now)
{
	if (!f->seen)
		return false;
	if (l4_time_since(f->last, now) > L4_FLOOD_COOKIES_AGE)
		f->seen = 0;
	return f->seen;
}

/* Whether a connection may have a record. */
L4_INLINE bool l4_flood_has_proxied(const struct l4_flood *f)
{
	return f->begun != f->ended;
}
