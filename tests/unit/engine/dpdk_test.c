/* SPDX-License-Identifier: BSD-2-Clause */
/* What the DPDK engine's body sends, and takes over. */
#include "tests/unit/engine/dpdk_bed.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "dataplane/dpdk/neighbour_index.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/snapshot/maglev.h"

static struct fake_asked asked(uint32_t kind, unsigned i)
{
	struct fake_asked a = { 0 };

	assert_true(fake_asked(&bed.fake, kind, i, &a));
	return a;
}

static void test_the_first_generation_is_whole(void **state)
{
	struct fake_asked a;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_false(bed.adopted);
	assert_int_equal(engine_generation(bed.engine), 0);
	assert_int_equal(bed_publish(1, 1, 4), 0);
	assert_int_equal(engine_generation(bed.engine), 1);
	a = asked(PROTOCOL_GENERATION, 0);
	assert_int_equal(a.after, 0);
	assert_int_equal(a.generation, 1);
	assert_int_equal(a.bank, 0);
	assert_int_equal(a.n_rings, 1);
	assert_true(a.n_guard > 0);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 1);
}

/* Then only what is new. */
static void test_the_next_one_is_not(void **state)
{
	struct fake_asked first, a;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(2, 1, 4), 0);
	assert_int_equal(bed_publish(3, 1, 4), 0);
	first = asked(PROTOCOL_GENERATION, 0);
	assert_int_equal(first.n_rings, 2);
	a = asked(PROTOCOL_GENERATION, 1);
	assert_int_equal(a.after, 1);
	assert_int_equal(a.generation, 2);
	assert_int_equal(a.bank, 0);
	assert_int_equal(a.n_rings, 1);
	assert_int_equal(a.n_guard, 0);
	assert_int_equal(bed_publish(3, 1, 5), 0);
	a = asked(PROTOCOL_GENERATION, 2);
	assert_int_equal(a.after, 2);
	assert_int_equal(a.n_rings, 0);
	assert_true(a.n_guard > 0 && a.guard_first != first.guard_first);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 1);
}

/* An engine that has another one is given all, live lists included. */
static void test_stale(void **state)
{
	struct fake_asked first, a;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	bed_route(1, 254, false);
	assert_int_equal(bed_publish(2, 1, 4), 0);
	fake_clear(&bed.fake);
	bed.fake.hello.generation = 77;
	assert_int_equal(bed_publish(3, 1, 4), 0);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_GENERATION), 2);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_HELLO), 1);
	first = asked(PROTOCOL_GENERATION, 0);
	assert_int_equal(first.after, 1);
	a = asked(PROTOCOL_GENERATION, 1);
	assert_int_equal(a.after, 0);
	assert_int_equal(a.generation, 2);
	assert_int_equal(a.n_rings, 3);
	assert_true(a.n_guard > 0);
	a = asked(PROTOCOL_ROUTES, 0);
	assert_int_equal(a.n_routes, 1);
	assert_int_equal(bed_state(), ENGINE_SERVING);
	assert_int_equal(bed_publish(3, 2, 4), 0);
	a = asked(PROTOCOL_GENERATION, 2);
	assert_int_equal(a.after, 2);
}

/* What the engine refuses is not published, and said in its words; the rings are sent again. */
static void test_refused(void **state)
{
	struct fake_asked a;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	bed.fake.refusal = -ENOSPC;
	fake_set_fault(&bed.fake, FAKE_REFUSES, PROTOCOL_GENERATION, 1);
	assert_int_equal(bed_publish(2, 1, 0), -ENOSPC);
	assert_non_null(strstr(bed.e.text, "it does not like it"));
	assert_int_equal(engine_generation(bed.engine), 1);
	fake_clear(&bed.fake);
	assert_int_equal(bed_publish(2, 1, 0), 0);
	a = asked(PROTOCOL_GENERATION, 0);
	assert_int_equal(a.after, 1);
	assert_int_equal(a.n_rings, 1);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_HELLO), 0);
}

/* Each control plane numbers neighbours anew, in the bank that packets do not use. */
static void test_banks_take_turns(void **state)
{
	struct l4_neighbour *rows = store_block(&bed.store, STORE_NEIGHBOURS, 1);
	struct l4_neighbour n;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	bed_neighbour(1, false);
	assert_int_not_equal(bed_find(0, 1), L4_NO_NEIGHBOUR);
	bed_close();
	memset(rows, 0xff, BED_NEIGHBOURS * sizeof *rows);
	memset(store_block(&bed.store, STORE_CELLS, 1), 5, bed.store.tables[STORE_CELLS].stride);
	fake_clear(&bed.fake);
	assert_int_equal(bed_open(NULL), 0);
	assert_true(bed.adopted);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(asked(PROTOCOL_GENERATION, 0).bank, 1);
	assert_int_equal(asked(PROTOCOL_GENERATION, 0).after, 0);
	assert_int_equal(asked(PROTOCOL_GENERATION, 0).generation, 2);
	assert_int_equal(asked(PROTOCOL_ROUTES, 0).bank, 1);
	assert_int_not_equal(bed_find(1, 1), L4_NO_NEIGHBOUR); /* inherited */
	assert_true(engine_neighbour_row(bed.engine, bed_find(1, 1), &n));
	assert_int_equal(n.mac[5], 1);
	assert_int_equal(n.usable, 1);
	bed_close();
	fake_clear(&bed.fake);
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(asked(PROTOCOL_GENERATION, 0).bank, 0);
}

static void test_neighbours_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	for (uint8_t round = 0; round < 4; round++) {
		for (uint8_t i = 100; i < 150; i++)
			bed_neighbour(i, false);
		for (uint8_t i = 100; i < 150; i++)
			assert_int_not_equal(bed_find(0, i), L4_NO_NEIGHBOUR);
		for (uint8_t i = 100; i < 150; i += 2)
			bed_neighbour(i, true);
		for (uint8_t i = 100; i < 150; i++)
			assert_int_equal(bed_find(0, i) == L4_NO_NEIGHBOUR, i % 2 == 0);
	}
}

struct slots {
	unsigned pools, owned;
};

static int add_slots(void *arg, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since)
{
	struct slots *s = arg;

	(void)pool;
	(void)base;
	(void)since;
	s->pools++;
	for (uint32_t i = 0; i < n; i++)
		s->owned += owner[i] == 2 * s->pools || owner[i] == 2 * s->pools - 1u;
	return 0;
}

static void test_slots_of_the_past(void **state)
{
	struct slots s = { 0 };

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(engine_past_slots(bed.engine, add_slots, &s), 0);
	assert_int_equal(s.pools, 0);
	assert_int_equal(bed_publish(1, 1, 4), 0);
	assert_int_equal(bed_publish(2, 1, 4), 0); /* its first ring came before */
	bed_close();
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(engine_past_slots(bed.engine, add_slots, &s), 0);
	assert_int_equal(s.pools, 2);
	assert_true(s.owned > 0 && s.owned % 256 == 0);
}

enum { SLOTS = MAGLEV_MIN_SLOTS };

/* What was kept of a pool of so many slots, of which the last is tracked. */
struct kept {
	unsigned pools;
	uint16_t pool, owner, base, since, settled;
	int rc;
};

static int take_kept(void *arg, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since)
{
	struct kept *k = arg;

	assert_int_equal(n, SLOTS);
	k->pools++;
	k->pool = pool;
	k->owner = owner[n - 1];
	k->base = base[n - 1];
	k->since = since[n - 1];
	k->settled = base[0];
	return k->rc;
}

/* Publishes two pools, of which the first has its last slot tracked, or none. */
static void publish_tracked(bool tracked)
{
	static uint16_t owner[SLOTS], base[SLOTS], since[SLOTS];
	static uint64_t version;
	const struct snapshot_slots slots = { SLOTS, tracked, owner, base, since, ++version };

	for (unsigned i = 0; i < SLOTS; i++) {
		owner[i] = 1;
		base[i] = SNAPSHOT_SETTLED;
	}
	if (tracked) {
		base[SLOTS - 1] = 2;
		since[SLOTS - 1] = 4711;
	}
	bed.slots = &slots;
	assert_int_equal(bed_publish(2, 1, 4), 0);
	bed.slots = NULL;
}

/* Both processes have ended: the next engine has nothing, and a control plane comes to it. */
static void both_begin_anew(void)
{
	bed_close();
	fake_stop(&bed.fake);
	bed.fake.hello.generation = 0;
	fake_start(&bed.fake, bed.dir);
	assert_int_equal(bed_open(NULL), 0);
	assert_false(bed.adopted);
}

static void test_tracked_slots_outlive_both(void **state)
{
	struct kept k = { 0 };

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	publish_tracked(true);
	both_begin_anew();
	assert_int_equal(engine_past_slots(bed.engine, take_kept, &k), 0);
	assert_int_equal(k.pools, 1);
	assert_int_equal(k.pool, 1);
	assert_int_equal(k.owner, 1);
	assert_int_equal(k.base, 2);
	assert_int_equal(k.since, 4711);
	assert_int_equal(k.settled, SNAPSHOT_SETTLED);
	k.rc = -ENOMEM;
	assert_int_equal(engine_past_slots(bed.engine, take_kept, &k), -ENOMEM);
	publish_tracked(false);
	both_begin_anew();
	k.pools = 0;
	assert_int_equal(engine_past_slots(bed.engine, take_kept, &k), 0);
	assert_int_equal(k.pools, 0);
}

/* They are there before packets go by them. */
static void test_slots_are_kept_first(void **state)
{
	const uint16_t owner[SLOTS] = { 1 }, base[SLOTS] = { 2 }, since[SLOTS] = { 0 };
	const struct snapshot_slots slots = { SLOTS, SLOTS, owner, base, since, 99 };
	struct kept k = { 0 };

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	publish_tracked(false);
	bed.fake.refusal = -ENOSPC;
	fake_set_fault(&bed.fake, FAKE_REFUSES, PROTOCOL_GENERATION, 1);
	bed.slots = &slots;
	assert_int_equal(bed_publish(2, 1, 4), -ENOSPC);
	bed.slots = NULL;
	both_begin_anew();
	assert_int_equal(engine_past_slots(bed.engine, take_kept, &k), 0);
	assert_int_equal(k.pools, 1);
	assert_int_equal(k.settled, 2);
}

static void test_kept_slots_that_cannot_be_read(void **state)
{
	struct kept k = { 0 };
	char path[80];
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s/" PROTOCOL_DIR "/slots", bed.dir);
	assert_int_equal(bed_open(NULL), 0);
	publish_tracked(true);
	both_begin_anew();
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(engine_past_slots(bed.engine, take_kept, &k), -EINVAL);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("of another version, or of nobody", f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(engine_past_slots(bed.engine, take_kept, &k), -EINVAL);
	assert_int_equal(k.pools, 0);
}

/* Whether this process maps a file of that name. */
static bool maps_file(const char *name)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	bool found = false;

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		found |= strstr(line, name) != NULL;
	fclose(f);
	return found;
}

/* The memory of the past is given back once packets go by what is new. */
static void test_the_past_is_let_go(void **state)
{
	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(1, 1, 4), 0);
	bed_close();
	assert_int_equal(bed_open(NULL), 0);
	assert_true(maps_file("memfd:tandem-generation"));
	assert_int_equal(bed_publish(1, 1, 4), 0);
	assert_false(maps_file("memfd:tandem-generation"));
}

/* Files that are not what they should be are left alone; packets go on. */
static void test_a_past_that_cannot_be_read(void **state)
{
	struct slots s = { 0 };

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(1, 1, 4), 0);
	bed_close();
	bed.fake.hello.generation++;
	assert_int_equal(bed_open(NULL), 0);
	assert_true(bed.adopted);
	assert_int_equal(engine_past_slots(bed.engine, add_slots, &s), 0);
	assert_int_equal(s.pools, 0);
	bed_close();
	bed.fake.hello.generation--;
	bed.fake.hello.chunks++; /* more than the file of rings has */
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(engine_past_slots(bed.engine, add_slots, &s), 0);
	assert_int_equal(s.pools, 0);
	bed.fake.hello.chunks--;
}

static uint64_t *words(enum store_kind kind, uint32_t worker, uint32_t row)
{
	uint8_t *block = store_block(&bed.store, kind, worker + 1);

	return (uint64_t *)(block + (size_t)row * bed.store.tables[kind].row_size);
}

static void test_counters(void **state)
{
	uint64_t verdicts[L4_V_COUNT], places[L4_PLACE_COUNT], drops[L4_V_COUNT], cookies;
	struct engine_counter c;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	for (uint32_t w = 0; w < 2; w++) {
		for (unsigned i = 0; i < L4_V_COUNT; i++) {
			words(STORE_VERDICTS, w, 0)[i] = 100 + i;
			words(STORE_VIP_DROPS, w, 2)[i] = 1000 + i;
			words(STORE_SERVICE_DROPS, w, 3)[i] = 2000 + i;
		}
		for (unsigned i = 0; i < L4_PLACE_COUNT; i++)
			words(STORE_PLACES, w, 0)[i] = 10 + i;
		words(STORE_SERVICES, w, 4)[0] = 5;
		words(STORE_SERVICES, w, 4)[1] = 500;
		words(STORE_SERVERS, w, 5)[1] = 7;
	}
	assert_int_equal(engine_verdict_counters(bed.engine, verdicts), 0);
	assert_int_equal(engine_record_counters(bed.engine, places), 0);
	for (unsigned i = 0; i < L4_V_COUNT; i++)
		assert_int_equal(verdicts[i], 2 * (100 + i));
	for (unsigned i = 0; i < L4_PLACE_COUNT; i++)
		assert_int_equal(places[i], 2 * (10 + i));
	assert_int_equal(engine_vip_drops(bed.engine, 2, drops), 0);
	assert_int_equal(drops[L4_V_COUNT - 1], 2 * (1000 + L4_V_COUNT - 1));
	assert_int_equal(engine_service_cookies(bed.engine, 3, &cookies), 0);
	assert_int_equal(cookies, 2 * (2000 + L4_V_SYN_COOKIE));
	assert_int_equal(engine_server_counter(bed.engine, 5, &c), 0);
	assert_int_equal(c.bytes, 14);
	assert_int_equal(engine_service_counter(bed.engine, 4, &c), 0);
	assert_true(c.packets == 10 && c.bytes == 1000);
	assert_int_equal(engine_counter_reset(bed.engine, ENGINE_SERVICE, 4), 0);
	assert_int_equal(engine_service_counter(bed.engine, 4, &c), 0);
	assert_true(c.packets == 0 && c.bytes == 0);
	words(STORE_SERVICES, 1, 4)[0]++;
	assert_int_equal(engine_service_counter(bed.engine, 4, &c), 0);
	assert_int_equal(c.packets, 1);
	assert_int_equal(engine_counter_reset(bed.engine, ENGINE_VIP, 2), 0);
	assert_int_equal(engine_vip_drops(bed.engine, 2, drops), 0);
	assert_int_equal(drops[L4_V_COUNT - 1], 0);
	assert_int_equal(engine_vip_drops(bed.engine, 9, drops), -ENOENT);
	assert_int_equal(engine_service_counter(bed.engine, UINT32_MAX, &c), -ENOENT);
	assert_true(c.packets == 0 && c.bytes == 0);
}

static void test_trace(void **state)
{
	uint8_t frame[ENGINE_FRAME_MAX], out[ENGINE_FRAME_MAX];
	static struct l4_way way;
	size_t len = sizeof out;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	for (size_t i = 0; i < sizeof frame; i++)
		frame[i] = (uint8_t)(i * 7);
	bed.fake.traced.way.end.verdict = L4_V_FORWARDED;
	bed.fake.traced.way.n = 3;
	assert_int_equal(
		engine_trace(bed.engine, BED_IFINDEX, frame, sizeof frame, out, &len, &way, &bed.e),
		0);
	assert_int_equal(len, sizeof frame);
	assert_memory_equal(out, frame, len);
	assert_int_equal(way.n, 3);
	len = 60; /* it does not fit */
	assert_int_equal(engine_trace(bed.engine, BED_IFINDEX, frame, 61, out, &len, &way, &bed.e),
		-EMSGSIZE);
	len = sizeof out;
	bed.fake.traced.way.end.verdict = L4_V_COUNT;
	assert_int_equal(
		engine_trace(bed.engine, BED_IFINDEX, frame, 61, out, &len, &way, &bed.e), -EPROTO);
}

static void test_lines(void **state)
{
	struct l4_root root;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_false(engine_line(bed.engine, 0, &root));
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_true(engine_line(bed.engine, 0, &root));
	assert_int_equal(root.generation, 1);
	assert_false(engine_line(bed.engine, root.lines, &root));
}

static void test_drivers_are_modes(void **state)
{
	const struct engine_port *ports;
	unsigned n;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	ports = engine_ports(bed.engine, &n);
	assert_int_equal(n, 1);
	assert_string_equal(ports[0].mode, "net_af_packet");
}

static void test_detach(void **state)
{
	char dir[80];

	(void)state;
	assert_int_equal(engine_detach(bed.dir, &bed.e), -EBUSY);
	assert_non_null(strstr(bed.e.text, "stop it first"));
	fake_stop(&bed.fake);
	assert_int_equal(engine_detach(bed.dir, &bed.e), 0);
	snprintf(dir, sizeof dir, "%s/" PROTOCOL_DIR, bed.dir);
	assert_int_equal(rmdir(dir), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(engine_detach(bed.dir, &bed.e), 0);
	bed_new_dir();
	fake_start(&bed.fake, bed.dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_first_generation_is_whole),
		TEST(test_the_next_one_is_not),
		TEST(test_stale),
		TEST(test_refused),
		TEST(test_banks_take_turns),
		TEST(test_neighbours_come_and_go),
		TEST(test_slots_of_the_past),
		TEST(test_tracked_slots_outlive_both),
		TEST(test_slots_are_kept_first),
		TEST(test_kept_slots_that_cannot_be_read),
		TEST(test_the_past_is_let_go),
		TEST(test_a_past_that_cannot_be_read),
		TEST(test_counters),
		TEST(test_trace),
		TEST(test_lines),
		TEST(test_drivers_are_modes),
		TEST(test_detach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
