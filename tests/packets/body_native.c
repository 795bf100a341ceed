/* SPDX-License-Identifier: BSD-2-Clause */
/* The stages built for the host, over tables in plain memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define LOOKUPS_TRACES true
#include "dataplane/dpdk/lookups.h"
#include "dataplane/snapshot/guard.h"
#include "tests/packets/setup.h"

struct body {
	struct l4_tables tables; /* first: body_of() */
	struct lookups_own own;
	const struct world *world;
	struct l4_line *image, *guard_lines; /* what of the tables is read alone there */
	struct l4_chunk *rings;
	struct ring_store *store;
	struct guard_store *guard;
	uint64_t generation;
	uint64_t verdicts[L4_V_COUNT], places[L4_PLACE_COUNT];
	uint64_t (*vip_drops)[L4_V_COUNT], (*service_drops)[L4_V_COUNT];
	struct engine_counter *services, *servers;
	uint32_t n_vips, n_services, n_servers;
	struct neighbour_index neighbour_index;
	struct route_table routes;
	uint8_t *memory; /* the frame's, two bytes before it begins */
};

static struct body *body_of(const struct l4_tables *t)
{
	return (struct body *)t;
}

static uint32_t row_of(const struct body *b, uint32_t ifindex, const struct addr *a)
{
	struct l4_neighbour_key key = { .ifindex = ifindex, .is6 = a->af == 6 };

	memcpy(key.address, a->bytes, addr_size(a));
	return neighbour_index_find(&b->neighbour_index, &key);
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
static inline bool l4_tables_grow(const struct l4_tables *t, struct l4_frame *f, int n)
{
	struct body *b = body_of(t);
	uint32_t len = f->len + (uint32_t)n, more = n > 0 ? (uint32_t)n : 0,
		 from = more - (uint32_t)n;
	uint8_t *memory = len > BODY_FRAME_MAX ? NULL : calloc(1, len + 2u);

	if (!memory)
		return false;
	memset(memory + 2, 0xa5, more);
	memcpy(memory + 2 + more, f->data + from, f->len - from);
	free(b->memory);
	b->memory = memory;
	*f = (struct l4_frame){ memory + 2, memory + 2 + len, len };
	return true;
}

/* As the kernel does: what is added is zero, and pointers into the frame go bad. */
static inline bool l4_tables_resize(const struct l4_tables *t, struct l4_frame *f, uint32_t len)
{
	struct body *b = body_of(t);
	uint8_t *memory = len > BODY_FRAME_MAX ? NULL : frame_new(f->data, f->len, len);

	if (!memory)
		return false;
	free(b->memory);
	b->memory = memory;
	*f = (struct l4_frame){ memory + 2, memory + 2 + len, len };
	return true;
}

/* Nobody is there to be told. */
static inline void l4_tables_want(const struct l4_tables *t, const struct l4_want *want)
{
	(void)t;
	(void)want;
}

#include "dataplane/dpdk/stages.h"

static bool is_port(const struct world *w, uint32_t ifindex)
{
	for (unsigned i = 0; i < w->n_links; i++)
		if (w->links[i].ifindex == ifindex)
			return true;
	return false;
}

static void fill_row(
	const struct body *b, struct l4_neighbour *n, uint32_t ifindex, const struct addr *a)
{
	n->ifindex = ifindex;
	n->is6 = a->af == 6;
	memcpy(n->address, a->bytes, addr_size(a));
	for (unsigned i = 0; i < b->world->n_links; i++) {
		struct snapshot_port port;

		if (b->world->links[i].ifindex != ifindex)
			continue;
		setup_port(b->world, i, &port);
		memcpy(n->src_mac, port.mac, sizeof n->src_mac);
		n->mtu = port.mtu;
		n->device = snapshot_device(&port);
		snapshot_tags(&port, n->tags);
	}
}

static int add_neighbour(struct body *b, uint32_t ifindex, const struct addr *a, const uint8_t *mac)
{
	struct l4_tables *t = &b->tables;
	uint32_t row = row_of(b, ifindex, a);
	int rc;

	if (row == L4_NO_NEIGHBOUR) {
		if (t->n_neighbours == b->neighbour_index.n_rows)
			return -ENOSPC;
		row = t->n_neighbours++;
		fill_row(b, &t->neighbours[row], ifindex, a);
		rc = neighbour_index_set(&b->neighbour_index, row);
		if (rc)
			return rc;
	}
	if (mac) {
		memcpy(t->neighbours[row].mac, mac, sizeof t->neighbours[row].mac);
		t->neighbours[row].usable = 1;
	}
	return 0;
}

static int add_neighbours(struct body *b, const struct snapshot_input *in)
{
	const struct world *w = b->world;
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
		rows[i] = in->members[i].hop_ifindex ? row_of(b, in->members[i].hop_ifindex, &hop)
						     : L4_NO_NEIGHBOUR;
	}
	return rc;
}

static struct l4_route route_of(const struct body *b, const struct host_route *r)
{
	struct l4_route out = { L4_ROUTE_DISCARD, 0, L4_NO_NEIGHBOUR, r->plen };

	if (r->kind == HOST_ROUTE_LOCAL)
		out.kind = L4_ROUTE_LOCAL;
	if (r->kind != HOST_ROUTE_UNICAST || !is_port(b->world, r->ifindex))
		return out;
	out.ifindex = r->ifindex;
	out.kind = r->gateway.af ? L4_ROUTE_GATEWAY : L4_ROUTE_LINK;
	if (r->gateway.af)
		out.neighbour = row_of(b, r->ifindex, &r->gateway);
	return out;
}

/* Of two routes to a prefix the first holds. */
static int enter_routes(const struct body *b, struct routes *set)
{
	int rc = 0;

	for (unsigned i = b->world->n_routes; i-- && !rc;) {
		const struct host_route *r = &b->world->routes[i];
		struct routes_prefix prefix = { .af = r->dst.af, .plen = r->plen };
		struct l4_route is = route_of(b, r), was;

		memcpy(prefix.bytes, r->dst.bytes, addr_size(&r->dst));
		rc = routes_set(set, &prefix, &is, &was);
	}
	return rc;
}

/* The way that a table of routes goes from one process to another. */
static int send_routes(struct body *b, struct routes *set)
{
	uint32_t limit = b->world->conf->limits.routes;
	struct route_table now;
	const char *why;
	int fd = routes_write(set), rc;

	if (fd < 0)
		return fd;
	rc = routes_read(&now, fd, limit, &why);
	close(fd);
	if (rc)
		return rc;
	routes_unread(&b->routes);
	b->routes = now;
	b->tables.routes = &b->routes;
	return 0;
}

static int take_routes(struct body *b)
{
	struct routes *set = routes_new(b->world->conf->limits.routes);
	int rc = set ? enter_routes(b, set) : -ENOMEM;

	if (!rc)
		rc = send_routes(b, set);
	routes_free(set);
	return rc;
}

static int take_image(struct body *b, const struct snapshot *sn)
{
	struct l4_line *image = malloc(sn->lines * sizeof *image);

	if (!image)
		return -ENOMEM;
	memcpy(image, sn->image, sn->lines * sizeof *image);
	for (uint32_t i = 0; i < sn->n_rings; i++)
		memcpy(&b->rings[sn->rings[i].chunk], sn->rings[i].slots,
			sn->rings[i].chunks * sizeof *b->rings);
	free(b->image);
	b->tables.image = b->image = image;
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
		rc = take_routes(b);
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
	free(b->image);
	ring_store_free(b->store);
	guard_store_free(b->guard);
	free(b->guard_lines);
	free(b->rings);
	free(b->tables.neighbours);
	free(b->neighbour_index.cells);
	routes_unread(&b->routes);
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

/* How many bits number buckets of so many entries: one, at least. */
static uint32_t bits_of(uint32_t entries, uint32_t a_bucket)
{
	uint32_t bits = 1;

	while ((uint64_t)a_bucket << bits < entries)
		bits++;
	return bits;
}

/* False: out of memory. */
static bool make_neighbours(struct body *b, uint32_t rows)
{
	struct neighbour_index *x = &b->neighbour_index;

	b->tables.neighbours = calloc(rows, sizeof *b->tables.neighbours);
	*x = (struct neighbour_index){ .rows = b->tables.neighbours,
		.n_rows = rows,
		.bits = neighbour_index_bits(rows),
		.key = { 1, 2 } };
	x->cells = calloc(1u << x->bits, sizeof *x->cells);
	b->tables.neighbour_index = x;
	return x->cells && x->rows;
}

/* What does not depend on a generation. False: out of memory. */
static bool make_tables(struct body *b, const struct conf_limits *limits)
{
	struct l4_tables *t = &b->tables;

	t->own = &b->own;
	b->own.places = b->places;
	t->n_chunks = ring_store_chunks(limits->ring_slots);
	t->rings = b->rings = calloc(t->n_chunks, sizeof *b->rings);
	t->n_guard = guard_store_lines(limits->guard_prefixes);
	t->guard = b->guard_lines = calloc(t->n_guard + 1u, sizeof *b->guard_lines);
	t->record_bits = bits_of(limits->records, L4_BUCKET_RECORDS);
	t->records = calloc(1u << t->record_bits, sizeof *t->records);
	t->source_bits = bits_of(limits->guard_sources, L4_BUCKET_SOURCES);
	t->sources = calloc(1u << t->source_bits, sizeof *t->sources);
	t->datagram_bits = bits_of(limits->datagrams, L4_BUCKET_DATAGRAMS);
	t->datagrams = calloc(1u << t->datagram_bits, sizeof *t->datagrams);
	t->n_floods = b->n_services + 1;
	t->floods = calloc(t->n_floods, sizeof *t->floods);
	t->proxied_bits = bits_of(limits->syn_proxied, L4_BUCKET_PROXIED);
	t->proxied = calloc(1u << t->proxied_bits, sizeof *t->proxied);
	return make_neighbours(b, limits->neighbours) && t->rings && t->guard && t->records &&
	       t->sources && t->datagrams && t->floods && t->proxied;
}

static bool make_counters(struct body *b, const struct conf *c)
{
	b->n_vips = c->n_vips + c->n_gateways;
	b->n_services = c->n_services;
	b->n_servers = c->n_servers;
	b->vip_drops = calloc(b->n_vips + 1u, sizeof *b->vip_drops);
	b->service_drops = calloc(b->n_services + 1u, sizeof *b->service_drops);
	b->services = calloc(b->n_services + 1u, sizeof *b->services);
	b->servers = calloc(b->n_servers + 1u, sizeof *b->servers);
	return b->vip_drops && b->service_drops && b->services && b->servers;
}

static int native_open(struct body **out, const struct world *w, struct err *e)
{
	const struct conf *c = w->conf;
	struct body *b = calloc(1, sizeof *b);
	struct build *build = NULL;
	int rc = -ENOMEM;

	if (!b)
		return err_set(e, rc, "out of memory");
	b->world = w;
	if (make_counters(b, c) && make_tables(b, &c->limits)) {
		b->store = ring_store_new(c->limits.ring_slots, c->limits.pools);
		b->guard = guard_store_new(b->guard_lines, c->limits.guard_prefixes);
		rc = b->store && b->guard ? setup_build(w, &build) : -ENOMEM;
	}
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
	struct l4_frame f;

	if (len > BODY_FRAME_MAX)
		return -EMSGSIZE;
	b->memory = frame_new(frame, len, len);
	if (!b->memory)
		return -ENOMEM;
	f = (struct l4_frame){ b->memory + 2, b->memory + 2 + len, (uint32_t)len };
	out->verdict = stages_run(&b->tables, &f, ifindex, r, bytes);
	out->ifindex = out->verdict >= L4_V_FORWARDED && out->verdict < L4_V_MALFORMED ? r->ifindex
										       : 0;
	out->len = f.len;
	memcpy(out->frame, f.data, f.len);
	free(b->memory);
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
	b->own.now = now;
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
	memcpy(out, b->places, sizeof b->places);
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
