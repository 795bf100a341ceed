/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of stable ids, and what a number that is given anew starts with. Needs root. */
#include "tests/unit/test.h"
#include <errno.h>
#include <sched.h>
#include <string.h>
#include "controlplane/engine/xdp.h"
#include "dataplane/snapshot/snapshot.h"

enum {
	LOOPBACK = 1,
	VIP = 3,
	OTHER_VIP = 4,
	SERVICE = 5,
	OTHER_SERVICE = 6,
	FLOODED = 2,
	SERVER = 7,
	LAST = 8
};

/* The port of the one whose SYNs are all a flood. */
enum { FLOODED_PORT = 83 };

static const uint8_t port_mac[6] = { 2, 0, 0, 0, 0, 1 };
static struct engine *engine;

static int publish(void)
{
	const struct snapshot_port port = {
		.ifindex = LOOPBACK, .mac = { 2, 0, 0, 0, 0, 1 }, .mtu = 1500
	};
	const struct snapshot_address addresses[] = {
		{ .id = VIP, .af = 4, .bytes = { 192, 0, 2, 1 }, .ifindex = LOOPBACK },
		{ .id = OTHER_VIP, .af = 4, .bytes = { 192, 0, 2, 2 }, .ifindex = LOOPBACK },
	};
	const struct snapshot_service services[] = {
		{ .id = SERVICE, .address = 0, .protocol = 6, .port = 80 },
		{ .id = OTHER_SERVICE, .address = 1, .protocol = 6, .port = 80 },
		{ .id = FLOODED,
			.protocol = 6,
			.port = FLOODED_PORT,
			.forward = L4_FORWARD_NAT,
			.syn_cookies = true },
	};
	const struct snapshot_member member = {
		.id = SERVER,
		.af = 4,
		.bytes = { 10, 0, 0, 1 },
		.weight = 1,
		.hop_ifindex = LOOPBACK,
		.hop_af = 4,
		.hop_bytes = { 10, 0, 0, 1 },
	};
	const struct snapshot_pool pool = { .n_members = 1 };
	const struct snapshot_input in = {
		.ports = &port,
		.addresses = addresses,
		.services = services,
		.pools = &pool,
		.members = &member,
		.n_ports = 1,
		.n_addresses = 2,
		.n_services = 3,
		.n_pools = 1,
		.n_members = 1,
	};
	struct err e;

	return engine_publish(engine, &in, &e);
}

static int setup(void **state)
{
	const struct conf_limits limits = { .vips = 8,
		.services = LAST,
		.pools = 8,
		.servers = 8,
		.routes = 16,
		.neighbours = 16,
		.ring_slots = 1024,
		.records = 1024,
		.syn_proxied = 100 };
	const struct host_link link = { .ifindex = LOOPBACK,
		.name = "lo",
		.mac = { 2, 0, 0, 0, 0, 1 },
		.mtu = 1500,
		.up = true };
	const struct host_link *links[] = { &link };
	const struct engine_options o = {
		.limits = &limits, .dry = true, .links = links, .n_links = 1
	};
	const struct host_neighbour server = { LOOPBACK, { .af = 4, .bytes = { 10, 0, 0, 1 } },
		{ 2, 0, 0, 0, 0, 7 }, HOST_NEIGHBOUR_USABLE };
	bool adopted;
	struct err e;

	(void)state;
	if (unshare(CLONE_NEWNET) || engine_open(&engine, NULL, &o, &adopted, &e) ||
		engine_neighbour(engine, &server, false, &e))
		return -1;
	return publish();
}

static int teardown(void **state)
{
	(void)state;
	engine_close(engine);
	return 0;
}

/* A SYN to 192.0.2.HOST; ports without a service are dropped, and so is what has a TTL of 1. */
static void send_syn(uint8_t host, uint8_t port, uint8_t ttl)
{
	uint8_t frame[54] = { 0 }, out[80];
	size_t len = sizeof out;
	struct l4_trace t;

	memcpy(frame, port_mac, 6);
	memcpy(frame + 12, "\x08\x00\x45\x00\x00\x28", 6);
	frame[22] = ttl;
	frame[23] = 6;
	memcpy(frame + 26, "\xcb\x00\x71\x05\xc0\x00\x02", 7);
	frame[33] = host;
	frame[37] = port;
	memcpy(frame + 46, "\x50\x02", 2);
	assert_int_equal(engine_run(engine, LOOPBACK, frame, sizeof frame, out, &len, &t), 0);
}

static uint64_t drops(uint32_t vip)
{
	uint64_t counts[L4_V_COUNT];

	assert_int_equal(engine_vip_drops(engine, vip, counts), 0);
	return counts[L4_V_NO_SERVICE];
}

static uint64_t service_drops(uint32_t service)
{
	uint64_t counts[L4_V_COUNT];

	assert_int_equal(engine_service_drops(engine, service, counts), 0);
	assert_int_equal(counts[L4_V_NO_SERVICE], 0);
	return counts[L4_V_TTL_EXCEEDED];
}

static uint64_t packets(enum engine_counter_kind kind, uint32_t id)
{
	struct engine_counter c;

	assert_int_equal(kind == ENGINE_SERVICE ? engine_service_counter(engine, id, &c)
						: engine_server_counter(engine, id, &c),
		0);
	assert_int_equal(c.bytes, c.packets * 54);
	return c.packets;
}

/* Resets one number of a kind; the others go on. */
static void test_reset(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		send_syn(1, 80, 64);
		send_syn(1, 81, 64);
		send_syn(2, 80, 64);
		send_syn(2, 81, 64);
		send_syn(1, 80, 1);
		send_syn(2, 80, 1);
	}
	assert_int_equal(packets(ENGINE_SERVICE, SERVICE), 3);
	assert_int_equal(packets(ENGINE_SERVICE, OTHER_SERVICE), 3);
	assert_int_equal(packets(ENGINE_SERVER, SERVER), 6);
	assert_int_equal(drops(VIP), 3);
	assert_int_equal(drops(OTHER_VIP), 3);
	assert_int_equal(service_drops(SERVICE), 3);
	assert_int_equal(service_drops(OTHER_SERVICE), 3);
	assert_int_equal(engine_counter_reset(engine, ENGINE_VIP, VIP), 0);
	assert_int_equal(drops(VIP), 0);
	assert_int_equal(drops(OTHER_VIP), 3);
	assert_int_equal(service_drops(SERVICE), 3);
	assert_int_equal(engine_counter_reset(engine, ENGINE_SERVICE, SERVICE), 0);
	assert_int_equal(packets(ENGINE_SERVICE, SERVICE), 0);
	assert_int_equal(packets(ENGINE_SERVICE, OTHER_SERVICE), 3);
	assert_int_equal(service_drops(SERVICE), 0);
	assert_int_equal(service_drops(OTHER_SERVICE), 3);
	assert_int_equal(packets(ENGINE_SERVER, SERVER), 6);
	assert_int_equal(engine_counter_reset(engine, ENGINE_SERVER, SERVER), 0);
	assert_int_equal(packets(ENGINE_SERVER, SERVER), 0);
	send_syn(1, 80, 64);
	send_syn(1, 81, 64);
	assert_int_equal(packets(ENGINE_SERVICE, SERVICE), 1);
	assert_int_equal(packets(ENGINE_SERVER, SERVER), 1);
	assert_int_equal(drops(VIP), 1);
	assert_true(engine_counter_reset(engine, ENGINE_SERVER, 1000) < 0);
}

/* The flood of a service that is gone is not that of the one which has its number now. What has begun is counted on: a packet
 * may have begun it since the number was given. */
static void test_floods_end_with_their_service(void **state)
{
	struct l4_flood was = { .syns = 3, .seen = 1, .begun = 5, .ended = 5, .ready = 1 };
	struct l4_flood *floods;
	uint32_t n;

	(void)state;
	floods = engine_floods(engine, &n);
	assert_int_equal(n, 9); /* limits.services, and nobody's */
	floods[SERVICE] = floods[OTHER_SERVICE] = was;
	assert_int_equal(engine_counter_reset(engine, ENGINE_SERVICE, SERVICE), 0);
	assert_int_equal(engine_counter_reset(engine, ENGINE_SERVER, OTHER_SERVICE), 0);
	assert_false(floods[SERVICE].seen || floods[SERVICE].ready);
	assert_int_equal(floods[SERVICE].begun, 5);
	assert_true(l4_flood_has_proxied(&floods[SERVICE]));
	assert_memory_equal(&floods[OTHER_SERVICE], &was, sizeof was);
}

static uint64_t cookies(uint32_t id)
{
	uint64_t n;

	assert_int_equal(engine_service_cookies(engine, id, &n), 0);
	return n;
}

static void test_cookies_are_counted_and_no_drops(void **state)
{
	uint64_t counts[L4_V_COUNT];

	(void)state;
	for (int i = 0; i < 3; i++)
		send_syn(1, FLOODED_PORT, 64);
	assert_int_equal(cookies(FLOODED), 3);
	assert_int_equal(cookies(SERVICE), 0);
	assert_int_equal(engine_service_drops(engine, FLOODED, counts), 0);
	for (unsigned v = 0; v < L4_V_COUNT; v++)
		assert_true(counts[v] == 0);
	assert_int_equal(engine_counter_reset(engine, ENGINE_SERVICE, FLOODED), 0);
	assert_int_equal(cookies(FLOODED), 0);
}

static void test_the_table_of_proxied_is_as_large_as_wanted(void **state)
{
	uint32_t n;

	(void)state;
	engine_proxied(engine, &n);
	assert_int_equal(n, 128);
}

/* Rows of the highest id are there, and none behind them. */
static void test_last(void **state)
{
	uint64_t counts[L4_V_COUNT];

	(void)state;
	assert_int_equal(service_drops(0), 0);
	assert_int_equal(service_drops(LAST), 0);
	assert_int_equal(engine_service_drops(engine, LAST + 1, counts), -ENOENT);
	assert_int_equal(engine_service_drops(engine, 1000, counts), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_floods_end_with_their_service),
		cmocka_unit_test(test_cookies_are_counted_and_no_drops),
		cmocka_unit_test(test_the_table_of_proxied_is_as_large_as_wanted),
		cmocka_unit_test(test_last),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
