/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/slots/site.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Times short enough that flows end, slots settle, and closing ones live as long as open ones or not so long. */
const struct site_service site_services[SITE_SERVICES] = {
	{ "web", .pool = 0, .protocol = IPPROTO_TCP, .nat = true, .idle_s = 90 },
	{ "dns", .pool = 0, .protocol = IPPROTO_UDP, .idle_s = 30 },
	{ "web6", .pool = 1, .protocol = IPPROTO_TCP, .is6 = true, .idle_s = 30 },
	{ "shop", .pool = 2, .protocol = IPPROTO_TCP, .client = true, .idle_s = 60 },
	{ "cart", .pool = 2, .protocol = IPPROTO_TCP, .nat = true, .client = true, .idle_s = 20 },
	{ "mail", .pool = 2, .protocol = IPPROTO_TCP, .idle_s = 25 },
	{ "all", .pool = 3, .protocol = IPPROTO_TCP, .track_all = true, .idle_s = 70 },
	{ "some", .pool = 3, .protocol = IPPROTO_TCP, .nat = true, .idle_s = 15 },
	{ "dns6", .pool = 4, .protocol = IPPROTO_UDP, .is6 = true, .idle_s = 20 },
};

static bool pool_is6(unsigned pool)
{
	return pool == 1 || pool == 4;
}

bool site_serves(const struct site_place *p)
{
	return p->id && !p->maint && !p->down;
}

struct site_place *site_place(struct site *s, uint8_t number)
{
	return &s->places[number / SITE_PLACES][number % SITE_PLACES];
}

uint8_t site_find(const struct site *s, uint16_t id)
{
	return id && id <= SITE_IDS ? s->place_of[id] : SITE_NOWHERE;
}

void site_vip(bool is6, uint8_t out[16])
{
	static const uint8_t vip4[16] = { 192, 0, 2, 10 };
	static const uint8_t vip6[16] = { 0x20, 1, 0xd, 0xb8, 0, 0xf, [15] = 0x10 };

	memcpy(out, is6 ? vip6 : vip4, 16);
}

uint16_t site_port(unsigned service)
{
	return (uint16_t)(1000 + service);
}

static void place_address(unsigned number, uint8_t out[16])
{
	unsigned pool = number / SITE_PLACES;
	static const uint8_t net6[16] = { 0x20, 1, 0xd, 0xb8, 0, 0xb };
	static const uint8_t net4[16] = { 10, 1 };

	memcpy(out, pool_is6(pool) ? net6 : net4, 16);
	out[pool_is6(pool) ? 15 : 3] = (uint8_t)(number + 1);
}

static void add(struct site *s, struct random *r, struct site_place *p)
{
	s->last_id = s->last_id == SITE_IDS ? 1 : s->last_id + 1;
	p->id = s->last_id;
	s->place_of[p->id] = (uint8_t)(p - s->places[0]);
	p->weight = random_chance(r, 1, 3) ? (uint16_t)(1 + random_below(r, 10)) : 4;
	p->drain = p->maint = p->down = false;
}

/* What a server's flows lose when it goes from serving them to something else. */
static void settle_loss(struct site *s, struct site_place *p, bool served, uint64_t event)
{
	if (site_serves(p) && served)
		return;
	if (served) {
		p->fell = event;
		s->fallen = (uint8_t)(p - s->places[0]);
	}
	p->lost = true;
}

static void remove_server(struct site_place *p, uint64_t event)
{
	p->id = 0;
	p->fell = event;
	p->lost = true;
}

static unsigned count(const struct site *s, unsigned pool)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SITE_PLACES; i++)
		n += s->places[pool][i].id != 0;
	return n;
}

/* Many servers come or go at once: the table grows, or shrinks once it may. */
static void resize(struct site *s, struct random *r, unsigned pool, unsigned n, uint64_t event)
{
	while (count(s, pool) != n) {
		struct site_place *p = &s->places[pool][random_below(r, SITE_PLACES)];

		if (!p->id && count(s, pool) < n)
			add(s, r, p);
		else if (p->id && count(s, pool) > n)
			remove_server(p, event);
	}
}

void site_fill(struct site *s, struct random *r)
{
	for (unsigned pool = 0; pool < SITE_POOLS; pool++)
		resize(s, r, pool, SITE_PLACES, 0);
	for (unsigned i = 0; i < SITE_POOLS * SITE_PLACES; i++)
		site_place(s, (uint8_t)i)->weight = 1;
}

enum word { READY, DRAIN, MAINT, DOWN, UP, WEIGHT, REMOVE, REPLACE, WORDS };

static const char *const words[WORDS] = { "ready", "drain", "maint", "down", "up", "weight",
	"removed", "replaced by another at its address" };

/* Servers fail and are drained as often as they come back. */
static enum word draw_word(struct random *r)
{
	static const enum word often[] = { READY, READY, READY, DRAIN, DRAIN, DRAIN, MAINT, DOWN,
		UP, UP, WEIGHT, WEIGHT, REMOVE, REPLACE };

	return often[random_below(r, sizeof often / sizeof *often)];
}

static void apply(
	struct site *s, struct random *r, struct site_place *p, enum word w, uint64_t event)
{
	bool served = site_serves(p);

	if (w == READY || w == DRAIN || w == MAINT) {
		p->drain = w == DRAIN;
		p->maint = w == MAINT;
	} else if (w == DOWN || w == UP) {
		p->down = w == DOWN;
	} else if (w == WEIGHT) {
		p->weight = (uint16_t)(1 + random_below(r, 10));
	} else {
		remove_server(p, event);
		if (w == REPLACE)
			add(s, r, p);
		return;
	}
	settle_loss(s, p, served, event);
}

uint16_t site_change(struct site *s, struct random *r, uint64_t event, char *text, size_t size)
{
	unsigned pool = random_below(r, SITE_POOLS), place = random_below(r, SITE_PLACES), n;
	struct site_place *p = &s->places[pool][place];
	enum word w;

	s->version++;
	if (s->fallen != SITE_NOWHERE && random_chance(r, 1, 3)) {
		pool = s->fallen / SITE_PLACES;
		p = site_place(s, s->fallen);
		p->drain = p->maint = p->down = false;
		snprintf(text, size, "pool %u: place %u: back", pool, (unsigned)s->fallen);
		s->fallen = SITE_NOWHERE;
		return (uint16_t)(pool + 1);
	}
	if (random_chance(r, 1, 12)) {
		n = random_chance(r, 1, 2) ? SITE_PLACES - random_below(r, 3)
					   : 1 + random_below(r, 5);
		resize(s, r, pool, n, event);
		snprintf(text, size, "pool %u: now %u servers", pool, n);
		return (uint16_t)(pool + 1);
	}
	if (!p->id) {
		add(s, r, p);
		snprintf(text, size, "pool %u: place %u: added as %u", pool,
			site_place_number(pool, place), p->id);
		return (uint16_t)(pool + 1);
	}
	w = draw_word(r);
	n = p->id;
	apply(s, r, p, w, event);
	snprintf(text, size, "pool %u: place %u: %u %s", pool, site_place_number(pool, place), n,
		words[w]);
	return (uint16_t)(pool + 1);
}

void site_published(struct site *s, uint64_t event)
{
	for (unsigned i = 0; i < SITE_POOLS * SITE_PLACES; i++) {
		struct site_place *p = site_place(s, (uint8_t)i);

		if (p->lost)
			p->fell = event;
		p->lost = !site_serves(p);
	}
}

static void describe_member(const struct site *s, unsigned number, struct snapshot_member *m)
{
	const struct site_place *p = &s->places[number / SITE_PLACES][number % SITE_PLACES];

	*m = (struct snapshot_member){ .id = p->id, .serves = site_serves(p) };
	m->af = m->hop_af = pool_is6(number / SITE_PLACES) ? 6 : 4;
	m->weight = m->serves && !p->drain ? p->weight : 0;
	m->hop_ifindex = SITE_BACK;
	place_address(number, m->bytes);
	memcpy(m->hop_bytes, m->bytes, sizeof m->hop_bytes);
}

void site_describe(struct site *s)
{
	uint32_t n = 0;

	for (unsigned pool = 0; pool < SITE_POOLS; pool++) {
		s->pools[pool].id = (uint16_t)(pool + 1);
		s->pools[pool].first_member = n;
		for (unsigned i = 0; i < SITE_PLACES; i++)
			if (s->places[pool][i].id)
				describe_member(s, site_place_number(pool, i), &s->members[n++]);
		s->pools[pool].n_members = n - s->pools[pool].first_member;
	}
	s->input.n_members = n;
}

static struct snapshot_port ports[] = {
	{ .ifindex = SITE_FRONT, .mac = { 2, 0, 0, 0, 0xf, 1 }, .mtu = 1500 },
	{ .ifindex = SITE_BACK, .mac = { 2, 0, 0, 0, 0xb, 1 }, .mtu = 1500 },
};
static struct snapshot_address addresses[2];
static struct snapshot_service services[SITE_SERVICES];

static void open_input(struct site *s)
{
	for (unsigned i = 0; i < 2; i++) {
		addresses[i] = (struct snapshot_address){ .id = i + 1, .af = i ? 6 : 4 };
		addresses[i].ifindex = SITE_FRONT;
		site_vip(i, addresses[i].bytes);
	}
	for (unsigned i = 0; i < SITE_SERVICES; i++) {
		const struct site_service *from = &site_services[i];

		services[i] = (struct snapshot_service){ .id = i + 1, .address = from->is6 };
		services[i].protocol = from->protocol;
		services[i].port = site_port(i);
		services[i].forward = from->nat ? L4_FORWARD_NAT : L4_FORWARD_DSR;
		services[i].pool = from->pool;
		services[i].idle_s = from->idle_s;
		services[i].track_all = from->track_all;
		services[i].client_affinity = from->client;
	}
	s->input = (struct snapshot_input){ .ports = ports, .addresses = addresses };
	s->input.services = services;
	s->input.pools = s->pools;
	s->input.members = s->members;
	s->input.n_ports = 2;
	s->input.n_addresses = 2;
	s->input.n_services = SITE_SERVICES;
	s->input.n_pools = SITE_POOLS;
	for (unsigned i = 0; i < sizeof s->input.key; i++)
		s->input.key[i] = (uint8_t)i;
}

static const struct host_link links[] = {
	{ .ifindex = SITE_FRONT,
		.name = "front",
		.mac = { 2, 0, 0, 0, 0xf, 1 },
		.mtu = 1500,
		.up = true },
	{ .ifindex = SITE_BACK,
		.name = "back",
		.mac = { 2, 0, 0, 0, 0xb, 1 },
		.mtu = 1500,
		.up = true },
};

/* The engine is opened with a configuration as large as all that will follow, of which no packet sees anything: its
 * servers are nobody's, but their ids are counted. */
static int open_world(struct site *s, uint32_t records)
{
	enum { N = SITE_POOLS * SITE_PLACES };
	static struct conf_interface interfaces[2];
	static struct conf_pool pool = {
		.name = "none", .health = -1, .n_servers = 1, .when_empty = CONF_EMPTY_DROP
	};
	static struct conf_vip vips[2];
	struct host_neighbour *neighbours = calloc(N, sizeof *neighbours);

	s->conf.servers = calloc(SITE_IDS, sizeof *s->conf.servers);
	s->conf.services = calloc(SITE_SERVICES, sizeof *s->conf.services);
	s->world.neighbours = neighbours;
	if (!neighbours || !s->conf.servers || !s->conf.services)
		return -ENOMEM;
	for (unsigned i = 0; i < N; i++) {
		neighbours[i].ifindex = SITE_BACK;
		neighbours[i].addr.af = pool_is6(i / SITE_PLACES) ? 6 : 4;
		place_address(i, neighbours[i].addr.bytes);
		memcpy(neighbours[i].mac, (uint8_t[6]){ 2, 0, 0, 0, 0xb0, (uint8_t)i }, 6);
		neighbours[i].state = HOST_NEIGHBOUR_USABLE;
	}
	for (unsigned i = 0; i < SITE_IDS; i++)
		s->conf.servers[i] = (struct conf_server){ .name = "none", .address.af = 4 };
	for (unsigned i = 0; i < SITE_SERVICES; i++)
		s->conf.services[i] = (struct conf_service){
			.name = "none", .protocol = IPPROTO_UDP, .port = (uint16_t)(i + 1)
		};
	for (unsigned i = 0; i < 2; i++) {
		vips[i].address.af = 4;
		vips[i].address.bytes[3] = (uint8_t)(i + 1);
	}
	s->conf.interfaces = interfaces;
	s->conf.vips = vips;
	s->conf.pools = &pool;
	s->conf.n_interfaces = 2;
	s->conf.n_pools = 1;
	s->conf.n_vips = 2;
	s->conf.n_services = SITE_SERVICES;
	s->conf.n_servers = SITE_IDS;
	s->conf.limits = (struct conf_limits){ .vips = 8, .services = 64, .pools = 64 };
	s->conf.limits.servers = SITE_IDS;
	s->conf.limits.routes = s->conf.limits.neighbours = 256;
	s->conf.limits.ring_slots = 1 << 20;
	s->conf.limits.records = records;
	s->world.conf = &s->conf;
	s->world.links = links;
	s->world.n_links = 2;
	s->world.n_neighbours = N;
	return 0;
}

int site_open(struct site *s, struct random *r, uint32_t records)
{
	*s = (struct site){ .version = 1, .fallen = SITE_NOWHERE };
	open_input(s);
	for (unsigned pool = 0; pool < SITE_POOLS; pool++)
		resize(s, r, pool, 3 + random_below(r, 6), 0);
	site_describe(s);
	return open_world(s, records);
}

void site_close(struct site *s)
{
	free((void *)s->world.neighbours);
	free(s->conf.servers);
	free(s->conf.services);
}
