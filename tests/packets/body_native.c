/* SPDX-License-Identifier: BSD-2-Clause */
/* The stages built for the host, over tables in plain memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/flow.h"
#include "dataplane/l4/limit.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/tables.h"
#include "dataplane/l4/traced.h"
#include "dataplane/snapshot/guard.h"
#include "tests/packets/setup.h"

struct l4_tables {
	const struct world *world;
	struct l4_line *image;
	uint32_t lines;
	struct l4_chunk *rings;
	uint32_t n_chunks;
	struct l4_line *guard;
	uint32_t n_guard;
	struct l4_neighbour *neighbours;
	uint32_t n_neighbours;
	struct l4_record_bucket *records; /* 2^record_bits */
	uint32_t record_bits;
	struct l4_source_bucket *sources; /* 2^source_bits */
	uint32_t source_bits;
	struct l4_datagram_bucket *datagrams; /* 2^datagram_bits */
	uint32_t datagram_bits;
	struct l4_flood *floods; /* by service id */
	uint32_t n_floods;
	struct l4_proxied_bucket *proxied; /* 2^proxied_bits */
	uint32_t proxied_bits;
	uint64_t places[L4_PLACE_COUNT];
	struct l4_route route; /* the answer of the last look-up */
	uint8_t *memory;       /* the frame's, two bytes before it begins */
	struct l4_limit limit;
	struct l4_note note;
	struct l4_traced *traced; /* NULL: the packet is not traced */
	uint16_t now;		  /* coarse time */
};

static uint32_t find_row(
	const struct l4_tables *t, uint32_t ifindex, const uint32_t address[4], uint32_t is6)
{
	for (uint32_t i = 0; i < t->n_neighbours; i++) {
		const struct l4_neighbour *n = &t->neighbours[i];

		if (n->ifindex == ifindex && n->is6 == is6 &&
			!memcmp(n->address, address, sizeof n->address))
			return i;
	}
	return L4_NO_NEIGHBOUR;
}

static uint32_t row_of(const struct l4_tables *t, uint32_t ifindex, const struct addr *a)
{
	uint32_t words[4] = { 0 };

	memcpy(words, a->bytes, addr_size(a));
	return find_row(t, ifindex, words, a->af == 6);
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

/* There is no kernel here to make one. */
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

static inline void l4_tables_recorded(const struct l4_tables *t, enum l4_record_place place)
{
	((struct l4_tables *)t)->places[place]++;
}

static bool is_port(const struct world *w, uint32_t ifindex)
{
	for (unsigned i = 0; i < w->n_links; i++)
		if (w->links[i].ifindex == ifindex)
			return true;
	return false;
}

static inline const struct l4_route *l4_tables_route(
	const struct l4_tables *t, const struct l4_flow *flow)
{
	struct l4_route *out = (struct l4_route *)&t->route;
	struct addr dst = { .af = flow->is6 ? 6 : 4 };
	const struct host_route *r;

	memcpy(dst.bytes, flow->dst, addr_size(&dst));
	r = setup_route(t->world, &dst);
	if (!r)
		return NULL;
	*out = (struct l4_route){ L4_ROUTE_DISCARD, 0, L4_NO_NEIGHBOUR, r->plen };
	if (r->kind == HOST_ROUTE_LOCAL)
		out->kind = L4_ROUTE_LOCAL;
	if (r->kind != HOST_ROUTE_UNICAST || !is_port(t->world, r->ifindex))
		return out;
	out->ifindex = r->ifindex;
	out->kind = r->gateway.af ? L4_ROUTE_GATEWAY : L4_ROUTE_LINK;
	if (r->gateway.af)
		out->neighbour = row_of(t, r->ifindex, &r->gateway);
	return out;
}

static inline struct l4_neighbour *l4_tables_neighbour(const struct l4_tables *t, uint32_t row)
{
	return row < t->n_neighbours ? &t->neighbours[row] : NULL;
}

static inline uint32_t l4_tables_find_neighbour(
	const struct l4_tables *t, const struct l4_neighbour_key *key)
{
	return find_row(t, key->ifindex, key->address, key->is6);
}

/* A frame that ends where its memory ends, so that the address sanitizer sees what is read behind it. IP headers
 * lie at multiples of 4, as drivers place them. */
static uint8_t *frame_new(const uint8_t *from, size_t len, size_t room)
{
	uint8_t *memory = calloc(1, room + 2);

	if (memory)
		memcpy(memory + 2, from, len < room ? len : room);
	return memory;
}

/* Room in front holds what nobody should see, so that a byte which is not written there makes a difference. */
static inline bool l4_tables_grow(const struct l4_tables *tables, struct l4_frame *f, int n)
{
	struct l4_tables *t = (struct l4_tables *)tables;
	uint32_t len = f->len + (uint32_t)n, more = n > 0 ? (uint32_t)n : 0,
		 from = more - (uint32_t)n;
	uint8_t *memory = len > BODY_FRAME_MAX ? NULL : calloc(1, len + 2u);

	if (!memory)
		return false;
	memset(memory + 2, 0xa5, more);
	memcpy(memory + 2 + more, f->data + from, f->len - from);
	free(t->memory);
	t->memory = memory;
	*f = (struct l4_frame){ memory + 2, memory + 2 + len, len };
	return true;
}

static inline uint16_t l4_tables_now(const struct l4_tables *t)
{
	return t->now;
}

static inline struct l4_way *l4_tables_way(const struct l4_tables *t)
{
	return t->traced ? &t->traced->way : NULL;
}

static inline struct l4_limit *l4_tables_limit(const struct l4_tables *t)
{
	if (t->traced)
		return &t->traced->limit;
	return &((struct l4_tables *)t)->limit;
}

/* As the kernel does: what is added is zero, and pointers into the frame go bad. */
static inline bool l4_tables_resize(
	const struct l4_tables *tables, struct l4_frame *f, uint32_t len)
{
	struct l4_tables *t = (struct l4_tables *)tables;
	uint8_t *memory = len > BODY_FRAME_MAX ? NULL : frame_new(f->data, f->len, len);

	if (!memory)
		return false;
	free(t->memory);
	t->memory = memory;
	*f = (struct l4_frame){ memory + 2, memory + 2 + len, len };
	return true;
}

static struct l4_note *l4_tables_note(const struct l4_tables *t)
{
	if (t->traced)
		return &t->traced->note;
	return &((struct l4_tables *)t)->note;
}

#include "dataplane/l4/error.h"
#include "dataplane/l4/fragment.h"
#include "dataplane/l4/host.h"
#include "dataplane/l4/local.h"
#include "dataplane/l4/packet.h"
#include "dataplane/l4/rare.h"
#include "dataplane/l4/refusal.h"
#include "dataplane/l4/synproxy.h"
#include "dataplane/l4/vlan.h"
#include "dataplane/l4/wrap.h"

static bool l4_tables_fine(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first, uint32_t stem)
{
	return l4_filter_fine(t, g, first, stem);
}

static uint32_t l4_tables_list4_count(const struct l4_tables *t, uint32_t line, uint32_t address)
{
	return l4_list4_count(t, line, address);
}

static uint32_t l4_tables_list6_count(
	const struct l4_tables *t, uint32_t line, uint64_t high, uint64_t low)
{
	return l4_list6_count(t, line, high, low);
}

static enum l4_verdict l4_tables_rate(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return l4_rate(t, g, p);
}

static enum l4_verdict l4_tables_guard(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return l4_guard(t, g, p);
}

static enum l4_verdict l4_tables_guard_error(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return l4_guard_error(t, g, p);
}

static enum l4_verdict l4_tables_enter(
	const struct l4_tables *t, uint64_t hash, uint64_t what, struct l4_part part)
{
	return t->traced ? l4_fragment_look(t, hash, what, part)
			 : l4_fragment_enter(t, hash, what, part);
}

static uint32_t l4_tables_ports(
	const struct l4_tables *t, uint32_t table, uint32_t n, uint32_t port)
{
	const struct l4_ports *ports = l4_tables_line(t, table);

	return ports ? l4_ports_line(ports, n, port) : 0;
}

static bool l4_tables_virtual(const struct l4_tables *t, uint32_t ifindex, uint64_t mac)
{
	return l4_has_virtual(t, ifindex, mac);
}

static uint32_t l4_tables_quic(const struct l4_tables *t, const struct l4_frame *f, uint32_t l4,
	uint32_t id_bytes, uint16_t pool)
{
	struct l4_walk w;

	return l4_walk_begin(&w, t) ? l4_quic_server(&w, f, l4, id_bytes, pool) : 0;
}

static struct l4_view view_of(const struct l4_tables *t)
{
	return (struct l4_view){ t, l4_tables_line(t, L4_LINE_KEYS) };
}

static enum l4_record_place l4_tables_rank(const struct l4_tables *t, uint64_t what, uint16_t now)
{
	struct l4_view v = view_of(t);

	return l4_record_rank(&v, what, now);
}

static bool l4_tables_agrees(const struct l4_tables *t, uint64_t who, uint64_t what)
{
	struct l4_view v = view_of(t);

	return l4_record_agrees(&v, who, what);
}

static void l4_tables_record(const struct l4_tables *t, const struct l4_record_write *r)
{
	l4_record_write(t, l4_tables_records(t, r->hash), r);
}

struct body {
	struct l4_tables tables;
	struct ring_store *store;
	struct guard_store *guard;
	uint64_t generation;
	uint64_t verdicts[L4_V_COUNT];
	uint64_t (*vip_drops)[L4_V_COUNT], (*service_drops)[L4_V_COUNT];
	struct engine_counter *services, *servers;
	uint32_t n_vips, n_services, n_servers;
};

static int add_neighbour(struct body *b, uint32_t ifindex, const struct addr *a, const uint8_t *mac)
{
	struct l4_tables *t = &b->tables;
	uint32_t row = row_of(t, ifindex, a);
	struct l4_neighbour *n;

	if (row == L4_NO_NEIGHBOUR) {
		n = realloc(t->neighbours, (t->n_neighbours + 1) * sizeof *n);
		if (!n)
			return -ENOMEM;
		t->neighbours = n;
		row = t->n_neighbours++;
		n += row;
		memset(n, 0, sizeof *n);
		n->ifindex = ifindex;
		n->is6 = a->af == 6;
		memcpy(n->address, a->bytes, addr_size(a));
		for (unsigned i = 0; i < t->world->n_links; i++) {
			struct snapshot_port port;

			if (t->world->links[i].ifindex != ifindex)
				continue;
			setup_port(t->world, i, &port);
			memcpy(n->src_mac, port.mac, sizeof n->src_mac);
			n->mtu = port.mtu;
			n->device = snapshot_device(&port);
			snapshot_tags(&port, n->tags);
		}
	}
	n = &t->neighbours[row];
	if (mac) {
		memcpy(n->mac, mac, sizeof n->mac);
		n->usable = 1;
	}
	return 0;
}

static int add_neighbours(struct body *b, const struct snapshot_input *in)
{
	const struct world *w = b->tables.world;
	int rc = 0;

	for (unsigned i = 0; i < w->n_neighbours && !rc; i++)
		if (w->neighbours[i].state != HOST_NEIGHBOUR_NONE &&
			is_port(w, w->neighbours[i].ifindex))
			rc = add_neighbour(b, w->neighbours[i].ifindex, &w->neighbours[i].addr,
				w->neighbours[i].mac);
	for (unsigned i = 0; i < w->n_routes && !rc; i++)
		if (w->routes[i].gateway.af && is_port(w, w->routes[i].ifindex))
			rc = add_neighbour(b, w->routes[i].ifindex, &w->routes[i].gateway, NULL);
	for (unsigned i = 0; i < in->n_members && !rc; i++) {
		struct addr hop = { .af = in->members[i].hop_af };

		memcpy(hop.bytes, in->members[i].hop_bytes, sizeof hop.bytes);
		if (in->members[i].hop_ifindex)
			rc = add_neighbour(b, in->members[i].hop_ifindex, &hop, NULL);
	}
	return rc;
}

static int neighbour_rows(struct body *b, const struct snapshot_input *in, uint32_t *rows)
{
	int rc = add_neighbours(b, in);

	for (uint32_t i = 0; i < in->n_members && !rc; i++) {
		struct addr hop = { .af = in->members[i].hop_af };

		memcpy(hop.bytes, in->members[i].hop_bytes, sizeof hop.bytes);
		rows[i] = in->members[i].hop_ifindex
				  ? row_of(&b->tables, in->members[i].hop_ifindex, &hop)
				  : L4_NO_NEIGHBOUR;
	}
	return rc;
}

static int take_image(struct body *b, const struct snapshot *sn)
{
	struct l4_line *image = malloc(sn->lines * sizeof *image);

	if (!image)
		return -ENOMEM;
	memcpy(image, sn->image, sn->lines * sizeof *image);
	for (uint32_t i = 0; i < sn->n_rings; i++)
		memcpy(&b->tables.rings[sn->rings[i].chunk], sn->rings[i].slots,
			sn->rings[i].chunks * sizeof *b->tables.rings);
	free(b->tables.image);
	b->tables.image = image;
	b->tables.lines = sn->lines;
	return 0;
}

static int native_publish(struct body *b, const struct snapshot_input *in, struct err *e)
{
	uint32_t *rows = calloc(in->n_members + 1u, sizeof *rows);
	struct snapshot *sn = NULL;
	const char *what = "";
	int rc = rows ? neighbour_rows(b, in, rows) : -ENOMEM;

	if (!rc)
		rc = guard_store_take(b->guard, in);
	if (!rc)
		rc = snapshot_build(
			b->store, b->guard, in, rows, b->generation + 1, UINT32_MAX, &sn, &what);
	free(rows);
	if (!rc)
		rc = take_image(b, sn);
	if (rc) {
		if (sn)
			snapshot_abort(b->store, sn);
		guard_store_abort(b->guard);
		return err_set(e, rc, "cannot build the image: %s %s", strerror(-rc), what);
	}
	snapshot_commit(b->store, sn);
	guard_store_commit(b->guard);
	b->generation++;
	return 0;
}

static void native_close(struct body *b)
{
	free(b->tables.image);
	ring_store_free(b->store);
	guard_store_free(b->guard);
	free(b->tables.guard);
	free(b->tables.rings);
	free(b->tables.neighbours);
	free(b->tables.records);
	free(b->tables.sources);
	free(b->tables.datagrams);
	free(b->tables.floods);
	free(b->tables.proxied);
	free(b->vip_drops);
	free(b->service_drops);
	free(b->services);
	free(b->servers);
	free(b);
}

static int native_open(struct body **out, const struct world *w, struct err *e)
{
	const struct conf *c = w->conf;
	struct body *b = calloc(1, sizeof *b);
	struct build *build = NULL;
	int rc = -ENOMEM;

	if (!b)
		return err_set(e, rc, "out of memory");
	b->tables.world = w;
	b->n_vips = c->n_vips + c->n_gateways;
	b->n_services = c->n_services;
	b->n_servers = c->n_servers;
	b->vip_drops = calloc(b->n_vips + 1u, sizeof *b->vip_drops);
	b->service_drops = calloc(b->n_services + 1u, sizeof *b->service_drops);
	b->services = calloc(b->n_services + 1u, sizeof *b->services);
	b->servers = calloc(b->n_servers + 1u, sizeof *b->servers);
	b->store = ring_store_new(c->limits.ring_slots, c->limits.pools);
	b->tables.n_chunks = ring_store_chunks(c->limits.ring_slots);
	b->tables.rings = calloc(b->tables.n_chunks, sizeof *b->tables.rings);
	b->tables.n_guard = guard_store_lines(c->limits.guard_prefixes);
	b->tables.guard = calloc(b->tables.n_guard + 1u, sizeof *b->tables.guard);
	b->guard = guard_store_new(b->tables.guard, c->limits.guard_prefixes);
	while ((uint32_t)L4_BUCKET_RECORDS << b->tables.record_bits < c->limits.records)
		b->tables.record_bits++;
	b->tables.records = calloc(1u << b->tables.record_bits, sizeof *b->tables.records);
	while ((uint32_t)L4_BUCKET_SOURCES << b->tables.source_bits < c->limits.guard_sources)
		b->tables.source_bits++;
	b->tables.sources = calloc(1u << b->tables.source_bits, sizeof *b->tables.sources);
	while ((uint32_t)L4_BUCKET_DATAGRAMS << b->tables.datagram_bits < c->limits.datagrams)
		b->tables.datagram_bits++;
	b->tables.datagrams = calloc(1u << b->tables.datagram_bits, sizeof *b->tables.datagrams);
	b->tables.n_floods = b->n_services + 1;
	b->tables.floods = calloc(b->tables.n_floods, sizeof *b->tables.floods);
	while ((uint32_t)L4_BUCKET_PROXIED << b->tables.proxied_bits < c->limits.syn_proxied)
		b->tables.proxied_bits++;
	b->tables.proxied = calloc(1u << b->tables.proxied_bits, sizeof *b->tables.proxied);
	if (b->tables.records && b->tables.sources && b->tables.datagrams && b->tables.floods &&
		b->tables.proxied && b->vip_drops && b->service_drops && b->services &&
		b->servers && b->store && b->guard && b->tables.guard && b->tables.rings)
		rc = setup_build(w, &build);
	if (rc)
		err_set(e, rc, "out of memory");
	else
		rc = native_publish(b, &build->input, e);
	if (build)
		build_free(build);
	if (rc) {
		native_close(b);
		return rc;
	}
	*out = b;
	return 0;
}

static void count(struct engine_counter *c, size_t bytes)
{
	c->packets++;
	c->bytes += bytes;
}

/* What becomes of the frame; nothing is counted. *bytes: how long it was when it was taken up last. */
static int decide(struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len,
	struct body_result *out, struct l4_result *r, uint32_t *bytes)
{
	struct l4_tables *t = &b->tables;
	struct l4_frame f;

	if (len > BODY_FRAME_MAX)
		return -EMSGSIZE;
	t->memory = frame_new(frame, len, len);
	if (!t->memory)
		return -ENOMEM;
	f = (struct l4_frame){ t->memory + 2, t->memory + 2 + len, (uint32_t)len };
	*bytes = f.len;
	out->verdict = l4_process(t, &f, ifindex, r);
	if (out->verdict == L4_NEXT_FRAGMENT)
		out->verdict = l4_fragment(t, &f, r);
	if (out->verdict == L4_NEXT_PORTS)
		out->verdict = l4_process(t, &f, ifindex, r);
	if (out->verdict == L4_NEXT_SYNPROXY)
		out->verdict = l4_synproxy(t, &f, r);
	if (out->verdict == L4_NEXT_AGAIN) {
		*bytes = f.len;
		out->verdict = l4_process(t, &f, ifindex, r);
		l4_synproxy_end(t);
	}
	l4_fragment_end(t);
	if (out->verdict == L4_NEXT_RARE)
		out->verdict = l4_rare(t, &f, ifindex, r);
	if (out->verdict == L4_NEXT_ERROR_IN)
		out->verdict = l4_error_in(t, &f, r);
	else if (out->verdict == L4_NEXT_ERROR_OUT)
		out->verdict = l4_error_out(t, &f, r);
	if (out->verdict == L4_NEXT_WRAP)
		out->verdict = l4_wrap(t, &f, r);
	if (out->verdict == L4_NEXT_REFUSAL)
		out->verdict = l4_refusal_answer(t, &f, l4_tables_note(t), r);
	else if (out->verdict == L4_NEXT_WANT)
		out->verdict = l4_tables_note(t)->why;
	else if (out->verdict == L4_NEXT_LOCAL)
		out->verdict = l4_local(&f, l4_tables_note(t), r);
	else if (out->verdict == L4_NEXT_TAGS)
		out->verdict = l4_vlan_leave(t, &f, l4_tables_note(t), r);
	if (out->verdict < L4_V_FORWARDED)
		l4_host(t, &f, ifindex);
	out->ifindex = out->verdict >= L4_V_FORWARDED && out->verdict < L4_V_MALFORMED ? r->ifindex
										       : 0;
	out->len = f.len;
	memcpy(out->frame, f.data, f.len);
	free(t->memory);
	return 0;
}

static int native_inject(
	struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len, struct body_result *out)
{
	struct l4_result r = { 0 };
	uint32_t bytes;
	int rc = decide(b, ifindex, frame, len, out, &r, &bytes);

	if (rc)
		return rc;
	b->verdicts[out->verdict]++;
	if (out->verdict >= L4_V_MALFORMED && r.vip_id)
		b->vip_drops[r.vip_id][out->verdict]++;
	if (out->verdict >= L4_V_MALFORMED && r.service_id)
		b->service_drops[r.service_id][out->verdict]++;
	if (out->verdict == L4_V_LOCAL)
		count(&b->services[r.service_id], bytes);
	if (out->verdict == L4_V_FORWARDED) {
		count(&b->services[r.service_id], bytes);
		count(&b->servers[r.server_id], bytes);
	}
	return 0;
}

static int native_trace(struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len,
	struct body_result *out, struct l4_way *way)
{
	struct l4_traced traced = { 0 };
	struct l4_result r = { 0 };
	uint32_t bytes;
	int rc;

	b->tables.traced = &traced;
	rc = decide(b, ifindex, frame, len, out, &r, &bytes);
	b->tables.traced = NULL;
	*way = traced.way;
	way->end =
		(struct l4_trace){ out->verdict, r.ifindex, r.vip_id, r.service_id, r.server_id };
	return rc;
}

static int native_set_time(struct body *b, uint16_t now)
{
	b->tables.now = now;
	return 0;
}

static int native_service_counter(struct body *b, uint32_t id, struct engine_counter *out)
{
	if (id > b->n_services)
		return -ENOENT;
	*out = b->services[id];
	return 0;
}

static int native_server_counter(struct body *b, uint32_t id, struct engine_counter *out)
{
	if (id > b->n_servers)
		return -ENOENT;
	*out = b->servers[id];
	return 0;
}

static int native_verdicts(struct body *b, uint64_t out[L4_V_COUNT])
{
	memcpy(out, b->verdicts, sizeof b->verdicts);
	return 0;
}

static int native_vip_drops(struct body *b, uint32_t vip_id, uint64_t out[L4_V_COUNT])
{
	if (vip_id > b->n_vips)
		return -ENOENT;
	memcpy(out, b->vip_drops[vip_id], sizeof b->vip_drops[vip_id]);
	return 0;
}

static int native_service_drops(struct body *b, uint32_t service_id, uint64_t out[L4_V_COUNT])
{
	if (service_id > b->n_services)
		return -ENOENT;
	memcpy(out, b->service_drops[service_id], sizeof b->service_drops[service_id]);
	return 0;
}

static struct l4_record *native_records(struct body *b, uint32_t *n)
{
	*n = L4_BUCKET_RECORDS << b->tables.record_bits;
	return b->tables.records->records;
}

static int native_places(struct body *b, uint64_t out[L4_PLACE_COUNT])
{
	memcpy(out, b->tables.places, sizeof b->tables.places);
	return 0;
}

static struct l4_flood *native_floods(struct body *b, uint32_t *n)
{
	*n = b->tables.n_floods;
	return b->tables.floods;
}

static struct l4_proxied *native_proxied(struct body *b, uint32_t *n)
{
	*n = L4_BUCKET_PROXIED << b->tables.proxied_bits;
	return b->tables.proxied->entries;
}

static int native_past_slots(struct body *b, snapshot_slots_fn *fn, void *arg)
{
	const struct l4_tables *t = &b->tables;

	return snapshot_read_slots(t->image, t->lines, t->rings, t->n_chunks, fn, arg);
}

const struct body_ops body_native = {
	.name = "native",
	.open = native_open,
	.inject = native_inject,
	.trace = native_trace,
	.set_time = native_set_time,
	.service_counter = native_service_counter,
	.server_counter = native_server_counter,
	.verdicts = native_verdicts,
	.vip_drops = native_vip_drops,
	.service_drops = native_service_drops,
	.publish = native_publish,
	.records = native_records,
	.places = native_places,
	.floods = native_floods,
	.proxied = native_proxied,
	.past_slots = native_past_slots,
	.close = native_close,
};
