/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes and their routers' neighbour rows: by what way a server's reply leaves. Needs root. */
#include "tests/unit/test.h"
#include <sched.h>
#include <string.h>
#include "controlplane/engine/xdp.h"
#include "dataplane/snapshot/snapshot.h"

enum { LOOPBACK = 1 };

static struct engine *engine;
static struct err e;

static struct addr a4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct addr){ .af = 4, .bytes = { a, b, c, d } };
}

static void route(struct addr dst, uint8_t plen, uint8_t router, bool gone)
{
	struct host_route r = { dst, plen, HOST_ROUTE_UNICAST, LOOPBACK, a4(10, 0, 0, router) };

	assert_int_equal(engine_route(engine, &r, gone, &e), 0);
}

/* Routers have MAC addresses that end in their number. */
static void neighbour(uint8_t router, bool gone)
{
	struct host_neighbour n = { LOOPBACK, a4(10, 0, 0, router), { 2, 0, 0, 0, 0, router },
		HOST_NEIGHBOUR_USABLE };

	assert_int_equal(engine_neighbour(engine, &n, gone, &e), 0);
}

/* Which router the reply of server 10.0.0.5:80 to a client leaves by; 0: none. */
static int leaves_by(const uint8_t client[4])
{
	uint8_t frame[54] = { 2, 0, 0, 0, 0, 99, [12] = 8, [14] = 0x45, [17] = 40, [22] = 64,
		[23] = 6, [26] = 10, [29] = 5, [35] = 80, [46] = 0x50, [47] = 0x12 },
		out[54];
	size_t len = sizeof out;
	struct l4_trace t;

	memcpy(frame + 30, client, 4);
	assert_int_equal(engine_run(engine, LOOPBACK, frame, sizeof frame, out, &len, &t), 0);
	if (t.verdict == L4_V_REPLIED)
		return out[5];
	assert_true(t.verdict == L4_V_NO_ROUTE || t.verdict == L4_V_NO_NEIGHBOUR);
	return 0;
}

static const uint8_t far[4] = { 203, 0, 113, 9 }, near[4] = { 198, 51, 100, 9 };

/* A prefix inside another is no change of the other. */
static void test_longer_prefixes_leave_shorter_ones_alone(void **state)
{
	const struct addr any = a4(0, 0, 0, 0), net = a4(198, 51, 100, 0);

	(void)state;
	route(any, 0, 1, false);
	for (uint8_t plen = 24; plen <= 30; plen++)
		route(net, plen, 2, false);
	neighbour(1, false);
	neighbour(2, false);
	assert_int_equal(leaves_by(far), 1);
	assert_int_equal(leaves_by(near), 2);
	neighbour(1, true); /* the kernel forgets the router, and finds it again */
	assert_int_equal(leaves_by(far), 0);
	neighbour(1, false);
	assert_int_equal(leaves_by(far), 1);
	for (uint8_t plen = 24; plen <= 30; plen++)
		route(net, plen, 2, true);
	assert_int_equal(leaves_by(near), 1);
	neighbour(1, true);
	neighbour(1, false);
	assert_int_equal(leaves_by(far), 1);
	route(any, 0, 1, true);
	assert_int_equal(leaves_by(far), 0);
}

static void test_a_route_changes_its_router(void **state)
{
	const struct addr any = a4(0, 0, 0, 0);

	(void)state;
	neighbour(1, false);
	neighbour(2, false);
	route(any, 0, 1, false);
	assert_int_equal(leaves_by(far), 1);
	route(any, 0, 2, false);
	assert_int_equal(leaves_by(far), 2);
	neighbour(1, true);
	assert_int_equal(leaves_by(far), 2);
	route(any, 0, 2, true);
}

static void test_not_there_is_nothing_to_remove(void **state)
{
	const struct addr any = a4(0, 0, 0, 0), net = a4(198, 51, 100, 0);

	(void)state;
	neighbour(1, false);
	route(any, 0, 1, false);
	route(net, 24, 2, true);
	neighbour(1, true);
	neighbour(1, false);
	assert_int_equal(leaves_by(near), 1);
	route(any, 0, 1, true);
}

static int setup(void **state)
{
	const struct conf_limits limits = { .vips = 8,
		.services = 8,
		.pools = 8,
		.servers = 8,
		.routes = 64,
		.neighbours = 64,
		.ring_slots = 1 << 10,
		.records = 1024 };
	const struct host_link link = { .ifindex = LOOPBACK,
		.name = "lo",
		.mac = { 2, 0, 0, 0, 0, 99 },
		.mtu = 1500,
		.up = true };
	const struct host_link *links[] = { &link };
	struct engine_options o = { .limits = &limits, .dry = true, .links = links, .n_links = 1 };
	const struct snapshot_port port = {
		.ifindex = LOOPBACK, .mac = { 2, 0, 0, 0, 0, 99 }, .mtu = 1500
	};
	const struct snapshot_address vip = {
		.id = 1, .af = 4, .bytes = { 192, 0, 2, 1 }, .ifindex = LOOPBACK
	};
	const struct snapshot_service service = {
		.id = 1, .protocol = 6, .port = 80, .forward = L4_FORWARD_NAT
	};
	const struct snapshot_pool pool = { .n_members = 1, .id = 1 };
	const struct snapshot_member member = {
		.id = 1, .af = 4, .bytes = { 10, 0, 0, 5 }, .weight = 1
	};
	const struct snapshot_input in = { .ports = &port,
		.addresses = &vip,
		.services = &service,
		.pools = &pool,
		.members = &member,
		.n_ports = 1,
		.n_addresses = 1,
		.n_services = 1,
		.n_pools = 1,
		.n_members = 1 };
	bool adopted;

	(void)state;
	if (unshare(CLONE_NEWNET) || engine_open(&engine, NULL, &o, &adopted, &e))
		return -1;
	return engine_publish(engine, &in, &e);
}

static int teardown(void **state)
{
	(void)state;
	engine_close(engine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longer_prefixes_leave_shorter_ones_alone),
		cmocka_unit_test(test_a_route_changes_its_router),
		cmocka_unit_test(test_not_there_is_nothing_to_remove),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
