/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The record of one connection of a nat service that began with a SYN cookie: the client knows another initial sequence
 * number than the server chose, so what is between them is translated for as long as the connection lives. 32 bytes, four to a
 * bucket, in one table for all processors.
 *
 * `who` is the flow's whole hash; `what` is state:3 time:16 client's window scale:4 server's:4 from its lowest bit on, the
 * service's stable id in its upper half. `shift` is what the client's side has more than the server's in the server's sequence
 * numbers; until the server has answered, it is the cookie. Processors write as those of records do (record.h): whoever
 * changes more than `what` claims the entry first by an exchange of it for BUSY; a reader that meets a changed entry counts it as
 * another's. */
#pragma once
#include "dataplane/l4/limit.h"
#include "dataplane/l4/record.h"

enum l4_proxied_state {
	L4_PROXIED_EMPTY,
	L4_PROXIED_BUSY,    /* being written */
	L4_PROXIED_ASKED,   /* the server was sent a SYN */
	L4_PROXIED_OPENING, /* it has answered that, and the client has sent nothing since */
	L4_PROXIED_OPEN,
	L4_PROXIED_CLOSING, /* FIN or RST was seen */
};

enum {
	L4_PROXIED_TIME_AT = 3,
	L4_PROXIED_CLIENT_SCALE_AT = 19,
	L4_PROXIED_SERVER_SCALE_AT = 23,
	L4_PROXIED_SERVICE_AT = 32,
	L4_PROXIED_SCALE = 0xf,
	L4_PROXIED_UNSCALED = 0xf, /* as a window scale: windows are not scaled */
};

struct l4_proxied {
	uint64_t who, what;
	uint32_t shift, isn; /* isn: of the client; host order */
	uint32_t idle;	     /* how long the connection may be silent, in coarse time */
	uint32_t pad;
};

enum { L4_BUCKET_PROXIED = 4 };

struct l4_proxied_bucket {
	struct l4_proxied entries[L4_BUCKET_PROXIED];
};

L4_INLINE uint8_t l4_proxied_state(uint64_t what)
{
	return what & 7;
}

L4_INLINE uint16_t l4_proxied_time(uint64_t what)
{
	return (uint16_t)(what >> L4_PROXIED_TIME_AT);
}

L4_INLINE uint32_t l4_proxied_service(uint64_t what)
{
	return (uint32_t)(what >> L4_PROXIED_SERVICE_AT);
}

_Static_assert(sizeof(struct l4_proxied) == 32, "two to a cache line");

/* Whether an entry with this `what` holds no connection any more: another one may take it. */
L4_INLINE bool l4_proxied_is_over(uint64_t what, uint32_t idle, uint16_t now)
{
	uint16_t age = l4_time_since(l4_proxied_time(what), now);

	switch (l4_proxied_state(what)) {
	case L4_PROXIED_EMPTY:
		return true;
	case L4_PROXIED_BUSY:
		return false;
	case L4_PROXIED_ASKED:
	case L4_PROXIED_OPENING:
		return age > L4_EMBRYONIC_AGE;
	case L4_PROXIED_CLOSING:
		return age > L4_CLOSING_AGE;
	default:
		return age > idle;
	}
}

L4_INLINE uint32_t l4_proxied_client_scale(uint64_t what)
{
	return what >> L4_PROXIED_CLIENT_SCALE_AT & L4_PROXIED_SCALE;
}

L4_INLINE uint32_t l4_proxied_server_scale(uint64_t what)
{
	return what >> L4_PROXIED_SERVER_SCALE_AT & L4_PROXIED_SCALE;
}

/* `what` in another state and seen now. */
L4_INLINE uint64_t l4_proxied_seen(uint64_t what, uint8_t state, uint16_t now)
{
	return (what & ~(7 | (uint64_t)0xffff << L4_PROXIED_TIME_AT)) |
	       (uint64_t)now << L4_PROXIED_TIME_AT | state;
}

/* `what` with other window scales. */
L4_INLINE uint64_t l4_proxied_scaled(uint64_t what, uint32_t client, uint32_t server)
{
	return (what & ~((uint64_t)0xff << L4_PROXIED_CLIENT_SCALE_AT)) |
	       (uint64_t)client << L4_PROXIED_CLIENT_SCALE_AT |
	       (uint64_t)server << L4_PROXIED_SERVER_SCALE_AT;
}

/* An entry as it was read; at: NULL: there is none. */
struct l4_proxied_found {
	struct l4_proxied *at;
	uint64_t what;
	uint32_t shift, isn, idle;
};

/* The entry of the flow with this hash. */
L4_INLINE struct l4_proxied_found l4_proxied_find(
	struct l4_proxied_bucket *b, uint64_t hash, uint16_t now)
{
	struct l4_proxied_found found = { 0 };

	for (uint32_t i = 0; i < L4_BUCKET_PROXIED; i++) {
		struct l4_proxied *one = &b->entries[i];
		uint64_t what = l4_record_read(&one->what);

		if (l4_record_read(&one->who) != hash ||
			l4_proxied_state(what) <= L4_PROXIED_BUSY ||
			l4_proxied_is_over(what, *(volatile uint32_t *)&one->idle, now))
			continue;
		found.idle = *(volatile uint32_t *)&one->idle;
		found.shift = *(volatile uint32_t *)&one->shift;
		found.isn = *(volatile uint32_t *)&one->isn;
		if (l4_record_read(&one->what) != what)
			continue;
		found.what = what;
		found.at = one;
		break;
	}
	return found;
}

/* Replaces `what` if it still is as it was found; nothing else changes. */
L4_INLINE bool l4_proxied_exchange(struct l4_proxied *e, uint64_t was, uint64_t what)
{
	return __sync_val_compare_and_swap(&e->what, was, what) == was;
}

/* Writes all of an entry, of which `was` was read; false: another processor was faster. */
L4_INLINE bool l4_proxied_put(struct l4_proxied *e, uint64_t was, const struct l4_proxied *to)
{
	if (!l4_proxied_exchange(e, was, L4_PROXIED_BUSY))
		return false;
	*(volatile uint64_t *)&e->who = to->who;
	*(volatile uint32_t *)&e->shift = to->shift;
	*(volatile uint32_t *)&e->isn = to->isn;
	*(volatile uint32_t *)&e->idle = to->idle;
	__sync_lock_test_and_set(&e->what, to->what);
	return true;
}

/* In coarse time: a closing connection that has been silent for longer gives way. One end may still send, and then is not
 * silent; most have ended, and a table of them would keep new ones out for a minute. */
enum { L4_PROXIED_LINGER = 1 };

/* How dear an entry is to one of another flow: none that is live is taken. */
L4_INLINE uint32_t l4_proxied_rank(const struct l4_proxied *e, uint64_t what, uint16_t now)
{
	uint8_t state = l4_proxied_state(what);
	uint16_t age = l4_time_since(l4_proxied_time(what), now);

	if (l4_proxied_is_over(what, *(const volatile uint32_t *)&e->idle, now))
		return 0;
	if (state == L4_PROXIED_CLOSING)
		return age > L4_PROXIED_LINGER ? 1 : 2;
	return state == L4_PROXIED_OPEN ? 2 : 1;
}

/* Begins a connection: in its flow's former entry, one that is over, or that of whoever has been waiting for a server, or closing,
 * for longest. False: all entries are of live connections, or other processors were faster. */
L4_INLINE bool l4_proxied_begin(
	struct l4_proxied_bucket *b, const struct l4_proxied *to, uint16_t now)
{
	uint32_t best = UINT32_MAX, index = 0;
	uint64_t was = 0;

	for (uint32_t i = 0; i < L4_BUCKET_PROXIED; i++) {
		uint64_t what = l4_record_read(&b->entries[i].what);
		uint32_t rank = l4_proxied_rank(&b->entries[i], what, now);
		uint32_t cost = rank << 16 | (uint16_t)~l4_time_since(l4_proxied_time(what), now);

		if (l4_proxied_state(what) == L4_PROXIED_BUSY)
			continue;
		if (l4_record_read(&b->entries[i].who) == to->who)
			cost = 0;
		if (cost >= best)
			continue;
		best = cost;
		index = i;
		was = what;
	}
	if (best >> 16 > 1)
		return false;
	return l4_proxied_put(&b->entries[index & (L4_BUCKET_PROXIED - 1)], was, to);
}
