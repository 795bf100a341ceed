/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From a flow to its server: by its slot while that is settled, else by its record. */
#pragma once
#include "dataplane/l4/quic.h"
#include "dataplane/l4/track.h"
#include "dataplane/l4/walk.h"

enum { L4_RECORD_TRIES = 3 };

/* A generation's tables. */
struct l4_view {
	const struct l4_tables *tables;
	const struct l4_keys *keys;
};

/* The member row of a server that serves flows, or 0. */
L4_INLINE uint32_t l4_server_line(const struct l4_view *v, uint32_t id)
{
	const struct l4_server_lines *l;

	if (id >= v->keys->n_servers)
		return 0;
	l = l4_tables_line(v->tables, v->keys->server_base + id / L4_LINE_SERVERS);
	return l ? l->lines[id % L4_LINE_SERVERS] : 0;
}

L4_INLINE uint16_t l4_member_id(const struct l4_view *v, uint32_t member_base, uint32_t slot)
{
	const struct l4_member *m = NULL;

	slot &= L4_SLOT_NONE;
	if (slot != L4_SLOT_NONE)
		m = l4_tables_line(v->tables, member_base + slot);
	return m ? (uint16_t)m->id : 0;
}

/* Owner and base of slot number `at`, of which `slot` was read from a ring of that many slots. */
L4_INLINE struct l4_sides l4_sides_of(const struct l4_view *v, uint32_t ring_chunk,
	uint32_t ring_mask, uint32_t member_base, uint32_t at, uint32_t slot)
{
	struct l4_sides sides;

	sides.owner = sides.base = l4_member_id(v, member_base, slot);
	if (slot & L4_SLOT_TRACKED)
		sides.base = l4_member_id(v, member_base,
			l4_tables_slot(
				v->tables, ring_chunk + (ring_mask + 1) / L4_CHUNK_SLOTS, at));
	return sides;
}

L4_INLINE const struct l4_pool *l4_pool_of(const struct l4_view *v, uint64_t what)
{
	uint32_t id = l4_record_pool(what);

	return id < v->keys->n_pools ? l4_tables_line(v->tables, v->keys->pool_base + id) : NULL;
}

/* Whether an unrecorded packet of the flow would go to the record's server: then it may be forgotten. The
 * record's own flag was true when it was written; the slot may have been given away since. */
L4_INLINE bool l4_record_agrees(const struct l4_view *v, uint64_t who, uint64_t what)
{
	const struct l4_pool *p = l4_pool_of(v, what);
	uint32_t at;

	if (!p)
		return true;
	at = (uint32_t)who & p->ring_mask;
	return l4_sides_of(v, p->ring_chunk, p->ring_mask, p->member_base, at,
		       l4_tables_slot(v->tables, p->ring_chunk, at))
		       .base == l4_record_server(what);
}

/* How dear a record is: the place that a new one would take over it. */
L4_INLINE enum l4_record_place l4_record_rank(const struct l4_view *v, uint64_t what, uint16_t now)
{
	uint8_t state = l4_record_state(what);
	const struct l4_pool *p;

	if (state == L4_RECORD_EMPTY)
		return L4_PLACE_FREE;
	if (state == L4_RECORD_BUSY)
		return L4_PLACE_NONE;
	p = l4_pool_of(v, what);
	if (!p || l4_record_is_over(what, now, p->idle) ||
		!l4_server_line(v, l4_record_server(what)))
		return L4_PLACE_VOID;
	if (state == L4_RECORD_EMBRYONIC)
		return L4_PLACE_EMBRYONIC;
	return what & L4_RECORD_AGREES ? L4_PLACE_AGREEING : L4_PLACE_LIVE;
}

/* The body's ways to them: the kernel's verifier would follow them on every path if they were in line. */
static enum l4_record_place l4_tables_rank(const struct l4_tables *t, uint64_t what, uint16_t now);
static bool l4_tables_agrees(const struct l4_tables *t, uint64_t who, uint64_t what);

/* The entry that a new record may take, the least recently seen of the least dear. */
L4_INLINE enum l4_record_place l4_record_victim(const struct l4_tables *t,
	struct l4_record_bucket *b, uint16_t now, struct l4_record **at, uint64_t *was)
{
	uint32_t best = UINT32_MAX, index = 0;

	for (uint32_t i = 0; i < L4_BUCKET_RECORDS; i++) {
		uint64_t what = l4_record_read(&b->records[i].what);
		uint32_t cost = (uint32_t)l4_tables_rank(t, what, now) << 16 |
				(uint16_t)~l4_record_age(what, now);

		if (cost >= best)
			continue;
		best = cost;
		index = i;
		*was = what;
	}
	*at = &b->records[index & (L4_BUCKET_RECORDS - 1)];
	return best >> 16;
}

/* A SYN may be anybody's: it takes no place of a live flow. Flags of `agrees` that are out of date cost no try. */
L4_INLINE enum l4_record_place l4_record_insert(
	const struct l4_tables *t, struct l4_record_bucket *b, uint64_t who, uint64_t what)
{
	for (int i = 0; i < L4_RECORD_TRIES + L4_BUCKET_RECORDS; i++) {
		struct l4_record *at;
		uint64_t was = 0;
		enum l4_record_place place =
			l4_record_victim(t, b, l4_record_time(what), &at, &was);

		if (place == L4_PLACE_NONE ||
			(place == L4_PLACE_LIVE && l4_record_state(what) == L4_RECORD_EMBRYONIC))
			break;
		if (place == L4_PLACE_AGREEING &&
			!l4_tables_agrees(t, l4_record_read(&at->who), was)) {
			l4_record_exchange(at, was, was & ~(uint64_t)L4_RECORD_AGREES);
			continue;
		}
		if (l4_record_put(at, was, who, what))
			return place;
	}
	return L4_PLACE_NONE;
}

/* Writes a record into its bucket. Where another processor has changed it since it was found, that stays; but a SYN
 * begins another connection over a closing one, whatever late packets of that do to the record meanwhile. */
L4_INLINE void l4_record_write(
	const struct l4_tables *t, struct l4_record_bucket *b, const struct l4_record_write *r)
{
	for (int i = 0; i < L4_RECORD_TRIES; i++) {
		struct l4_found f = l4_record_find(b, r->hash, l4_record_pool(r->what));

		if (!f.at) {
			l4_tables_recorded(t, l4_record_insert(t, b, r->who, r->what));
			return;
		}
		if (!r->begins || !r->was) {
			l4_record_exchange(f.at, r->was, r->what);
			return;
		}
		if (l4_record_put(f.at, f.what, r->who, r->what))
			return;
	}
}

/* The body's way to it. */
static void l4_tables_record(const struct l4_tables *t, const struct l4_record_write *r);

/* A packet of a tracked slot. */
struct l4_trackee {
	const struct l4_service *service;
	struct l4_record_bucket *bucket;
	uint64_t hash;
	uint32_t seq;
	uint16_t now;
	enum l4_signal signal;
};

/* Decides by the record found, or without one, and records it. Returns the server's member row, 0 when there
 * is none to go to. */
L4_INLINE uint32_t l4_track(const struct l4_view *v, const struct l4_trackee *t,
	const struct l4_found *f, struct l4_sides sides)
{
	bool known = f->at && !l4_record_is_over(f->what, t->now, t->service->idle) &&
		     l4_server_line(v, l4_record_server(f->what));
	struct l4_choice c = known ? l4_track_known(t->signal, t->seq, sides, f->who, f->what)
				   : l4_track_new(t->signal, sides);
	struct l4_record_write r = { .hash = t->hash, .begins = c.begins };
	uint32_t line = l4_server_line(v, c.server);

	l4_tell(v->tables, L4_STEP_SIDES, sides.owner, sides.base);
	l4_tell(v->tables, L4_STEP_CHOICE, c.server, (uint32_t)c.state << 8 | known);
	if (!line)
		return 0;
	r.was = f->at ? f->what : 0;
	r.who = l4_record_who(t->hash, t->seq);
	r.what = l4_record_what(l4_record_mark(t->hash, t->service->pool_id), c.state,
		c.server == sides.base, t->now, c.server);
	if (r.was == r.what)
		return line;
	if (l4_tables_way(v->tables))
		l4_tell(v->tables, L4_STEP_WRITE, r.was, r.what);
	else
		l4_tables_record(v->tables, &r);
	return line;
}

/* Whether a record says where the packet goes and need not be written: most packets of tracked slots end so. */
L4_INLINE bool l4_track_is_steady(const struct l4_trackee *t, const struct l4_found *f)
{
	const uint64_t mask = 7 | (uint64_t)0xffff << L4_RECORD_TIME_AT;

	return f->at && t->signal != L4_SIGNAL_END &&
	       (f->what & mask) == (L4_RECORD_LIVE | (uint64_t)t->now << L4_RECORD_TIME_AT);
}

L4_INLINE void l4_trackee_read(
	const struct l4_frame *f, const struct l4_packet *p, struct l4_trackee *t)
{
	const struct l4_tcp *tcp;

	t->signal = L4_SIGNAL_NONE;
	t->seq = 0;
	if (p->flow.protocol != L4_PROTO_TCP || t->service->flags & L4_SERVICE_CLIENT)
		return;
	tcp = l4_at(f, p->l4, sizeof *tcp);
	t->signal = L4_SIGNAL_PART;
	if (!tcp)
		return;
	t->signal = l4_tcp_signal(tcp->flags);
	t->seq = __builtin_bswap32(tcp->seq);
}

L4_INLINE uint32_t l4_choose_tracked(const struct l4_walk *w, const struct l4_frame *f,
	const struct l4_service *s, uint64_t hash, uint32_t slot)
{
	const struct l4_view v = { w->tables, w->keys };
	struct l4_trackee t = { .service = s, .hash = hash };
	struct l4_found found;
	uint32_t line = 0;

	t.bucket = l4_tables_records(w->tables, hash);
	if (!t.bucket)
		return 0;
	t.now = l4_tables_now(w->tables);
	l4_trackee_read(f, &w->packet, &t);
	found = l4_record_find(t.bucket, hash, s->pool_id);
	l4_tell(w->tables, L4_STEP_RECORD, found.at ? found.who : 0, found.at ? found.what : 0);
	if (l4_track_is_steady(&t, &found))
		line = l4_server_line(&v, l4_record_server(found.what));
	if (line)
		return line;
	return l4_track(&v, &t, &found,
		l4_sides_of(&v, s->ring_chunk, s->ring_mask, s->member_base,
			(uint32_t)hash & s->ring_mask, slot));
}

/* What a service makes of a slot: without records none is tracked. */
L4_INLINE uint32_t l4_slot_of(const struct l4_service *s, uint32_t slot)
{
	return s->flags & L4_SERVICE_UNTRACKED ? slot & L4_SLOT_NONE : slot;
}

/* Where a flow goes, of which no packet is in hand: nothing is recorded. As l4_choose() else. */
L4_INLINE uint32_t l4_peek(const struct l4_walk *w, const struct l4_service *s, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & s->ring_mask, line = 0;
	uint32_t slot = l4_tables_slot(w->tables, s->ring_chunk, at);
	const struct l4_view v = { w->tables, w->keys };
	struct l4_record_bucket *bucket;
	struct l4_found found;

	l4_tell(w->tables, L4_STEP_SLOT, hash, (uint64_t)at << 16 | slot);
	slot = l4_slot_of(s, slot);
	if (!(slot & L4_SLOT_TRACKED || s->flags & L4_SERVICE_TRACK_ALL))
		return slot == L4_SLOT_NONE ? 0 : s->member_base + slot;
	bucket = l4_tables_records(w->tables, hash);
	if (!bucket)
		return 0;
	found = l4_record_find(bucket, hash, s->pool_id);
	l4_tell(w->tables, L4_STEP_RECORD, found.at ? found.who : 0, found.at ? found.what : 0);
	if (found.at && !l4_record_is_over(found.what, l4_tables_now(w->tables), s->idle))
		line = l4_server_line(&v, l4_record_server(found.what));
	if (line)
		return line;
	return l4_server_line(
		&v, l4_sides_of(&v, s->ring_chunk, s->ring_mask, s->member_base, at, slot).base);
}

/* The hash that slot and record of a packet of the service are found by. */
L4_INLINE uint64_t l4_service_hash(const struct l4_walk *w, const struct l4_service *s)
{
	return s->flags & L4_SERVICE_CLIENT
		       ? l4_client_hash(w->root->flow_key, &w->packet.flow, s->pool_id)
		       : l4_flow_hash(w->root->flow_key, &w->packet.flow);
}

/* The member row of the server that a QUIC packet's connection id names, if it serves; or 0. QUIC is sent in no fragments
 * (RFC 9000, section 14): those go by their flow, all of them, and are not for this. */
L4_INLINE uint32_t l4_choose_quic(
	const struct l4_walk *w, const struct l4_frame *f, const struct l4_service *s)
{
	const struct l4_view v = { w->tables, w->keys };

	return l4_server_line(
		&v, l4_tables_quic(w->tables, f, w->packet.l4, s->quic_id_bytes, s->pool_id));
}

/* Where a flow is found: by its hash, and what its slot holds. */
struct l4_spot {
	uint64_t hash;
	uint32_t slot;
};

L4_INLINE struct l4_spot l4_spot_of(
	const struct l4_tables *t, const struct l4_service *s, uint64_t hash)
{
	return (struct l4_spot){ hash,
		l4_tables_slot(t, s->ring_chunk, (uint32_t)hash & s->ring_mask) };
}

/* The member row of the server that the packet goes to; 0: there is none. */
L4_INLINE uint32_t l4_choose(const struct l4_walk *w, const struct l4_frame *f,
	const struct l4_service *s, const struct l4_spot *spot)
{
	uint64_t hash = spot->hash;
	uint32_t slot = spot->slot, line;

	l4_tell(w->tables, L4_STEP_SLOT, hash,
		(uint64_t)((uint32_t)hash & s->ring_mask) << 16 | slot);
	if (slot & L4_SLOT_TRACKED || s->flags & (L4_SERVICE_TRACK_ALL | L4_SERVICE_QUIC)) {
		line = s->flags & L4_SERVICE_QUIC && !w->packet.part ? l4_choose_quic(w, f, s) : 0;
		if (line)
			return line;
		slot = l4_slot_of(s, slot);
		if (slot & L4_SLOT_TRACKED || s->flags & L4_SERVICE_TRACK_ALL)
			return l4_choose_tracked(w, f, s, hash, slot);
	}
	return slot == L4_SLOT_NONE ? 0 : s->member_base + slot;
}
