/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/engine/dpdk_bed.h"
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "dataplane/dpdk/neighbour_index.h"

struct dpdk_bed bed;

static void store_dir(char out[80])
{
	snprintf(out, 80, "%s/" PROTOCOL_DIR, bed.dir);
}

void bed_new_dir(void)
{
	char dir[80];

	store_dir(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
}

void bed_new_store(void)
{
	const char *what = "";
	char dir[80];

	store_dir(dir);
	store_close(&bed.store);
	assert_int_equal(store_open(&bed.store, dir, &bed.sizes, &what), 0);
}

static void set_hello(struct protocol_hello *h)
{
	const struct conf_limits *l = &bed.limits;

	h->lines = snapshot_lines(l->vips, l->services, l->servers, l->servers, l->pools) +
		   guard_store_image_lines(l->guard_prefixes);
	h->chunks = ring_store_chunks(l->ring_slots);
	h->guard = guard_store_lines(l->guard_prefixes);
	h->routes = l->routes;
	h->workers = bed.sizes.workers;
	h->n_ports = 2;
	h->ports[0] = (struct protocol_port){ "other", "net_ixgbe", .ifindex = BED_IFINDEX + 1 };
	h->ports[1] = (struct protocol_port){ "lan", "net_af_packet", .ifindex = BED_IFINDEX };
}

int bed_setup(void **state)
{
	(void)state;
	bed = (struct dpdk_bed){ .dir = "/tmp/tandem-dpdk-XXXXXX",
		.sizes = { .vips = 8,
			.services = BED_SERVICES,
			.servers = 16,
			.neighbours = BED_NEIGHBOURS,
			.records = 64,
			.sources = 64,
			.datagrams = 8,
			.proxied = 64,
			.workers = 2 },
		.limits = { .vips = 8,
			.services = BED_SERVICES,
			.pools = 8,
			.servers = 16,
			.routes = 64,
			.neighbours = BED_NEIGHBOURS,
			.ring_slots = 1 << 12,
			.guard_prefixes = 64,
			.guard_sources = 64,
			.datagrams = 8,
			.syn_proxied = 64,
			.records = 64 },
		.wait_ms = 2000,
		.ifindex = BED_IFINDEX };
	assert_non_null(mkdtemp(bed.dir));
	bed_new_dir();
	bed_new_store();
	fake_init(&bed.fake);
	set_hello(&bed.fake.hello);
	bed.base = event_base_new();
	assert_non_null(bed.base);
	fake_start(&bed.fake, bed.dir);
	return 0;
}

int bed_teardown(void **state)
{
	struct err e;

	(void)state;
	bed_close();
	fake_stop(&bed.fake);
	fake_free(&bed.fake);
	store_close(&bed.store);
	event_base_free(bed.base);
	engine_detach(bed.dir, &e);
	return rmdir(bed.dir);
}

static void on_wanted(void *arg, uint32_t ifindex, const struct addr *a)
{
	(void)arg;
	assert_int_equal(ifindex, BED_IFINDEX);
	bed.wanted++;
	bed.last_wanted = *a;
}

static void on_told(
	void *arg, const struct addr *from, const struct addr *to, uint16_t port, uint32_t mtu)
{
	(void)arg;
	(void)from;
	(void)to;
	(void)port;
	(void)mtu;
	bed.told++;
}

int bed_open(struct event_base *base)
{
	const struct host_link link = { .ifindex = bed.ifindex,
		.name = "lan",
		.mac = { 2, 0, 0, 0, 0, 1 },
		.mtu = 1500,
		.up = true };
	const struct host_link *links[] = { &link };
	const struct engine_options o = { .type = CONF_ENGINE_DPDK,
		.run_dir = bed.dir,
		.limits = &bed.limits,
		.links = links,
		.n_links = 1,
		.neighbour_wanted = on_wanted,
		.path_told = on_told,
		.wait_ms = bed.wait_ms };

	bed.e.text[0] = 0;
	return engine_open(&bed.engine, base, &o, &bed.adopted, &bed.e);
}

void bed_close(void)
{
	engine_close(bed.engine);
	bed.engine = NULL;
}

/* What is published, with the arrays that it names. */
struct input {
	struct snapshot_port port;
	struct snapshot_address vip;
	struct snapshot_prefix prefixes[64];
	struct snapshot_list sources;
	struct snapshot_service services[BED_POOLS];
	struct snapshot_pool pools[BED_POOLS];
	struct snapshot_member members[BED_POOLS * BED_MEMBERS];
	struct snapshot_input in;
};

static void add_pool(struct input *p, unsigned i, uint16_t weight)
{
	p->services[i] = (struct snapshot_service){ .id = i + 1,
		.protocol = 6,
		.port = (uint16_t)(80 + i),
		.forward = L4_FORWARD_NAT,
		.pool = i };
	p->pools[i] = (struct snapshot_pool){
		.first_member = i * BED_MEMBERS, .n_members = BED_MEMBERS, .id = (uint16_t)(i + 1)
	};
	for (unsigned k = 0; k < BED_MEMBERS; k++) {
		struct snapshot_member *m = &p->members[i * BED_MEMBERS + k];
		uint32_t id = i * BED_MEMBERS + k + 1;

		*m = (struct snapshot_member){ .id = id,
			.af = 4,
			.bytes = { 10, 0, 0, (uint8_t)id },
			.weight = k ? 1 : weight,
			.serves = true,
			.hop_ifindex = BED_IFINDEX,
			.hop_af = 4,
			.hop_bytes = { 10, 0, 0, (uint8_t)id } };
	}
}

int bed_publish(unsigned pools, uint16_t weight, unsigned list)
{
	static struct input p;

	p = (struct input){ .port = { .ifindex = BED_IFINDEX, .mac = { 2, [5] = 1 }, .mtu = 1500 },
		.vip = { .id = 1, .af = 4, .bytes = { 192, 0, 2, 1 }, .ifindex = BED_IFINDEX },
		.sources = { p.prefixes, list, false, list + 1ull },
		.in = { .ports = &p.port,
			.addresses = &p.vip,
			.services = p.services,
			.pools = p.pools,
			.members = p.members,
			.lists = &p.sources,
			.n_ports = 1,
			.n_addresses = 1,
			.n_services = pools,
			.n_pools = pools,
			.n_members = pools * BED_MEMBERS,
			.n_lists = list ? 1 : 0 } };
	for (unsigned i = 0; i < list; i++)
		p.prefixes[i] = (struct snapshot_prefix){
			.af = 4, .bytes = { 20, (uint8_t)i }, .plen = 16
		};
	for (unsigned i = 0; i < pools; i++)
		add_pool(&p, i, weight);
	p.pools[0].slots = bed.slots;
	bed.e.text[0] = 0;
	return engine_publish(bed.engine, &p.in, &bed.e);
}

void bed_route(uint8_t last, uint8_t router, bool gone)
{
	const struct host_route r = { { .af = 4, .bytes = { 198, 51, 100, last } }, 32,
		HOST_ROUTE_UNICAST, BED_IFINDEX, { .af = 4, .bytes = { 10, 0, 0, router } } };

	assert_int_equal(engine_route(bed.engine, &r, gone, &bed.e), 0);
}

void bed_neighbour(uint8_t last, bool gone)
{
	const struct host_neighbour n = { BED_IFINDEX, { .af = 4, .bytes = { 10, 0, 0, last } },
		{ 2, 0, 0, 0, 1, last }, HOST_NEIGHBOUR_USABLE };

	assert_int_equal(engine_neighbour(bed.engine, &n, gone, &bed.e), 0);
}

uint32_t bed_find(uint32_t bank, uint8_t last)
{
	struct neighbour_index x = { .cells = store_block(&bed.store, STORE_CELLS, bank),
		.rows = store_block(&bed.store, STORE_NEIGHBOURS, bank),
		.n_rows = BED_NEIGHBOURS,
		.bits = neighbour_index_bits(BED_NEIGHBOURS) };
	const uint8_t bytes[4] = { 10, 0, 0, last };
	struct l4_neighbour_key k = { .ifindex = BED_IFINDEX };

	memcpy(k.address, bytes, sizeof bytes);
	memcpy(x.key, store_block(&bed.store, STORE_CELLS_KEY, 0), sizeof x.key);
	return neighbour_index_find(&x, &k);
}

bool bed_loop_until(bool (*is_there)(void))
{
	for (int i = 0; i < 1000 && !is_there(); i++)
		bed_loop_ms(2);
	return is_there();
}

void bed_loop_ms(unsigned ms)
{
	const struct timeval tv = { .tv_usec = ms * 1000L };

	event_base_loopexit(bed.base, &tv);
	event_base_dispatch(bed.base);
}

enum engine_state bed_state(void)
{
	uint64_t since;

	return engine_state(bed.engine, &since);
}
