/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/record.h"

enum { POOL = 0x4567 };

static const uint64_t hash = 0xaabbc123deadbeef; /* fingerprint 0x123 */

static uint64_t what_of(uint64_t h, uint8_t state, uint16_t time, uint16_t server)
{
	return l4_record_what(l4_record_mark(h, POOL), state, false, time, server);
}

static void test_layout(void **state)
{
	uint64_t what =
		l4_record_what(l4_record_mark(hash, POOL), L4_RECORD_LIVE, true, 0xcdef, 0x89ab);

	(void)state;
	assert_true(what == 0x123456789abcdefb);
	assert_int_equal(l4_record_state(what), L4_RECORD_LIVE);
	assert_int_equal(l4_record_time(what), 0xcdef);
	assert_int_equal(l4_record_server(what), 0x89ab);
	assert_int_equal(l4_record_pool(what), POOL);
	assert_true(l4_record_who(hash, 0x01020304) == 0x01020304deadbeef);
	assert_int_equal(what - l4_record_what(l4_record_mark(hash, POOL), L4_RECORD_LIVE, false,
					0xcdef, 0x89ab),
		L4_RECORD_AGREES);
}

static void test_age(void **state)
{
	static const struct {
		uint16_t time, now, age;
	} ages[] = {
		{ 0, 0, 0 }, { 5, 1000, 995 }, { 65530, 5, 11 },
		{ 1001, 1000, 0 },     /* a clock one unit behind */
		{ 0, 65535, 0 },       /* likewise */
		{ 1002, 1000, 65534 }, /* two are no clock's doing */
	};

	(void)state;
	for (size_t i = 0; i < sizeof ages / sizeof *ages; i++)
		assert_int_equal(
			l4_record_age(what_of(hash, L4_RECORD_LIVE, ages[i].time, 1), ages[i].now),
			ages[i].age);
}

/* At the limit a record lives, one unit later it does not. */
static void test_is_over(void **state)
{
	static const struct {
		uint8_t state;
		uint16_t idle, limit;
	} limits[] = {
		{ L4_RECORD_EMBRYONIC, 839, 5 },
		{ L4_RECORD_EMBRYONIC, 1, 5 },
		{ L4_RECORD_LIVE, 839, 839 },
		{ L4_RECORD_LIVE, 1, 1 },
		{ L4_RECORD_CLOSING, 839, 56 },
		{ L4_RECORD_CLOSING, 56, 56 },
		{ L4_RECORD_CLOSING, 55, 55 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		uint64_t what = what_of(hash, limits[i].state, 65500, 1);
		uint16_t edge = (uint16_t)(65500 + limits[i].limit);

		assert_false(l4_record_is_over(what, edge, limits[i].idle));
		assert_true(l4_record_is_over(what, (uint16_t)(edge + 1), limits[i].idle));
	}
}

static void set(struct l4_record *r, uint64_t h, uint8_t state, uint16_t pool, uint16_t server)
{
	r->who = l4_record_who(h, 77);
	r->what = l4_record_what(l4_record_mark(h, pool), state, false, 9, server);
}

static void test_find_in_every_entry(void **state)
{
	(void)state;
	for (unsigned at = 0; at < L4_BUCKET_RECORDS; at++) {
		struct l4_record_bucket b = { 0 };
		struct l4_found f;

		for (unsigned i = 0; i < L4_BUCKET_RECORDS; i++)
			set(&b.records[i], hash ^ (i + 1), L4_RECORD_LIVE, POOL, 1);
		assert_null(l4_record_find(&b, hash, POOL).at);
		set(&b.records[at], hash, L4_RECORD_CLOSING, POOL, 2);
		f = l4_record_find(&b, hash, POOL);
		assert_ptr_equal(f.at, &b.records[at]);
		assert_true(f.what == b.records[at].what && f.who == b.records[at].who);
	}
}

static void test_find_by_all_bits(void **state)
{
	struct l4_record_bucket b = { 0 };

	(void)state;
	set(&b.records[2], hash, L4_RECORD_LIVE, POOL, 1);
	assert_non_null(l4_record_find(&b, hash, POOL).at);
	for (unsigned bit = 0; bit < 44; bit++)
		assert_null(l4_record_find(&b, hash ^ 1ull << bit, POOL).at);
	for (unsigned bit = 0; bit < 16; bit++)
		assert_null(l4_record_find(&b, hash, (uint16_t)(POOL ^ 1 << bit)).at);
}

static void test_find_no_entry_without_a_record(void **state)
{
	struct l4_record_bucket b = { 0 };

	(void)state;
	assert_null(l4_record_find(&b, 0, 0).at);
	set(&b.records[1], hash, L4_RECORD_EMPTY, POOL, 1);
	assert_null(l4_record_find(&b, hash, POOL).at);
	set(&b.records[1], hash, L4_RECORD_BUSY, POOL, 1);
	assert_null(l4_record_find(&b, hash, POOL).at);
	set(&b.records[1], hash, L4_RECORD_EMBRYONIC, POOL, 1);
	assert_non_null(l4_record_find(&b, hash, POOL).at);
}

static void test_put_only_over_what_was_read(void **state)
{
	struct l4_record r = { 1, 2 };

	(void)state;
	assert_false(l4_record_put(&r, 3, 10, 11));
	assert_true(r.who == 1 && r.what == 2);
	assert_true(l4_record_put(&r, 2, 10, 11));
	assert_true(r.who == 10 && r.what == 11);
	assert_false(l4_record_put(&r, 2, 20, 21));
	assert_false(l4_record_exchange(&r, 2, 21));
	assert_true(l4_record_exchange(&r, 11, 12));
	assert_true(r.who == 10 && r.what == 12);
}

/* Many flows in one bucket, written and read by several threads: whoever finds a record finds the server of that
 * flow, which its hash tells. */
enum { THREADS = 4, TURNS = 3000000, FLOWS = 16 };

static struct l4_record_bucket shared;
static uint64_t flows[FLOWS];

static uint16_t server_of(uint64_t h)
{
	return (uint16_t)(h * 0x9e3779b97f4a7c15 >> 48);
}

static void *processor(void *arg)
{
	uint64_t turn = (uintptr_t)arg;
	uintptr_t wrong = 0;

	for (int i = 0; i < TURNS; i++) {
		struct l4_found f;
		struct l4_record *r;
		uint64_t h, was;

		turn = turn * 6364136223846793005 + 1442695040888963407;
		h = flows[turn >> 60];
		f = l4_record_find(&shared, h, POOL);
		if (f.at) {
			wrong += l4_record_server(f.what) != server_of(h);
			l4_record_exchange(f.at, f.what,
				what_of(h, L4_RECORD_LIVE, (uint16_t)i, server_of(h)));
			continue;
		}
		r = &shared.records[turn >> 50 & 3];
		was = l4_record_read(&r->what);
		if (l4_record_state(was) != L4_RECORD_BUSY)
			l4_record_put(r, was, l4_record_who(h, 1),
				what_of(h, L4_RECORD_LIVE, (uint16_t)i, server_of(h)));
	}
	return (void *)wrong;
}

/* Half of the flows differ from each other in their lower halves alone, so that one's `what` would pass for the
 * other's but for the server. */
static void test_processors_at_once(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < FLOWS; i++)
		flows[i] = (uint64_t)(i < FLOWS / 2 ? 7 : i) << 32 | (i + 1);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, processor, (void *)(i + 1)), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	for (unsigned i = 0; i < L4_BUCKET_RECORDS; i++)
		assert_int_equal(l4_record_state(shared.records[i].what), L4_RECORD_LIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_is_over),
		cmocka_unit_test(test_find_in_every_entry),
		cmocka_unit_test(test_find_by_all_bits),
		cmocka_unit_test(test_find_no_entry_without_a_record),
		cmocka_unit_test(test_put_only_over_what_was_read),
		cmocka_unit_test(test_processors_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
