/* SPDX-License-Identifier: BSD-2-Clause */
/* Switches under load between two configurations of which any mixture would show: one thread publishes them in
 * turn, another sends packets through the loaded program. Everything that a packet shows of its way (the ids,
 * the server's address and port, the MAC address) must be one configuration's. Needs root. */
#include "tests/unit/test.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include "controlplane/engine/xdp.h"
#include "dataplane/snapshot/snapshot.h"

enum { SERVERS = 20, PUBLISHES = 400, LOOPBACK = 1 };

/* Side 0 and side 1 differ in every number. */
struct side {
	struct snapshot_address address;
	struct snapshot_service service;
	struct snapshot_pool pool;
	struct snapshot_member members[SERVERS];
	struct snapshot_port port;
	struct snapshot_prefix prefix;
	struct snapshot_list list;
	struct snapshot_input in;
};

static struct side sides[2];
static struct engine *engine;
static atomic_bool done;
static const uint8_t vip[4] = { 192, 0, 2, 1 }, port_mac[6] = { 2, 0, 0, 0, 0, 1 };

static struct addr server_address(int side, int i)
{
	return (struct addr){ .af = 4, .bytes = { 10, (uint8_t)(side + 1), 0, (uint8_t)(i + 1) } };
}

static void make_side(int side)
{
	struct side *s = &sides[side];

	s->port = (struct snapshot_port){ .ifindex = LOOPBACK, .mtu = 1500 };
	memcpy(s->port.mac, port_mac, 6);
	s->address = (struct snapshot_address){
		.id = (uint32_t)(1 + side), .af = 4, .ifindex = LOOPBACK
	};
	memcpy(s->address.bytes, vip, 4);
	s->service = (struct snapshot_service){
		.id = (uint32_t)(1 + side), .protocol = 6, .port = 80, .forward = L4_FORWARD_NAT
	};
	s->pool.n_members =
		(uint32_t)(SERVERS / (side + 1)); /* rings of 2,048 and of 1,024 slots */
	for (int i = 0; i < SERVERS; i++) {
		struct snapshot_member *m = &s->members[i];
		struct addr a = server_address(side, i);

		*m = (struct snapshot_member){ .id = (uint32_t)(1 + side * SERVERS + i),
			.af = 4,
			.port = (uint16_t)(1000 + side),
			.weight = 1,
			.hop_ifindex = LOOPBACK,
			.hop_af = 4 };
		memcpy(m->bytes, a.bytes, 16);
		memcpy(m->hop_bytes, a.bytes, 16);
	}
	s->prefix =
		(struct snapshot_prefix){ .af = 4, .bytes = { (uint8_t)(side << 7) }, .plen = 1 };
	s->list = (struct snapshot_list){ &s->prefix, 1, false, 1 + (uint64_t)side };
	s->in = (struct snapshot_input){ .ports = &s->port,
		.addresses = &s->address,
		.services = &s->service,
		.pools = &s->pool,
		.members = s->members,
		.lists = &s->list,
		.n_ports = 1,
		.n_addresses = 1,
		.n_services = 1,
		.n_pools = 1,
		.n_members = s->pool.n_members,
		.n_lists = 1 };
}

/* Which side the packet's traces are of; -1: a mixture. */
static int side_of(const uint8_t *frame, const struct l4_trace *t)
{
	int side = (int)t->service_id - 1;
	uint16_t port = (uint16_t)(frame[36] << 8 | frame[37]);

	/* Each side denies the sources with this bit. */
	if (t->verdict == L4_V_DENIED && t->vip_id == 1u + (frame[26] >> 7))
		return frame[26] >> 7;
	if (frame[26] >> 7 == side)
		return -1;
	if (t->verdict != L4_V_FORWARDED || side < 0 || side > 1 || t->vip_id != t->service_id ||
		frame[30] != 10 || frame[31] != side + 1 || port != 1000 + side ||
		t->server_id != (uint32_t)(side * SERVERS + frame[33]) || frame[4] != side + 1 ||
		frame[5] != frame[33])
		return -1;
	return side;
}

static void make_syn(uint8_t frame[54], uint32_t n)
{
	memset(frame, 0, 54);
	memcpy(frame, port_mac, 6);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[17] = 40;
	frame[22] = 64;
	frame[23] = 6;
	memcpy(frame + 26, &n, 4);
	memcpy(frame + 30, vip, 4);
	frame[34] = 0x30;
	frame[37] = 80;
	frame[46] = 0x50;
	frame[47] = 2;
}

struct tally {
	uint64_t sides[2], mixtures, errors;
};

static void *send_packets(void *arg)
{
	struct tally *tally = arg;

	for (uint32_t n = 1; !atomic_load(&done); n++) {
		uint8_t frame[54], out[54];
		size_t len = sizeof out;
		struct l4_trace t;
		int side;

		make_syn(frame, n);
		if (engine_run(engine, LOOPBACK, frame, sizeof frame, out, &len, &t)) {
			tally->errors++;
			continue;
		}
		side = side_of(out, &t);
		if (side < 0)
			tally->mixtures++;
		else
			tally->sides[side]++;
	}
	return NULL;
}

static void test_no_packet_sees_two_generations(void **state)
{
	struct tally tally = { 0 };
	pthread_t sender;
	struct err e;

	(void)state;
	assert_int_equal(pthread_create(&sender, NULL, send_packets, &tally), 0);
	for (int i = 0; i < PUBLISHES; i++)
		assert_int_equal(engine_publish(engine, &sides[i % 2].in, &e), 0);
	atomic_store(&done, true);
	pthread_join(sender, NULL);
	print_message("%lu + %lu packets over %d generations\n", tally.sides[0], tally.sides[1],
		PUBLISHES);
	assert_int_equal(tally.mixtures, 0);
	assert_int_equal(tally.errors, 0);
	assert_true(tally.sides[0] > PUBLISHES && tally.sides[1] > PUBLISHES);
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
		.guard_prefixes = 8,
		.records = 1024 };
	const struct host_link link = { .ifindex = LOOPBACK,
		.name = "lo",
		.mac = { 2, 0, 0, 0, 0, 1 },
		.mtu = 1500,
		.up = true };
	const struct host_link *links[] = { &link };
	struct engine_options o = { .limits = &limits, .dry = true, .links = links, .n_links = 1 };
	bool adopted;
	struct err e;

	(void)state;
	if (unshare(CLONE_NEWNET) || engine_open(&engine, NULL, &o, &adopted, &e))
		return -1;
	for (int side = 0; side < 2; side++) {
		make_side(side);
		for (int i = 0; i < SERVERS; i++) {
			struct host_neighbour n = { LOOPBACK, server_address(side, i),
				{ 2, 0, 0, 0, (uint8_t)(side + 1), (uint8_t)(i + 1) },
				HOST_NEIGHBOUR_USABLE };

			if (engine_neighbour(engine, &n, false, &e))
				return -1;
		}
	}
	return engine_publish(engine, &sides[1].in, &e);
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
		cmocka_unit_test(test_no_packet_sees_two_generations),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
