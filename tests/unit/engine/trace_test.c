/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets that are traced: what is told of their way, and that nothing comes of them. (That counters and records stay
 * as they are is looked at by tests/packets with every case.) Needs root. */
#include "tests/unit/test.h"
#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <string.h>
#include "controlplane/engine/xdp.h"
#include "dataplane/snapshot/snapshot.h"

enum { LOOPBACK = 1, KNOWN = 80, UNKNOWN = 81 };

static struct engine *engine;
static struct event_base *base;
static unsigned wanted, used;
static const uint8_t vip[4] = { 192, 0, 2, 1 }, port_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const struct addr servers[] = {
	{ .af = 4, .bytes = { 10, 0, 0, 1 } },
	{ .af = 4, .bytes = { 10, 0, 0, 2 } },
};

static void on_wanted(void *arg, uint32_t ifindex, const struct addr *a)
{
	(void)arg;
	(void)ifindex;
	(void)a;
	wanted++;
}

static void on_used(void *arg, uint32_t ifindex, const struct addr *a)
{
	(void)arg;
	(void)ifindex;
	(void)a;
	used++;
}

/* What the loop and the sweep over neighbours have seen since the last call. */
static void look(void)
{
	wanted = used = 0;
	event_base_loop(base, EVLOOP_NONBLOCK);
	engine_each_used_neighbour(engine, on_used, NULL);
}

static void make_syn(uint8_t frame[54], uint8_t port)
{
	static const uint8_t client[4] = { 203, 0, 113, 7 };

	memset(frame, 0, 54);
	memcpy(frame, port_mac, 6);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[17] = 40;
	frame[22] = 64;
	frame[23] = 6;
	memcpy(frame + 26, client, 4);
	memcpy(frame + 30, vip, 4);
	frame[34] = 0x30;
	frame[37] = port;
	frame[46] = 0x50;
	frame[47] = 2;
}

static void trace(uint8_t port, struct l4_way *way)
{
	uint8_t frame[54], out[256];
	size_t len = sizeof out;
	struct err e = { "" };

	make_syn(frame, port);
	assert_int_equal(engine_trace(engine, LOOPBACK, frame, 54, out, &len, way, &e), 0);
	assert_int_equal(len, 54);
	assert_int_equal(out[22], way->end.verdict == L4_V_FORWARDED ? 63 : 64);
}

static void run(uint8_t port, enum l4_verdict verdict)
{
	uint8_t frame[54], out[256];
	size_t len = sizeof out;
	struct l4_trace t;

	make_syn(frame, port);
	assert_int_equal(engine_run(engine, LOOPBACK, frame, 54, out, &len, &t), 0);
	assert_int_equal(t.verdict, verdict);
}

static const struct l4_step *find(const struct l4_way *way, enum l4_step_kind kind)
{
	for (uint32_t i = 0; i < way->n; i++)
		if (way->steps[i].kind == kind)
			return &way->steps[i];
	return NULL;
}

static void test_no_neighbour_is_used(void **state)
{
	struct l4_way way;

	(void)state;
	look();
	trace(KNOWN, &way);
	assert_int_equal(way.end.verdict, L4_V_FORWARDED);
	look();
	assert_int_equal(used, 0);
	run(KNOWN, L4_V_FORWARDED);
	look();
	assert_int_equal(used, 1);
}

static void test_no_neighbour_is_asked_for(void **state)
{
	struct l4_way way;

	(void)state;
	trace(UNKNOWN, &way);
	assert_int_equal(way.end.verdict, L4_V_NO_NEIGHBOUR);
	assert_int_equal(way.end.vip_id, 1);
	look();
	assert_int_equal(wanted, 0);
	run(UNKNOWN, L4_V_NO_NEIGHBOUR);
	look();
	assert_int_equal(wanted, 1);
}

static void test_rows_are_named(void **state)
{
	const struct l4_step *s;
	struct l4_neighbour n;
	struct l4_service service;
	struct l4_member member;
	struct l4_way way;

	(void)state;
	trace(KNOWN, &way);
	assert_int_equal(way.packet.flow.dport, KNOWN << 8);
	s = find(&way, L4_STEP_FIND);
	assert_non_null(s);
	assert_true(engine_line(engine, (uint32_t)s->b, &service));
	assert_int_equal(service.id, 1);
	s = find(&way, L4_STEP_SERVER);
	assert_true(s && engine_line(engine, (uint32_t)s->a, &member));
	assert_int_equal(member.id, 1);
	s = find(&way, L4_STEP_HOP);
	assert_true(s && engine_neighbour_row(engine, (uint32_t)s->a, &n));
	assert_memory_equal(n.address, servers[0].bytes, 4);
	assert_false(engine_line(engine, UINT32_MAX, &member));
	assert_false(engine_neighbour_row(engine, UINT32_MAX, &n));
}

static void test_what_is_no_frame(void **state)
{
	static uint8_t frame[ENGINE_FRAME_MAX + 1], out[ENGINE_FRAME_MAX + 64];
	size_t len = sizeof out;
	struct l4_way way;
	struct err e = { "" };

	(void)state;
	assert_int_equal(engine_trace(engine, LOOPBACK, frame, 13, out, &len, &way, &e), -EMSGSIZE);
	assert_non_null(strstr(e.text, "a frame of 13 bytes cannot be traced"));
	assert_int_equal(engine_trace(engine, LOOPBACK, frame, sizeof frame, out, &len, &way, &e),
		-EMSGSIZE);
	assert_non_null(strstr(e.text, "a frame of 3501 bytes cannot be traced"));
	len = sizeof out;
	assert_int_equal(
		engine_trace(engine, LOOPBACK, frame, ENGINE_FRAME_MAX, out, &len, &way, &e), 0);
	assert_int_equal(way.end.verdict, L4_V_NOT_OURS);
	assert_int_equal(len, ENGINE_FRAME_MAX);
}

static int publish(struct err *e)
{
	struct snapshot_port port = { .ifindex = LOOPBACK, .mtu = 1500 };
	struct snapshot_address address = { .id = 1, .af = 4, .ifindex = LOOPBACK };
	struct snapshot_pool pools[2] = { { .n_members = 1, .id = 1 },
		{ .first_member = 1, .id = 2, .n_members = 1 } };
	struct snapshot_service services[2] = { { .id = 1, .protocol = 6, .port = KNOWN },
		{ .id = 2, .protocol = 6, .port = UNKNOWN, .pool = 1 } };
	struct snapshot_member members[2] = { 0 };
	struct snapshot_input in = { &port, &address, services, pools, members, 1, 1, 2, 2, 2,
		{ 0 }, 0 };

	memcpy(port.mac, port_mac, 6);
	memcpy(address.bytes, vip, 4);
	for (unsigned i = 0; i < 2; i++) {
		members[i] = (struct snapshot_member){
			.id = 1 + i, .af = 4, .weight = 1, .hop_ifindex = LOOPBACK, .hop_af = 4
		};
		memcpy(members[i].bytes, servers[i].bytes, 16);
		memcpy(members[i].hop_bytes, servers[i].bytes, 16);
	}
	return engine_publish(engine, &in, e);
}

static int setup(void **state)
{
	const struct conf_limits limits = { .vips = 8,
		.services = 8,
		.pools = 8,
		.servers = 64,
		.routes = 16,
		.neighbours = 128,
		.ring_slots = 1 << 16,
		.records = 1024 };
	const struct host_link link = { LOOPBACK, "lo", { 2, 0, 0, 0, 0, 1 }, 1500, true };
	const struct host_link *links[] = { &link };
	struct engine_options o = { .limits = &limits,
		.dry = true,
		.links = links,
		.n_links = 1,
		.neighbour_wanted = on_wanted };
	struct host_neighbour n = { LOOPBACK, servers[0], { 2, 0, 0, 0, 1, 1 },
		HOST_NEIGHBOUR_USABLE };
	bool adopted;
	struct err e;

	(void)state;
	base = event_base_new();
	if (!base || unshare(CLONE_NEWNET) || engine_open(&engine, base, &o, &adopted, &e) ||
		engine_neighbour(engine, &n, false, &e))
		return -1;
	return publish(&e);
}

static int teardown(void **state)
{
	(void)state;
	engine_close(engine);
	event_base_free(base);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_neighbour_is_used),
		cmocka_unit_test(test_no_neighbour_is_asked_for),
		cmocka_unit_test(test_rows_are_named),
		cmocka_unit_test(test_what_is_no_frame),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
