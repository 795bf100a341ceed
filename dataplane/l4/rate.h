/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How much a source may send to a service: token buckets, filled up again whenever coarse time goes on (limit.h), in a table
 * of a fixed size that all processors share. A source is an IPv4 address or an IPv6 /64, which one host can use all of.
 *
 * A source without an entry takes one that is full again, as good as none, else the one that has taken fewest tokens: who
 * loses his entry may send as much once more, so nobody is held back for another's sake, and a flooder keeps his. Two
 * processors that take one at the same time, or fill it up, lose some packets to the count, and let that many more through.
 *
 * The body defines, before it includes this file:
 *
 *   struct l4_source_bucket *l4_tables_sources(const struct l4_tables *t, uint64_t hash);
 *       the bucket for sources with this hash, found by its highest bits, or NULL: nothing is counted
 *   uint16_t l4_tables_now(const struct l4_tables *t);
 *       coarse time
 */
#pragma once
#include "dataplane/l4/guarded.h"
#include "dataplane/l4/hash.h"
#include "dataplane/l4/tables.h"
#include "dataplane/l4/tell.h"
#include "dataplane/l4/verdict.h"

/* SipHash-1-3 over 12 bytes: the number of the address, of an IPv6 one its upper half; the service's id, whose highest bit
 * says IPv6. */
L4_INLINE uint64_t l4_source_hash(const struct l4_guard *g, struct l4_guarded p)
{
	bool is6 = p.what & L4_GUARDED_IS6;
	struct l4_sip s = l4_sip_init(g->key);

	l4_sip_word(&s, is6 ? p.high : p.low);
	l4_sip_word(&s, 12ull << 56 | (is6 ? 1ull << 31 : 0) | g->service_id);
	return l4_sip_end(&s);
}

/* The source's entry: its own, or the one that it takes. */
L4_INLINE struct l4_source *l4_source_entry(struct l4_source_bucket *b, uint32_t who, uint16_t now)
{
	uint32_t best = 0, least = UINT32_MAX;
	struct l4_source *e;

	for (uint32_t i = 0; i < L4_BUCKET_SOURCES; i++) {
		const struct l4_source *at = &b->sources[i];
		uint32_t taken = at->since == now ? at->packets : 0;

		if (at->who == who) {
			best = i;
			break;
		}
		if (taken >= least)
			continue;
		least = taken;
		best = i;
	}
	e = &b->sources[best & (L4_BUCKET_SOURCES - 1)];
	if (e->who != who || e->since != now) {
		e->who = who;
		e->since = now;
		e->packets = 0;
		e->syns = 0;
	}
	return e;
}

/* Takes a token, of a SYN two; L4_V_FORWARDED, or why there is none. What is dropped takes none. */
L4_INLINE enum l4_verdict l4_rate(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	uint64_t hash = l4_source_hash(g, p);
	struct l4_source_bucket *b = l4_tables_sources(t, hash);
	bool syn = p.what & L4_GUARDED_TCP && (p.what & (L4_TCP_SYN | L4_TCP_ACK)) == L4_TCP_SYN;
	struct l4_source *e;

	if (!b)
		return L4_V_FORWARDED;
	e = l4_source_entry(b, (uint32_t)hash | 1, l4_tables_now(t));
	l4_tell(t, L4_STEP_RATE, (uint64_t)e->packets << 32 | e->syns,
		(uint64_t)g->rate << 32 | g->syn_rate);
	if (g->rate && e->packets >= g->rate)
		return L4_V_SOURCE_RATE;
	if (syn && g->syn_rate && e->syns >= g->syn_rate)
		return L4_V_SOURCE_SYN_RATE;
	__sync_fetch_and_add(&e->packets, 1);
	if (syn)
		__sync_fetch_and_add(&e->syns, 1);
	return L4_V_FORWARDED;
}

/* The body's way to it. */
static enum l4_verdict l4_tables_rate(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p);
