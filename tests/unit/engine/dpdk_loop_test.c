/* SPDX-License-Identifier: BSD-2-Clause */
/* What the DPDK engine's body does by itself, from the loop: it hears, sends routes, and looks for an engine that is gone. */
#include "tests/unit/engine/dpdk_bed.h"
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <time.h>

static bool is_gone(void)
{
	return bed_state() == ENGINE_GONE;
}

static bool is_serving(void)
{
	return bed_state() == ENGINE_SERVING;
}

static bool is_other(void)
{
	return bed_state() == ENGINE_OTHER;
}

static bool has_routes(void)
{
	return fake_count(&bed.fake, PROTOCOL_ROUTES);
}

static uint32_t routes_of(unsigned i)
{
	struct fake_asked a = { 0 };

	assert_true(fake_asked(&bed.fake, PROTOCOL_ROUTES, i, &a));
	return a.n_routes;
}

static void test_routes_without_a_loop(void **state)
{
	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	bed_route(1, 254, false);
	assert_int_equal(routes_of(0), 1);
	bed_route(2, 253, false);
	assert_int_equal(routes_of(1), 2);
	bed_route(2, 253, true);
	assert_int_equal(routes_of(2), 1);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 3);
}

/* Before the first generation nobody goes by them; then they are sent soon, many at once. */
static void test_routes_with_a_loop(void **state)
{
	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	bed_route(1, 254, false);
	bed_loop_ms(60);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(routes_of(0), 1);
	fake_clear(&bed.fake);
	for (uint8_t i = 1; i < 20; i++)
		bed_route(i, (uint8_t)(254 - i), false);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 0);
	assert_true(bed_loop_until(has_routes));
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 1);
	assert_int_equal(routes_of(0), 19);
	bed_loop_ms(60);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 1);
	bed_route(1, 9, false);
	assert_int_equal(bed_publish(1, 2, 0), 0); /* or before, with a generation */
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 2);
	bed_loop_ms(60);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_ROUTES), 2);
}

static void add_many_routes(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct host_route r = {
			{ .af = 4, .bytes = { (uint8_t)(11 + (i >> 16)), i >> 8 & 255, i & 255 } },
			.plen = 24, .kind = HOST_ROUTE_UNICAST, .ifindex = BED_IFINDEX,
			.gateway = { .af = 4, .bytes = { 10, 0, 0, 254 - i % 2 } }
		};

		assert_int_equal(engine_route(bed.engine, &r, false, &bed.e), 0);
	}
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Those that take long to compile are sent less often. */
static void test_many_routes_take_their_time(void **state)
{
	/* Compiling them takes 10 ms at the very least, and they rest for 20 times as long. */
	enum { MANY = 200000, LEAST_MS = 200 };
	int64_t from;

	(void)state;
	bed.limits.routes = bed.fake.hello.routes = MANY + 1;
	assert_int_equal(bed_open(bed.base), 0);
	add_many_routes(MANY);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	from = now_ms();
	fake_clear(&bed.fake);
	bed_route(1, 252, false);
	for (int i = 0; i < 10 && !has_routes(); i++)
		bed_loop_until(has_routes);
	assert_true(now_ms() - from >= LEAST_MS);
	assert_int_equal(routes_of(0), 3);
}

/* As long as the engine may go by it. */
static void test_a_router_keeps_its_row(void **state)
{
	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	bed_route(1, 254, false);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	fake_clear(&bed.fake);
	bed_route(1, 253, false);
	bed_route(1, 252, false);
	assert_int_not_equal(bed_find(0, 254), L4_NO_NEIGHBOUR);
	assert_int_not_equal(bed_find(0, 253), L4_NO_NEIGHBOUR);
	assert_true(bed_loop_until(has_routes));
	assert_int_equal(bed_find(0, 254), L4_NO_NEIGHBOUR);
	assert_int_equal(bed_find(0, 253), L4_NO_NEIGHBOUR);
	assert_int_not_equal(bed_find(0, 252), L4_NO_NEIGHBOUR);
	bed_route(1, 0, true);
	assert_int_not_equal(bed_find(0, 252), L4_NO_NEIGHBOUR);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(bed_find(0, 252), L4_NO_NEIGHBOUR);
}

static bool has_wanted(void)
{
	return bed.wanted >= 3 && bed.told >= 1;
}

static void test_wants(void **state)
{
	struct protocol_told t = { .kind = PROTOCOL_WANT,
		.want = { .ifindex = BED_IFINDEX, .is6 = 1, .address = { 0, 0, 0, 0x04030201 } } };
	const size_t size = offsetof(struct protocol_told, want) + sizeof t.want;

	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	for (int i = 0; i < 3; i++)
		assert_true(fake_tell(&bed.fake, &t, size));
	assert_true(fake_tell(&bed.fake, &t, size - 1)); /* is none */
	assert_true(fake_tell(&bed.fake, &t, 4));
	t.want.mtu = 1400;
	assert_true(fake_tell(&bed.fake, &t, size));
	assert_true(bed_loop_until(has_wanted));
	assert_int_equal(bed.wanted, 3);
	assert_int_equal(bed.last_wanted.af, 6);
	assert_int_equal(bed.last_wanted.bytes[15], 4);
	assert_int_equal(bed_state(), ENGINE_SERVING);
}

static unsigned legs;
static uint32_t last_len;

static void on_leg(void *arg, const struct l4_captured *leg, int64_t real_ns)
{
	(void)arg;
	(void)real_ns;
	legs++;
	last_len = leg->captured;
}

static bool has_leg(void)
{
	return legs;
}

static void test_captures(void **state)
{
	static struct protocol_told t = { .kind = PROTOCOL_LEG,
		.leg = { .len = 90, .captured = 70 } };
	const struct l4_capture_filter filter = { .vip_id = 3 };
	const size_t size = offsetof(struct protocol_told, leg.bytes) + 70;
	struct engine_capture *c;
	struct fake_asked a;

	(void)state;
	legs = 0;
	assert_int_equal(bed_open(bed.base), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_true(fake_tell(&bed.fake, &t, size)); /* to nobody */
	bed_loop_ms(30);
	bed.fake.refusal = -EINVAL;
	fake_set_fault(&bed.fake, FAKE_REFUSES, PROTOCOL_CAPTURE, 1);
	assert_int_equal(
		engine_capture_new(&c, bed.engine, bed.base, &filter, on_leg, NULL, &bed.e),
		-EINVAL);
	assert_int_equal(
		engine_capture_new(&c, bed.engine, bed.base, &filter, on_leg, NULL, &bed.e), 0);
	assert_true(fake_asked(&bed.fake, PROTOCOL_CAPTURE, 1, &a));
	assert_int_equal(a.filter.vip_id, 3);
	assert_true(fake_tell(&bed.fake, &t, size - 1)); /* is cut short */
	assert_true(fake_tell(&bed.fake, &t, size));
	assert_true(bed_loop_until(has_leg));
	bed_loop_ms(20);
	assert_int_equal(legs, 1);
	assert_int_equal(last_len, 70);
	bed.fake.capture_lost = 12;
	assert_int_equal(engine_capture_lost(c), 12);
	fake_stop(&bed.fake); /* an engine that comes back goes on capturing */
	assert_true(bed_loop_until(is_gone));
	assert_int_equal(engine_capture_lost(c), 12);
	fake_clear(&bed.fake);
	fake_start(&bed.fake, bed.dir);
	assert_true(bed_loop_until(is_serving));
	assert_true(fake_asked(&bed.fake, PROTOCOL_CAPTURE, 0, &a));
	assert_int_equal(a.filter.vip_id, 3);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_CAPTURE_END), 0);
	engine_capture_free(c);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_CAPTURE_END), 1);
}

static void stop_engine(void)
{
	fake_stop(&bed.fake);
	assert_true(bed_loop_until(is_gone));
	fake_forget(&bed.fake);
	fake_clear(&bed.fake);
}

static void test_an_engine_comes_back(void **state)
{
	struct fake_asked a;
	uint64_t since;

	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	assert_int_equal(engine_state(bed.engine, &since), ENGINE_SERVING);
	assert_int_equal(since, 0);
	bed_neighbour(1, false);
	bed_route(1, 254, false);
	assert_int_equal(bed_publish(1, 1, 4), 0);
	assert_int_equal(bed_publish(2, 1, 4), 0);
	stop_engine();
	assert_int_equal(engine_state(bed.engine, &since), ENGINE_GONE);
	assert_true(since > 0);
	bed_route(2, 253, false);
	assert_int_equal(engine_generation(bed.engine), 2);
	assert_int_equal(bed_publish(3, 1, 4), -ECONNREFUSED);
	fake_start(&bed.fake, bed.dir);
	assert_true(bed_loop_until(is_serving));
	assert_int_equal(routes_of(0), 2);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_GENERATION), 1);
	assert_true(fake_asked(&bed.fake, PROTOCOL_GENERATION, 0, &a));
	assert_int_equal(a.after, 0);
	assert_int_equal(a.generation, 2);
	assert_int_equal(a.bank, 0);
	assert_int_equal(a.n_rings, 2);
	assert_true(a.n_guard > 0);
	assert_int_not_equal(bed_find(0, 1), L4_NO_NEIGHBOUR);
	assert_int_equal(bed_publish(3, 1, 4), 0);
	assert_true(fake_asked(&bed.fake, PROTOCOL_GENERATION, 1, &a));
	assert_int_equal(a.after, 2);
	assert_int_equal(a.n_rings, 1);
	assert_true(fake_tell(&bed.fake, &(struct protocol_told){ 0 }, sizeof(uint64_t)));
}

static struct engine_report report(void)
{
	struct engine_report r;

	engine_report(bed.engine, &r);
	return r;
}

static bool has_workers(void)
{
	return report().n_workers;
}

static bool knows_shares(void)
{
	return has_workers() && report().workers->busy_permille >= 0;
}

static void tell_workers(uint64_t busy, uint64_t idle)
{
	struct protocol_told t = { .kind = PROTOCOL_WORKERS_NOW,
		.status = { .cycles_per_second = 2000,
			.n_workers = 2,
			.workers = { { busy, idle, 5, 3, 0 }, { 0, idle, 0, 4, 0 } } } };
	const size_t size = offsetof(struct protocol_told, status.workers[2]);

	assert_true(fake_tell(&bed.fake, &t, size - 1)); /* is cut short */
	assert_true(fake_tell(&bed.fake, &t, size));
}

/* Shares are those of the time from one telling to the next, counters those of all. */
static void test_workers(void **state)
{
	struct protocol_told t = { .kind = PROTOCOL_WORKERS_NOW,
		.status.n_workers = PROTOCOL_WORKERS + 1 };

	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	assert_true(fake_tell(&bed.fake, &t, sizeof t)); /* more than there can be */
	bed_loop_ms(20);
	assert_false(has_workers());
	tell_workers(1000, 9000);
	assert_true(bed_loop_until(has_workers));
	assert_int_equal(report().n_workers, 2);
	assert_int_equal(report().cycles_per_second, 2000);
	assert_int_equal(report().workers[0].busy_permille, -1);
	tell_workers(1250, 9750);
	assert_true(bed_loop_until(knows_shares));
	assert_int_equal(report().workers[0].busy_permille, 250);
	assert_int_equal(report().workers[0].busy_cycles, 1250);
	assert_int_equal(report().workers[0].idle_cycles, 9750);
	assert_int_equal(report().workers[0].sleeps, 5);
	assert_int_equal(report().workers[0].cpu, 3);
	assert_int_equal(report().workers[1].cpu, 4);
	assert_int_equal(report().workers[1].busy_permille, 0);
	tell_workers(1250, 9750); /* no time has passed: all is as it was */
	bed_loop_ms(20);
	assert_int_equal(report().workers[0].busy_permille, 250);
}

static void test_gaps_are_counted(void **state)
{
	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(report().gaps, 0);
	assert_int_equal(report().last_gap_ms, -1);
	tell_workers(1, 2);
	assert_true(bed_loop_until(has_workers));
	for (unsigned i = 1; i <= 2; i++) {
		fake_stop(&bed.fake);
		assert_true(bed_loop_until(is_gone));
		assert_int_equal(report().gaps, i);
		assert_false(has_workers());
		bed_loop_ms(30);
		fake_start(&bed.fake, bed.dir);
		assert_true(bed_loop_until(is_serving));
		assert_int_equal(report().gaps, i);
		assert_in_range(report().last_gap_ms, 30, 10000);
	}
}

/* Before there is a generation there is nothing to send. */
static void test_it_comes_back_early(void **state)
{
	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	stop_engine();
	fake_start(&bed.fake, bed.dir);
	assert_true(bed_loop_until(is_serving));
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_GENERATION), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
}

static void assert_other(const char *words)
{
	assert_true(bed_loop_until(is_other));
	fake_clear(&bed.fake);
	assert_int_equal(bed_publish(2, 1, 0), -ESTALE);
	assert_non_null(strstr(bed.e.text, words));
	bed_loop_ms(250);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_HELLO), 0);
	assert_int_equal(engine_generation(bed.engine), 1);
}

static void test_another_one_comes_back(void **state)
{
	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	stop_engine();
	bed.sizes.servers++;
	bed_new_store();
	fake_start(&bed.fake, bed.dir);
	assert_other("restart tandemd");
	bed_close(); /* the next control plane goes on with it */
	bed.limits.servers++;
	bed.fake.hello.lines += 100;
	assert_int_equal(bed_open(bed.base), 0);
}

static void test_it_comes_back_without_an_interface(void **state)
{
	(void)state;
	assert_int_equal(bed_open(bed.base), 0);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	stop_engine();
	bed.fake.hello.n_ports = 1;
	fake_start(&bed.fake, bed.dir);
	assert_other("restart tandemd");
}

/* It may be there and not ready. */
static void test_it_comes_back_slowly(void **state)
{
	(void)state;
	bed.wait_ms = 500;
	assert_int_equal(bed_open(bed.base), 0);
	bed_route(1, 254, false);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	stop_engine();
	fake_set_fault(&bed.fake, FAKE_SILENT, PROTOCOL_HELLO, 1);
	fake_start(&bed.fake, bed.dir);
	assert_true(bed_loop_until(is_serving));
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_HELLO), 2);
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_LISTEN), 1);
	assert_int_equal(routes_of(0), 1); /* though none has changed */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_routes_without_a_loop),
		TEST(test_routes_with_a_loop),
		TEST(test_many_routes_take_their_time),
		TEST(test_a_router_keeps_its_row),
		TEST(test_wants),
		TEST(test_captures),
		TEST(test_an_engine_comes_back),
		TEST(test_workers),
		TEST(test_gaps_are_counted),
		TEST(test_it_comes_back_early),
		TEST(test_another_one_comes_back),
		TEST(test_it_comes_back_without_an_interface),
		TEST(test_it_comes_back_slowly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
