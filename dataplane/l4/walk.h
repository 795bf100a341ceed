/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the stages that look things up share: the body's tables, and the way of one packet through them.
 *
 * The body defines, before it includes this file (the functions that take records after it), where its tables are:
 *
 *   struct l4_tables;
 *   const void *l4_tables_line(const struct l4_tables *t, uint32_t line);
 *       a line of the generation that t stands for, or NULL outside the image
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
 *   void l4_tables_want(const struct l4_tables *t, const struct l4_want *want);
 *       asks the control plane to resolve a neighbour; may be dropped
 *   bool l4_tables_resize(const struct l4_tables *t, struct l4_frame *f, uint32_t len);
 *       makes the frame len bytes long and f stand for it; nothing else that points into it stays good
 *   bool l4_tables_grow(const struct l4_tables *t, struct l4_frame *f, uint32_t n);
 *       puts n bytes of any content before the frame, otherwise the same; changes nothing when it fails
 *   struct l4_limit *l4_tables_limit(const struct l4_tables *t);
 *       this processor's, or NULL: no refused packet is answered
 *   enum l4_refused l4_tables_refuse(const struct l4_tables *t, struct l4_frame *f, const struct l4_refusal *r);
 *       l4_refusal_make(), called from where the body likes
 */
#pragma once
#include "dataplane/l4/parse.h"
#include "dataplane/l4/tables.h"

/* What a verdict leaves to be done and to be counted. Ids are 0 where they do not apply. */
struct l4_result {
	uint32_t ifindex; /* L4_SEND: the interface to leave by */
	uint32_t
		vip_id; /* of the address of ours that the packet was for, or whose service it was */
	uint32_t service_id, server_id; /* FORWARDED only */
};

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
};

/* The row of an interface of the engine, or NULL. */
L4_INLINE const struct l4_port *l4_port_of(
	const struct l4_tables *t, const struct l4_root *root, uint32_t ifindex)
{
	const struct l4_port *p = l4_tables_line(t, root->port_base + (ifindex & root->port_mask));

	return p && p->ifindex == ifindex ? p : NULL;
}

L4_INLINE bool l4_filter_has(const struct l4_walk *w, uint64_t sum)
{
	uint32_t bit = (uint32_t)(sum >> 32) & w->root->filter_mask;
	const struct l4_line *line =
		l4_tables_line(w->tables, w->root->filter_base + bit / L4_FILTER_LINE_BITS);

	return line && line->words[bit / 64 % 8] >> bit % 64 & 1;
}

/* The row of a key whose address gives the partial hash `sum`, or NULL. */
L4_INLINE const void *l4_find(
	const struct l4_walk *w, const uint32_t address[4], uint64_t sum, uint32_t tail)
{
	uint32_t tag = l4_ml_end(w->keys->k, sum, tail), line;
	const struct l4_bucket *bucket =
		l4_tables_line(w->tables, w->root->bucket_base + (tag & w->root->bucket_mask));
	const struct l4_key *row;

	if (!bucket)
		return NULL;
	line = l4_bucket_find(bucket, tag);
	if (!line)
		return NULL;
	row = l4_tables_line(w->tables, line);
	return row && l4_key_is(row, address, tail) ? row : NULL;
}
