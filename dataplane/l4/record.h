/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The record of one flow whose ring slot is tracked: 16 bytes, four to a bucket of one cache line, in one
 * table for all processors.
 *
 * A record is two words. `who` holds the low 32 bits of the flow's hash and, above them, the sequence number
 * of the SYN that began it; `what` is state:3 agrees:1 time:16 server:16 pool:16 fingerprint:12 from its
 * lowest bit on, the fingerprint being bits 32..43 of the hash. The bucket's number is made of the hash's
 * highest bits, so that a flow is told from another by at least 58 of 64 bits of a keyed hash.
 *
 * Processors write at the same time. Whoever puts another flow's record into an entry first claims it: an
 * exchange of `what` for BUSY, which succeeds only if nobody else was faster; then it writes `who`, then `what`. A
 * refresh is one exchange of `what`. A reader takes `what`, `who` and `what` again: an entry that changed hands
 * meanwhile counts as another's. (Lamport, "Concurrent reading and writing", 1977; stores are seen in
 * their order on x86-64.) */
#pragma once
#include "dataplane/l4/limit.h"

enum l4_record_state {
	L4_RECORD_EMPTY,
	L4_RECORD_BUSY,	     /* being written */
	L4_RECORD_EMBRYONIC, /* a SYN was seen and nothing behind it */
	L4_RECORD_LIVE,
	L4_RECORD_CLOSING, /* FIN or RST was seen */
};

/* Where a new record was put. X(symbol, name, help); in the order in which places are taken. */
#define L4_RECORD_PLACES(X)                                                                  \
	X(FREE, "free", "an empty entry")                                                    \
	X(VOID, "void", "over a record whose time was over or whose server serves no flows") \
	X(EMBRYONIC, "embryonic", "over a SYN that nothing had followed yet")                \
	X(AGREEING, "agreeing", "over a record that said what its slot says anyway")         \
	X(LIVE, "live", "over the least recently seen live flow, which may lose its server") \
	X(NONE, "none", "nowhere: other processors were faster")

enum l4_record_place {
#define X(symbol, name, help) L4_PLACE_##symbol,
	L4_RECORD_PLACES(X)
#undef X
		L4_PLACE_COUNT
};

struct l4_record {
	uint64_t who, what;
};

enum { L4_BUCKET_RECORDS = 4 };

struct l4_record_bucket {
	struct l4_record records[L4_BUCKET_RECORDS];
};

/* In coarse time (limit.h). */
enum { L4_EMBRYONIC_AGE = 5, L4_CLOSING_AGE = 56 };

enum {
	L4_RECORD_AGREES = 1 << 3,
	L4_RECORD_TIME_AT = 4,
	L4_RECORD_SERVER_AT = 20,
	L4_RECORD_POOL_AT = 36,
	L4_RECORD_FINGERPRINT_AT = 52,
	L4_RECORD_FINGERPRINT = 0xfff,
};

L4_INLINE uint8_t l4_record_state(uint64_t what)
{
	return what & 7;
}

L4_INLINE uint16_t l4_record_time(uint64_t what)
{
	return (uint16_t)(what >> L4_RECORD_TIME_AT);
}

L4_INLINE uint16_t l4_record_server(uint64_t what)
{
	return (uint16_t)(what >> L4_RECORD_SERVER_AT);
}

L4_INLINE uint16_t l4_record_pool(uint64_t what)
{
	return (uint16_t)(what >> L4_RECORD_POOL_AT);
}

/* The part of `what` that never changes while a record is one flow's. */
L4_INLINE uint64_t l4_record_mark(uint64_t hash, uint16_t pool)
{
	return (hash >> 32 & L4_RECORD_FINGERPRINT) << L4_RECORD_FINGERPRINT_AT |
	       (uint64_t)pool << L4_RECORD_POOL_AT;
}

L4_INLINE uint64_t l4_record_who(uint64_t hash, uint32_t seq)
{
	return (uint32_t)hash | (uint64_t)seq << 32;
}

/* agrees: an unrecorded packet of the flow would go to this server as well. */
L4_INLINE uint64_t l4_record_what(
	uint64_t mark, uint8_t state, bool agrees, uint16_t time, uint16_t server)
{
	return mark | (uint64_t)server << L4_RECORD_SERVER_AT |
	       (uint64_t)time << L4_RECORD_TIME_AT | (agrees ? L4_RECORD_AGREES : 0) | state;
}

/* How long ago, in units of coarse time, the flow was last seen. */
L4_INLINE uint16_t l4_record_age(uint64_t what, uint16_t now)
{
	return l4_time_since(l4_record_time(what), now);
}

/* Whether the record has outlived its time. idle: how long a live flow may be silent. */
L4_INLINE bool l4_record_is_over(uint64_t what, uint16_t now, uint16_t idle)
{
	uint16_t limit = idle;

	if (l4_record_state(what) == L4_RECORD_EMBRYONIC)
		limit = L4_EMBRYONIC_AGE;
	else if (l4_record_state(what) == L4_RECORD_CLOSING && limit > L4_CLOSING_AGE)
		limit = L4_CLOSING_AGE;
	return l4_record_age(what, now) > limit;
}

L4_INLINE uint64_t l4_record_read(const uint64_t *word)
{
	return *(const volatile uint64_t *)word;
}

/* Replaces `what` if it still is `was`. */
L4_INLINE bool l4_record_exchange(struct l4_record *r, uint64_t was, uint64_t what)
{
	return __sync_val_compare_and_swap(&r->what, was, what) == was;
}

/* Puts another record into an entry of which `was` has been read; false: another processor was faster. */
L4_INLINE bool l4_record_put(struct l4_record *r, uint64_t was, uint64_t who, uint64_t what)
{
	if (!l4_record_exchange(r, was, L4_RECORD_BUSY))
		return false;
	*(volatile uint64_t *)&r->who = who;
	__sync_lock_test_and_set(&r->what, what);
	return true;
}

/* A record that was found, or not: then `at` is NULL. */
struct l4_found {
	struct l4_record *at;
	uint64_t who, what;
};

/* A record as it was found, if it was, and as it is to be. */
struct l4_record_write {
	uint64_t hash, was; /* was: 0: there is none */
	uint64_t who, what;
	bool begins; /* `who` is another as well */
};

/* 1 if x, which is below 2^63, is zero, else 0; without a branch, since four of them in a row are cheaper so,
 * for the processor and for the verifier. */
L4_INLINE uint32_t l4_is_zero(uint64_t x)
{
	return (uint32_t)((x - 1) >> 63);
}

L4_INLINE struct l4_found l4_record_find(struct l4_record_bucket *b, uint64_t hash, uint16_t pool)
{
	uint64_t mark = l4_record_mark(hash, pool) >> L4_RECORD_POOL_AT;
	uint32_t any = 0, index = 0;
	struct l4_found found = { 0 };
	struct l4_record *r;

#pragma GCC unroll 4
	for (uint32_t i = 0; i < L4_BUCKET_RECORDS; i++) {
		uint64_t what = l4_record_read(&b->records[i].what);
		uint64_t who = l4_record_read(&b->records[i].who);
		uint32_t hit =
			l4_is_zero((what >> L4_RECORD_POOL_AT ^ mark) | (uint32_t)(who ^ hash)) &
			(uint32_t)(what >> 1 | what >> 2) & 1;

		index |= (hit & ~any) * i;
		any |= hit;
	}
	if (!any)
		return found;
	/* Or the compiler leaves out the mask, which the verifier of Linux 6.1 wants to see. */
	__asm__("" : "+r"(index));
	r = &b->records[index & (L4_BUCKET_RECORDS - 1)];
	found.what = l4_record_read(&r->what);
	found.who = l4_record_read(&r->who);
	if (l4_record_read(&r->what) == found.what &&
		l4_record_state(found.what) > L4_RECORD_BUSY &&
		found.what >> L4_RECORD_POOL_AT == mark && (uint32_t)found.who == (uint32_t)hash)
		found.at = r;
	return found;
}
