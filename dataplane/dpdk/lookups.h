/* SPDX-License-Identifier: BSD-2-Clause */
/* The look-ups that the stages ask for (dataplane/l4/walk.h), of a body whose tables lie in plain memory. Every number that
 * a row names is checked when it is used: whoever made an image, no packet leads out of the tables.
 *
 * What depends on where frames come from is left to the body, which defines, before it includes stages.h: l4_tables_grow(),
 * l4_tables_resize(), l4_tables_host_cookie(); and
 *
 *   void l4_tables_want(const struct l4_tables *t, const struct l4_want *want);
 *       tells the control plane what the packet wants, which may be often the same */
#pragma once
#include "dataplane/dpdk/neighbour_index.h"
#include "dataplane/dpdk/routes.h"
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/flow.h"
#include "dataplane/l4/limit.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/record.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/tables.h"
#include "dataplane/l4/traced.h"

/* What belongs to whoever takes packets through the stages, and to nobody else. */
struct lookups_own {
	struct l4_limit limit;
	struct l4_note note; /* of the packet in hand */
	uint64_t *places;    /* L4_PLACE_COUNT: where new records were put */
	uint16_t now;	     /* coarse time */
};

struct l4_tables {
	/* Of the generation: nobody writes them. */
	const struct l4_line *image;
	const struct l4_chunk *rings;
	const struct l4_line *guard;
	uint32_t lines, n_chunks, n_guard;
	/* Of the node, and the number of their rows or the binary logarithm of that of their buckets, of which there are two at
	 * least: a hash is shifted by what is left of its bits, which must be fewer than 64. */
	struct l4_neighbour *neighbours;
	const struct neighbour_index *neighbour_index; /* of these rows */
	const struct route_table *routes;	       /* NULL: there are none yet */
	struct l4_record_bucket *records;
	struct l4_source_bucket *sources;
	struct l4_datagram_bucket *datagrams;
	struct l4_flood *floods; /* by service id */
	struct l4_proxied_bucket *proxied;
	uint32_t n_neighbours, n_floods;
	uint32_t record_bits, source_bits, datagram_bits, proxied_bits;
	struct lookups_own *own;
	struct l4_traced *traced; /* NULL: the packet is not traced */
};

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

	if (!t->traced)
		return b;
	t->traced->sources = *b;
	return &t->traced->sources;
}

static inline struct l4_datagram_bucket *l4_tables_datagrams(
	const struct l4_tables *t, uint64_t hash)
{
	return &t->datagrams[hash >> (64 - t->datagram_bits)];
}

static inline struct l4_flood *l4_tables_flood(const struct l4_tables *t, uint32_t service_id)
{
	if (service_id >= t->n_floods)
		return NULL;
	if (!t->traced)
		return &t->floods[service_id];
	t->traced->flood = t->floods[service_id];
	return &t->traced->flood;
}

static inline struct l4_proxied_bucket *l4_tables_proxied(const struct l4_tables *t, uint64_t hash)
{
	struct l4_proxied_bucket *b = &t->proxied[hash >> (64 - t->proxied_bits)];

	if (!t->traced)
		return b;
	t->traced->proxied = *b;
	return &t->traced->proxied;
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
	return t->traced ? &t->traced->way : NULL;
}

static inline struct l4_limit *l4_tables_limit(const struct l4_tables *t)
{
	return t->traced ? &t->traced->limit : &t->own->limit;
}

static inline struct l4_note *l4_tables_note(const struct l4_tables *t)
{
	return t->traced ? &t->traced->note : &t->own->note;
}
