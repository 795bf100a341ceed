/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the stages that look things up share: the body's tables, and the way of one packet through them.
 *
 * The body defines, before it includes this file (the functions that take records after it), where its tables are:
 *
 *   struct l4_tables;
 *   const void *l4_tables_line(const struct l4_tables *t, uint32_t line);
 *       a line of the generation that t stands for; outside the image, where no line of it leads, NULL or any line
 *   uint32_t l4_tables_slot(const struct l4_tables *t, uint32_t chunk, uint32_t slot);
 *       a slot of the ring that begins at the chunk, L4_SLOT_NONE outside the rings
 *   struct l4_record_bucket *l4_tables_records(const struct l4_tables *t, uint64_t hash);
 *       the bucket for records of flows with this hash, found by its highest bits, or NULL: nothing is recorded
 *   uint16_t l4_tables_now(const struct l4_tables *t);
 *       coarse time (limit.h)
 *   void l4_tables_record(const struct l4_tables *t, const struct l4_record_write *r);
 *       does l4_record_write() with the bucket of r->hash; likewise
 *   enum l4_record_place l4_tables_rank(const struct l4_tables *t, uint64_t what, uint16_t now);
 *   bool l4_tables_agrees(const struct l4_tables *t, uint64_t who, uint64_t what);
 *       do l4_record_rank() and l4_record_agrees()
 *   void l4_tables_recorded(const struct l4_tables *t, enum l4_record_place place);
 *       counts where a new record was put
 *   const struct l4_route *l4_tables_route(const struct l4_tables *t, const struct l4_flow *flow);
 *       longest match for flow->dst, or NULL
 *   struct l4_neighbour *l4_tables_neighbour(const struct l4_tables *t, uint32_t row);
 *   uint32_t l4_tables_find_neighbour(const struct l4_tables *t, const struct l4_neighbour_key *key);
 *       the row of a host on a link, or L4_NO_NEIGHBOUR
 *   bool l4_tables_resize(const struct l4_tables *t, struct l4_frame *f, uint32_t len);
 *       makes the frame len bytes long and f stand for it; nothing else that points into it stays good
 *   bool l4_tables_grow(const struct l4_tables *t, struct l4_frame *f, int n);
 *       puts n bytes of any content before the frame, or takes -n away there, otherwise the same; changes nothing when it fails
 *   struct l4_flood *l4_tables_flood(const struct l4_tables *t, uint32_t service_id);
 *       what the service knows of floods, or NULL: nothing is answered with SYN cookies
 *   struct l4_limit *l4_tables_limit(const struct l4_tables *t);
 *       this processor's, or NULL: no refused packet is answered
 *   struct l4_note *l4_tables_note(const struct l4_tables *t);
 *       this packet's, or NULL: nobody goes on with it
 *   struct l4_way *l4_tables_way(const struct l4_tables *t);
 *       what a traced packet tells, or NULL: it is not traced. A traced packet changes nothing but the frame: the body
 *       gives it a limit and a note of its own, and copies of its source's bucket and of what SYN cookies leave behind, and
 *       does not write its record
 */
#pragma once
#include "dataplane/l4/mac.h"
#include "dataplane/l4/parse.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/tables.h"
#include "dataplane/l4/tell.h"

/* What every stage of one packet's way needs. */
struct l4_walk {
	const struct l4_tables *tables;
	const struct l4_root *root;
	const struct l4_keys *keys;
	const struct l4_port *port; /* the interface that it came in by */
	struct l4_packet packet;
	const struct l4_reverse *reverse; /* of a server's reply */
	uint32_t refuse;		  /* enum l4_refusal_kind: how a packet is refused */
	uint32_t fits;			  /* TOO_BIG: how large one may be */
	/* The neighbour that is wanted: this one, or else the packet's destination on this link. */
	const struct l4_neighbour *hop;
	uint32_t link; /* ifindex; 0: none */
	const uint32_t *
		tags; /* that the packet is to leave with, where it has others; NULL: it may leave */
};

/* As l4_tell(), with all that is known of the headers now. */
L4_INLINE void l4_tell_packet(
	const struct l4_walk *w, enum l4_step_kind kind, uint64_t a, uint64_t b)
{
	struct l4_way *way = l4_tables_way(w->tables);

	if (!way)
		return;
	way->packet = w->packet;
	l4_way_add(way, kind, a, b);
}

/* Where a packet's way begins; false: no generation has been published. */
L4_INLINE bool l4_walk_begin(struct l4_walk *w, const struct l4_tables *t)
{
	w->tables = t;
	if (l4_tables_way(t))
		w->packet = (struct l4_packet){ 0 };
	w->keys = l4_tables_line(t, L4_LINE_KEYS);
	w->root = l4_tables_line(t, L4_LINE_ROOT);
	return w->root && w->keys && w->root->generation;
}

/* Nothing is to be noted of the packet yet. */
L4_INLINE void l4_walk_clear(struct l4_walk *w)
{
	w->refuse = L4_REFUSE_NONE;
	w->fits = 0;
	w->reverse = NULL;
	w->hop = NULL;
	w->link = 0;
	w->tags = NULL;
}

/* The row of an interface of the engine, or of frames without tags that come in by a device; or NULL. */
L4_INLINE const struct l4_port *l4_port_of(
	const struct l4_tables *t, const struct l4_root *root, uint32_t ifindex)
{
	const struct l4_port *p = l4_tables_line(t, root->port_base + (ifindex & root->port_mask));

	return p && p->arrival == ifindex ? p : NULL;
}

L4_INLINE bool l4_filter_has(const struct l4_walk *w, uint64_t sum)
{
	uint32_t bit = (uint32_t)(sum >> 32) & w->root->filter_mask;
	const struct l4_line *line =
		l4_tables_line(w->tables, w->root->filter_base + bit / L4_FILTER_LINE_BITS);

	return line && line->words[bit / 64 % 8] >> bit % 64 & 1;
}

/* The bucket of keys with this hash, or NULL. */
L4_INLINE const struct l4_bucket *l4_bucket_of(const struct l4_walk *w, uint32_t tag)
{
	return l4_tables_line(w->tables, w->root->bucket_base + (tag & w->root->bucket_mask));
}

/* The row at the line, if it is the key's; or NULL. */
L4_INLINE const void *l4_row_at(
	const struct l4_walk *w, uint32_t line, const uint32_t address[4], uint32_t tail)
{
	const struct l4_key *row = line ? l4_tables_line(w->tables, line) : NULL;

	return row && l4_key_is(row, address, tail) ? row : NULL;
}

/* The row of a key whose address gives the partial hash `sum`, and in *line where that is, if there is one; or NULL.
 * Nothing is told. */
L4_INLINE const void *l4_look(const struct l4_walk *w, const uint32_t address[4], uint64_t sum,
	uint32_t tail, uint32_t *line)
{
	uint32_t tag = l4_ml_end(w->keys->k, sum, tail);
	const struct l4_bucket *bucket = l4_bucket_of(w, tag);

	if (!bucket)
		return NULL;
	*line = l4_bucket_find(bucket, tag);
	return l4_row_at(w, *line, address, tail);
}

/* The same, told. */
L4_INLINE const void *l4_find(
	const struct l4_walk *w, const uint32_t address[4], uint64_t sum, uint32_t tail)
{
	uint32_t line = 0;
	const void *row = l4_look(w, address, sum, tail, &line);

	l4_tell(w->tables, L4_STEP_FIND, tail, row ? line : 0);
	return row;
}
