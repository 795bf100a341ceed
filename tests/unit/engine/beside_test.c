/* SPDX-License-Identifier: BSD-2-Clause */
/* The XDP engine opened beside the DPDK engine, set aside: what goes over from one to the other in either direction, and under which
 * number the host's interface is known. Needs root. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "dataplane/l4/verdict.h"
#include "tests/unit/engine/dpdk_bed.h"

enum { BELOW = 1 /* the device below the tap */, SERVER = 7, WORKER = 1 };

static const struct snapshot_port below = {
	.ifindex = BELOW, .mac = { 2, 0, 0, 0, 0, 1 }, .mtu = 1500, .device = BELOW
};

static struct engine *xdp;

static void open_beside(void)
{
	const struct host_link link = {
		.ifindex = BELOW, .name = "lan-nic", .mtu = 1500, .up = true
	};
	const struct host_link *links[] = { &link };
	const struct engine_alias alias = { BED_IFINDEX, "lan", below };
	const struct engine_options o = { .type = CONF_ENGINE_XDP,
		.limits = &bed.limits,
		.dry = true,
		.aside = true,
		.links = links,
		.n_links = 1,
		.aliases = &alias };
	bool adopted;
	struct err e;

	assert_int_equal(bed_open(NULL), 0);
	if (engine_open(&xdp, NULL, &o, &adopted, &e))
		fail_msg("%s", e.text);
}

static int teardown(void **state)
{
	engine_close(xdp);
	xdp = NULL;
	return bed_teardown(state);
}

/* As a worker does. */
static void count_in_dpdk(enum store_kind kind, uint32_t word, uint64_t n)
{
	uint64_t *words = store_block(&bed.store, kind, WORKER);

	words[word] += n;
}

static uint64_t verdicts(const struct engine *en, enum l4_verdict v)
{
	uint64_t counts[L4_V_COUNT];

	assert_int_equal(engine_verdict_counters(en, counts), 0);
	return counts[v];
}

static uint64_t packets(const struct engine *en, uint32_t server)
{
	struct engine_counter c;

	assert_int_equal(engine_server_counter(en, server, &c), 0);
	assert_int_equal(c.bytes, 100 * c.packets);
	return c.packets;
}

static void count_server(uint64_t n)
{
	count_in_dpdk(STORE_SERVERS, 2 * SERVER, n);
	count_in_dpdk(STORE_SERVERS, 2 * SERVER + 1, 100 * n);
}

/* The former engine's count until the end, and what the new one has counted meanwhile. */
static void counters_go_on_in_xdp(void **state)
{
	const uint64_t own[2] = { 4, 400 };
	struct engine_tally *t;

	(void)state;
	open_beside();
	count_server(10);
	count_in_dpdk(STORE_VERDICTS, L4_V_NO_SERVICE, 3);
	assert_int_equal(engine_tally_begin(&t, xdp, bed.engine, &bed.e), 0);
	assert_false(engine_tally_may_wait(t));
	assert_int_equal(packets(xdp, SERVER), 10);
	assert_int_equal(verdicts(xdp, L4_V_NO_SERVICE), 3);
	count_server(5);
	count_in_dpdk(STORE_VERDICTS, L4_V_NO_SERVICE, 1);
	engine_tally_end(t, true);
	assert_int_equal(xdp->body->add(xdp, ENGINE_SERVER_COUNTS, SERVER, own, 2), 0);
	assert_int_equal(packets(xdp, SERVER), 19);
	assert_int_equal(verdicts(xdp, L4_V_NO_SERVICE), 4);
}

static void counters_go_on_in_dpdk(void **state)
{
	const uint64_t first[2] = { 20, 2000 }, more[2] = { 2, 200 };
	struct engine_tally *t;

	(void)state;
	open_beside();
	count_server(900); /* of a time before: another object may have had the number */
	assert_int_equal(xdp->body->add(xdp, ENGINE_SERVER_COUNTS, SERVER, first, 2), 0);
	assert_int_equal(engine_tally_begin(&t, bed.engine, xdp, &bed.e), 0);
	assert_true(engine_tally_may_wait(t));
	assert_int_equal(packets(bed.engine, SERVER), 20);
	assert_int_equal(xdp->body->add(xdp, ENGINE_SERVER_COUNTS, SERVER, more, 2), 0);
	count_server(7);
	engine_tally_end(t, true);
	assert_int_equal(packets(bed.engine, SERVER), 29);
}

static bool has_record(struct engine *en, uint64_t hash, uint16_t server)
{
	struct engine_tables *t = &en->tables;
	struct l4_record_bucket *b = &t->records[hash >> (64 - __builtin_ctz(t->n_records))];
	struct l4_found found = l4_record_find(b, hash, 3);

	return found.at && l4_record_server(found.what) == server;
}

static void records_go_there_and_back(void **state)
{
	const uint64_t hash = 0xfedcba9876543210;
	struct l4_record *r;
	struct engine_carried c;

	(void)state;
	open_beside();
	assert_true(xdp->tables.n_records > bed.engine->tables.n_records);
	r = bed.engine->tables.records[hash >> (64 - __builtin_ctz(bed.engine->tables.n_records))]
		    .records;
	r->who = l4_record_who(hash, 1);
	r->what = l4_record_what(l4_record_mark(hash, 3), L4_RECORD_LIVE, false, 1, SERVER);
	bed.engine->tables.floods[2].begun = 5;
	engine_carry(xdp, bed.engine, &c);
	assert_int_equal(c.flows, 1);
	assert_true(has_record(xdp, hash, SERVER));
	assert_int_equal(xdp->tables.floods[2].begun, 5);
	r->what = 0;
	engine_carry(bed.engine, xdp, &c);
	assert_true(has_record(bed.engine, hash, SERVER));
	engine_carry(xdp, bed.engine, &c);
	r->what = 0;
	engine_carry(xdp, bed.engine, &c);
	assert_false(has_record(xdp, hash, SERVER));
}

/* The host says the tap's number, packets know the device's. */
static void interfaces_have_other_numbers_meanwhile(void **state)
{
	const struct snapshot_port tap = { .ifindex = BED_IFINDEX, .mtu = 1500 };
	const struct snapshot_input in = { .ports = &tap, .n_ports = 1 };
	struct l4_neighbour row = { 0 };
	const struct engine_port *ports;
	bool found = false;
	unsigned n;

	(void)state;
	open_beside();
	bed_route(0, 9, false);
	bed_neighbour(9, false);
	engine_inherit(xdp, bed.engine);
	ports = engine_ports(xdp, &n);
	assert_int_equal(n, 1);
	assert_string_equal(ports->device, "lan");
	assert_string_equal(ports->real, "lan");
	assert_int_equal(engine_publish(xdp, &in, &bed.e), 0);
	for (uint32_t i = 0; i < BED_NEIGHBOURS && !found; i++)
		found = engine_neighbour_row(xdp, i, &row) && row.usable;
	assert_true(found);
	assert_int_equal(row.ifindex, BELOW);
	assert_int_equal(engine_own_ifindex(xdp, BED_IFINDEX), BELOW);
	engine_end_aliases(xdp);
	assert_int_equal(engine_own_ifindex(xdp, BED_IFINDEX), BED_IFINDEX);
}

static uint32_t magic(void)
{
	struct l4_root root;
	struct l4_line lines[sizeof root / sizeof(struct l4_line)] = { 0 };

	for (uint32_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_true(engine_line(xdp, i, &lines[i]));
	memcpy(&root, lines, sizeof root);
	return root.magic;
}

/* Set aside, it has a generation that packets do not see until they are to. */
static void packets_pass_until_it_resumes(void **state)
{
	const struct snapshot_port tap = { .ifindex = BED_IFINDEX, .mtu = 1500 };
	const struct snapshot_input in = { .ports = &tap, .n_ports = 1 };

	(void)state;
	open_beside();
	assert_int_equal(engine_publish(xdp, &in, &bed.e), 0);
	assert_int_equal(magic(), 0);
	assert_int_equal(engine_resume(xdp, &bed.e), 0);
	assert_int_equal(magic(), L4_TABLES_MAGIC);
	assert_int_equal(engine_yield(xdp, &bed.e), 0);
	assert_int_equal(magic(), 0);
	assert_int_equal(engine_publish(xdp, &in, &bed.e), 0);
	assert_int_equal(magic(), 0);
	assert_int_equal(engine_resume(xdp, &bed.e), 0);
	assert_int_equal(magic(), L4_TABLES_MAGIC);
}

static void a_process_is_asked(void **state)
{
	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(engine_yield(bed.engine, &bed.e), 0);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_PAUSE), 1);
	assert_int_equal(engine_resume(bed.engine, &bed.e), 0);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_RESUME), 1);
	assert_int_equal(engine_take(CONF_ENGINE_DPDK, bed.dir, &bed.e), 0);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_TAKE), 1);
	assert_int_equal(engine_give(CONF_ENGINE_DPDK, bed.dir, &bed.e), 0);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_GIVE), 1);
}

static void one_that_stands_by_has_nothing(void **state)
{
	char dir[80];

	(void)state;
	assert_true(engine_holds(CONF_ENGINE_DPDK, bed.dir));
	assert_false(engine_holds(CONF_ENGINE_XDP, bed.dir));
	bed.fake.hello.n_ports = 0;
	assert_false(engine_holds(CONF_ENGINE_DPDK, bed.dir));
	assert_int_equal(engine_detach(bed.dir, &bed.e), 0);
	snprintf(dir, sizeof dir, "%s/" PROTOCOL_DIR, bed.dir);
	assert_true(store_is(&bed.store, dir));
	bed.fake.hello.n_ports = 2;
	assert_int_equal(engine_detach(bed.dir, &bed.e), -EBUSY);
}

static void one_that_is_too_small_is_not_ready(void **state)
{
	const struct engine_options o = {
		.type = CONF_ENGINE_DPDK, .run_dir = bed.dir, .limits = &bed.limits
	};
	int rc;

	(void)state;
	assert_int_equal(engine_ready(&o, &bed.e), 0);
	bed.limits.servers = 17;
	assert_int_equal(engine_ready(&o, &bed.e), -ENOSPC);
	bed.limits.servers = 16;
	fake_stop(&bed.fake);
	rc = engine_ready(&o, &bed.e);
	fake_start(&bed.fake, bed.dir);
	assert_true(rc == -ENOENT || rc == -ECONNREFUSED);
	assert_non_null(strstr(bed.e.text, "start tandem-dpdk first"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counters_go_on_in_xdp),
		TEST(counters_go_on_in_dpdk),
		TEST(records_go_there_and_back),
		TEST(interfaces_have_other_numbers_meanwhile),
		TEST(packets_pass_until_it_resumes),
		TEST(a_process_is_asked),
		TEST(one_that_stands_by_has_nothing),
		TEST(one_that_is_too_small_is_not_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
