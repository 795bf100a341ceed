/* SPDX-License-Identifier: BSD-2-Clause */
/* Two workers of the DPDK engine, and what one packet by itself does not come to: workers_test WORLD. */
#include "tests/unit/test.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/wire.h"
#include "tests/packets/rig.h"
#include "tests/packets/wire.h"
#include "tests/packets/world.h"

enum { WORKERS = 2, FLOWS = 200, TRACKED = 8030, SETTLED = 80, COOKIES = 8050 };

struct bed {
	struct world_file *world;
	struct rig rig;
	struct wire front[WORKERS], back[WORKERS];
};

static const char *world_path;

static struct worker *worker(struct bed *b, unsigned number)
{
	return b->rig.core.workers[number];
}

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof *b);
	struct err e;

	*state = b;
	assert_non_null(b);
	assert_int_equal(world_open(&b->world, world_path, &e), 0);
	assert_int_equal(rig_open(&b->rig, &b->world->world, WORKERS, &e), 0);
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(wire_add(&b->front[i], worker(b, i),
					 world_device(b->world, "front"), b->rig.frames),
			0);
		assert_int_equal(wire_add(&b->back[i], worker(b, i), world_device(b->world, "back"),
					 b->rig.frames),
			0);
	}
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	for (unsigned i = 0; i < WORKERS; i++) {
		wire_remove(&b->front[i]);
		wire_remove(&b->back[i]);
	}
	rig_close(&b->rig);
	world_close(b->world);
	free(b);
	return 0;
}

struct packet {
	struct l4_eth eth;
	struct l4_ip4 ip;
	struct l4_tcp tcp;
} __attribute__((packed));

/* A segment of a client of this number to the service on the port; nobody looks at checksums here. */
static struct packet packet_of(unsigned client, unsigned port)
{
	struct packet p = {
		.eth = { { 2, 0, 0, 0, 0x0f, 1 }, { 2, 0, 0, 0, 0x0f, 0xfe }, L4_BE16(L4_ETH_IP4) },
		.ip = { .version_ihl = 0x45, .ttl = 64, .protocol = L4_PROTO_TCP },
		.tcp = { .offset = 0x50, .flags = L4_TCP_ACK },
	};

	p.ip.total_len = htons(sizeof p.ip + sizeof p.tcp);
	p.ip.src = inet_addr("203.0.113.7");
	p.ip.dst = inet_addr("192.0.2.10");
	p.tcp.sport = htons((uint16_t)(1024 + client));
	p.tcp.dport = htons((uint16_t)port);
	return p;
}

static void come(struct bed *b, unsigned at, unsigned client, unsigned port)
{
	struct packet p = packet_of(client, port);
	struct rte_mbuf *m = wire_frame(b->rig.frames, &p, sizeof p);

	assert_non_null(m);
	assert_int_equal(rte_ring_enqueue(b->front[at].in, m), 0);
}

static void poll_one(struct bed *b, unsigned number)
{
	rig_online(&b->rig, number, true);
	worker_poll(worker(b, number));
	rig_online(&b->rig, number, false);
}

static unsigned take_all(struct rte_ring *ring)
{
	unsigned n = 0;
	void *m;

	for (; !rte_ring_dequeue(ring, &m); n++)
		rte_pktmbuf_free(m);
	return n;
}

static void take_what_left(struct bed *b)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		take_all(b->front[i].out);
		take_all(b->back[i].out);
	}
}

static uint64_t counted(struct bed *b, unsigned number, enum l4_verdict v)
{
	return worker(b, number)->verdicts[v];
}

/* Which worker forwards a packet that comes to another, or to itself. */
static unsigned forwarder(struct bed *b, unsigned at, unsigned client, unsigned port)
{
	uint64_t was[WORKERS];
	unsigned by = WORKERS;

	for (unsigned i = 0; i < WORKERS; i++)
		was[i] = counted(b, i, L4_V_FORWARDED);
	come(b, at, client, port);
	poll_one(b, at);
	poll_one(b, !at);
	for (unsigned i = 0; i < WORKERS; i++) {
		if (counted(b, i, L4_V_FORWARDED) == was[i])
			continue;
		assert_int_equal(counted(b, i, L4_V_FORWARDED), was[i] + 1);
		assert_int_equal(by, WORKERS); /* once */
		by = i;
	}
	take_what_left(b);
	return by;
}

static unsigned records(struct bed *b)
{
	const struct l4_record_bucket *buckets = store_block(&b->rig.core.store, STORE_RECORDS, 0);
	uint32_t n = b->rig.core.store.tables[STORE_RECORDS].rows;
	unsigned live = 0;

	for (uint32_t i = 0; i < n; i++)
		for (unsigned k = 0; k < L4_BUCKET_RECORDS; k++)
			live += buckets[i].records[k].what != 0;
	return live;
}

static void test_a_record_has_one_worker(void **state)
{
	struct bed *b = *state;
	unsigned of[WORKERS] = { 0 }, evicted = 0;

	for (unsigned client = 0; client < FLOWS; client++) {
		unsigned keeper = forwarder(b, 0, client, TRACKED);

		assert_in_range(keeper, 0, WORKERS - 1);
		assert_int_equal(forwarder(b, 1, client, TRACKED), keeper);
		of[keeper]++;
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_in_range(of[i], FLOWS / 4, FLOWS);
		for (unsigned k = L4_PLACE_VOID; k < L4_PLACE_COUNT; k++)
			evicted += (unsigned)worker(b, i)->own.places[k];
	}
	assert_int_equal(records(b) + evicted, FLOWS);
}

static void test_settled_flows_stay_where_they_come(void **state)
{
	struct bed *b = *state;

	for (unsigned client = 0; client < FLOWS; client++) {
		assert_int_equal(forwarder(b, 0, client, SETTLED), 0);
		assert_int_equal(forwarder(b, 1, client, SETTLED), 1);
	}
	assert_int_equal(records(b), 0);
}

/* Frames are dropped by name, and none is lost, where the other worker does not turn. */
static void test_a_worker_that_does_not_turn(void **state)
{
	struct bed *b = *state;
	unsigned room = rte_ring_get_capacity(b->rig.core.common.handed_over[1]), client = 0;
	unsigned before = rte_mempool_avail_count(b->rig.frames), handed = 0;

	while (forwarder(b, 0, client, TRACKED) != 1)
		client++;
	for (unsigned i = 0; i < room + 10; i++) {
		come(b, 0, client, TRACKED);
		poll_one(b, 0);
	}
	assert_int_equal(counted(b, 0, L4_V_WORKER_BUSY), 10);
	while (handed < room) {
		uint64_t was = counted(b, 1, L4_V_FORWARDED);

		poll_one(b, 1);
		handed += (unsigned)(counted(b, 1, L4_V_FORWARDED) - was);
		take_what_left(b);
	}
	assert_int_equal(handed, room);
	assert_int_equal(rte_mempool_avail_count(b->rig.frames), before);
}

static void test_a_link_that_does_not_send(void **state)
{
	struct bed *b = *state;
	unsigned before = rte_mempool_avail_count(b->rig.frames);

	for (unsigned i = 0; i < WIRE_FRAMES + 10; i++) {
		come(b, 0, i, SETTLED);
		poll_one(b, 0);
	}
	assert_int_equal(counted(b, 0, L4_V_FORWARDED), WIRE_FRAMES + 10);
	assert_int_equal(counted(b, 0, L4_V_LINK_BUSY), 10);
	assert_int_equal(take_all(b->back[0].out), WIRE_FRAMES);
	assert_int_equal(rte_mempool_avail_count(b->rig.frames), before);
}

static void test_a_host_that_does_not_take(void **state)
{
	struct bed *b = *state;
	unsigned before = rte_mempool_avail_count(b->rig.frames);

	for (unsigned i = 0; i < WIRE_FRAMES + 10; i++) {
		struct packet p = packet_of(i, SETTLED);
		struct rte_mbuf *m;

		p.ip.dst = inet_addr("192.0.2.99"); /* nobody's */
		m = wire_frame(b->rig.frames, &p, sizeof p);
		assert_non_null(m);
		assert_int_equal(rte_ring_enqueue(b->front[0].in, m), 0);
		poll_one(b, 0);
	}
	assert_int_equal(counted(b, 0, L4_V_HOST_BUSY), 10);
	assert_int_equal(take_all(b->front[0].host), WIRE_FRAMES);
	assert_int_equal(rte_mempool_avail_count(b->rig.frames), before);
}

/* Ids are indexes and one (body.h). */
static uint32_t service_id(const struct bed *b, const char *name)
{
	const struct conf *c = b->world->conf;
	uint32_t i = 0;

	while (i < c->n_services && strcmp(c->services[i].name, name) != 0)
		i++;
	assert_true(i < c->n_services);
	return i + 1;
}

/* SYNs that are answered with cookies are counted for their service, and are no drops of it. */
static void test_cookies_are_counted(void **state)
{
	struct bed *b = *state;
	uint64_t cookies, drops[L4_V_COUNT];

	for (unsigned i = 0; i < 5; i++) {
		struct packet p = packet_of(i, COOKIES);
		struct rte_mbuf *m;

		p.tcp.flags = L4_TCP_SYN;
		m = wire_frame(b->rig.frames, &p, sizeof p);
		assert_non_null(m);
		assert_int_equal(rte_ring_enqueue(b->front[i % WORKERS].in, m), 0);
		poll_one(b, i % WORKERS);
	}
	assert_int_equal(engine_service_cookies(b->rig.engine, service_id(b, "syn"), &cookies), 0);
	assert_int_equal(cookies, 5);
	assert_int_equal(engine_service_drops(b->rig.engine, service_id(b, "syn"), drops), 0);
	for (unsigned v = 0; v < L4_V_COUNT; v++)
		assert_int_equal(drops[v], 0);
	take_what_left(b);
}

/* What the host sends leaves by the port of its tap, as it is. */
static void test_the_host_sends(void **state)
{
	struct bed *b = *state;
	struct rte_ring *from = rte_ring_create("from-host", 64, SOCKET_ID_ANY, 0);
	struct packet p = packet_of(1, 22);
	struct rte_mbuf *m = wire_frame(b->rig.frames, &p, sizeof p), *got = NULL;

	assert_non_null(from);
	worker(b, 0)->ports[0].from_host = from;
	assert_int_equal(rte_ring_enqueue(from, m), 0);
	poll_one(b, 0);
	assert_int_equal(rte_ring_dequeue(b->front[0].out, (void **)&got), 0);
	assert_ptr_equal(got, m);
	assert_memory_equal(rte_pktmbuf_mtod(got, void *), &p, sizeof p);
	rte_pktmbuf_free(got);
	worker(b, 0)->ports[0].from_host = NULL;
	rte_ring_free(from);
}

static void test_a_capture(void **state)
{
	const struct l4_capture_filter filter = { .vip_id = 1 }, other = { .vip_id = 2 };
	struct bed *b = *state;
	struct packet p = packet_of(3, SETTLED);
	struct l4_captured in = { 0 }, out = { 0 };
	struct core *c = &b->rig.core;
	struct rte_mbuf *left = NULL;

	rig_serve_no_more(&b->rig);
	assert_int_equal(core_capture(c, &filter), 0);
	assert_int_equal(core_capture(c, &other), -EBUSY);
	come(b, 0, 3, SETTLED);
	poll_one(b, 0);
	assert_int_equal(rte_ring_dequeue_elem(c->capture.legs, &in, sizeof in), 0);
	assert_int_equal(rte_ring_dequeue_elem(c->capture.legs, &out, sizeof out), 0);
	assert_int_equal(rte_ring_count(c->capture.legs), 0);
	assert_int_equal(in.leg, L4_LEG_IN);
	assert_int_equal(in.end.verdict, L4_V_FORWARDED);
	assert_int_equal(in.ifindex, b->front[0].ifindex);
	assert_int_equal(in.captured, sizeof p);
	assert_memory_equal(in.bytes, &p, sizeof p);
	assert_int_equal(out.leg, L4_LEG_OUT);
	assert_int_equal(out.ifindex, b->back[0].ifindex);
	assert_int_equal(out.time_ns, in.time_ns);
	assert_int_equal(rte_ring_dequeue(b->back[0].out, (void **)&left), 0);
	assert_int_equal(out.captured, left->data_len);
	assert_memory_equal(out.bytes, rte_pktmbuf_mtod(left, void *), left->data_len);
	rte_pktmbuf_free(left);
	core_capture_end(c);
	assert_int_equal(core_capture(c, &other), 0);
	come(b, 0, 3, SETTLED);
	poll_one(b, 0);
	assert_int_equal(rte_ring_count(c->capture.legs), 0);
	core_capture_end(c);
	take_what_left(b);
}

/* Nobody waits for a worker for ever: a generation is freed once each has turned, or sleeps. */
static void test_a_worker_holds_a_generation(void **state)
{
	struct bed *b = *state;
	struct rte_rcu_qsbr *grace = b->rig.core.common.grace;
	uint64_t token;

	rig_online(&b->rig, 0, true);
	token = rte_rcu_qsbr_start(grace);
	assert_int_equal(rte_rcu_qsbr_check(grace, token, false), 0);
	worker_poll(worker(b, 0));
	assert_int_equal(rte_rcu_qsbr_check(grace, token, false), 1);
	token = rte_rcu_qsbr_start(grace);
	assert_int_equal(rte_rcu_qsbr_check(grace, token, false), 0);
	rig_online(&b->rig, 0, false);
	assert_int_equal(rte_rcu_qsbr_check(grace, token, false), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_record_has_one_worker),
		TEST(test_settled_flows_stay_where_they_come),
		TEST(test_a_worker_that_does_not_turn),
		TEST(test_a_link_that_does_not_send),
		TEST(test_a_host_that_does_not_take),
		TEST(test_cookies_are_counted),
		TEST(test_the_host_sends),
		TEST(test_a_capture),
		TEST(test_a_worker_holds_a_generation),
	};

	if (argc != 2)
		return 2;
	world_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
