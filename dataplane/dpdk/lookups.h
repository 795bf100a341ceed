/* SPDX-License-Identifier: BSD-2-Clause */
/* The look-ups that the stages ask for (dataplane/l4/walk.h), of a body whose tables lie in plain memory. Every number that
 * a row names is checked when it is used: whoever made an image, no packet leads out of the tables.
 *
 * What depends on where frames come from is left to the body, which defines, before it includes stages.h: l4_tables_grow(),
 * l4_tables_resize(); and
 *
 *   LOOKUPS_TRACES
 *       whether packets may be traced: a constant, so that those who never are pay nothing for it
 *   void l4_tables_want(const struct l4_tables *t, const struct l4_want *want);
 *       tells the control plane what the packet wants, which may be often the same */
#pragma once
#include "dataplane/dpdk/routes.h"
#include "dataplane/dpdk/tables.h"
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/flow.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/traced.h"

static inline struct l4_traced *lookups_traced(const struct l4_tables *t)
{
	return LOOKUPS_TRACES ? t->traced : NULL;
}

/* No kernel is at hand to make one: it does by itself, of what it is given. */
static inline bool l4_tables_host_cookie(const struct l4_tables *t, const struct l4_flow *flow,
	uint32_t isn, uint16_t mss, struct l4_host_cookie *out)
{
	(void)t;
	(void)flow;
	(void)isn;
	(void)mss;
	(void)out;
	return false;
}

static inline const void *l4_tables_line(const struct l4_tables *t, uint32_t line)
{
	return line < t->lines ? &t->image[line] : NULL;
}

static inline uint32_t l4_tables_slot(const struct l4_tables *t, uint32_t chunk, uint32_t slot)
{
	uint32_t at = chunk + slot / L4_CHUNK_SLOTS;

	return at < t->n_chunks ? t->rings[at].slots[slot % L4_CHUNK_SLOTS] : L4_SLOT_NONE;
}

static inline const void *l4_tables_guard_line(const struct l4_tables *t, uint32_t line)
{
	return line < t->n_guard ? &t->guard[line] : NULL;
}

static inline uint8_t l4_tables_byte(const struct l4_tables *t, uint32_t at)
{
	const uint8_t *line = l4_tables_line(t, at / sizeof(struct l4_line));

	return line ? line[at % sizeof(struct l4_line)] : 0;
}

static inline struct l4_neighbour *l4_tables_neighbour(const struct l4_tables *t, uint32_t row)
{
	return row < t->n_neighbours ? &t->neighbours[row] : NULL;
}

static inline uint32_t l4_tables_find_neighbour(
	const struct l4_tables *t, const struct l4_neighbour_key *key)
{
	return neighbour_index_find(t->neighbour_index, key);
}

static inline const struct l4_route *l4_tables_route(
	const struct l4_tables *t, const struct l4_flow *flow)
{
	if (!t->routes)
		return NULL;
	return flow->is6 ? routes_find6(t->routes, l4_host64(flow->dst[0], flow->dst[1]),
				   l4_host64(flow->dst[2], flow->dst[3]))
			 : routes_find4(t->routes, L4_BE32(flow->dst[0]));
}

static inline struct l4_record_bucket *l4_tables_records(const struct l4_tables *t, uint64_t hash)
{
	return &t->records[hash >> (64 - t->record_bits)];
}

static inline struct l4_source_bucket *l4_tables_sources(const struct l4_tables *t, uint64_t hash)
{
	struct l4_source_bucket *b = &t->sources[hash >> (64 - t->source_bits)];
	struct l4_traced *traced = lookups_traced(t);

	if (!traced)
		return b;
	traced->sources = *b;
	return &traced->sources;
}

static inline struct l4_datagram_bucket *l4_tables_datagrams(
	const struct l4_tables *t, uint64_t hash)
{
	return &t->datagrams[hash >> (64 - t->datagram_bits)];
}

static inline struct l4_flood *l4_tables_flood(const struct l4_tables *t, uint32_t service_id)
{
	struct l4_traced *traced = lookups_traced(t);

	if (service_id >= t->n_floods)
		return NULL;
	if (!traced)
		return &t->floods[service_id];
	traced->flood = t->floods[service_id];
	return &traced->flood;
}

static inline struct l4_proxied_bucket *l4_tables_proxied(const struct l4_tables *t, uint64_t hash)
{
	struct l4_proxied_bucket *b = &t->proxied[hash >> (64 - t->proxied_bits)];
	struct l4_traced *traced = lookups_traced(t);

	if (!traced)
		return b;
	traced->proxied = *b;
	return &traced->proxied;
}

static inline void l4_tables_recorded(const struct l4_tables *t, enum l4_record_place place)
{
	t->own->places[place]++;
}

static inline uint16_t l4_tables_now(const struct l4_tables *t)
{
	return t->own->now;
}

static inline struct l4_way *l4_tables_way(const struct l4_tables *t)
{
	struct l4_traced *traced = lookups_traced(t);

	return traced ? &traced->way : NULL;
}

static inline struct l4_limit *l4_tables_limit(const struct l4_tables *t)
{
	struct l4_traced *traced = lookups_traced(t);

	return traced ? &traced->limit : &t->own->limit;
}

static inline struct l4_note *l4_tables_note(const struct l4_tables *t)
{
	struct l4_traced *traced = lookups_traced(t);

	return traced ? &traced->note : &t->own->note;
}
