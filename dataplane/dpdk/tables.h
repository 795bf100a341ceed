/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the tables of a body lie that has them in plain memory. */
#pragma once
#include "dataplane/dpdk/neighbour_index.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/limit.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/record.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/tables.h"

struct l4_traced;
struct route_table;

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
