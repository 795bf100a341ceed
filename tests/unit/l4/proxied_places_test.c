/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose entry a connection that a cookie began takes in a full bucket. */
#include "dataplane/l4/proxied.h"
#include <string.h>
#include "tests/unit/test.h"

enum { NOW = 30000, IDLE = 100, SERVICE = 9 };

static struct l4_proxied_bucket bucket;

static void put(unsigned i, enum l4_proxied_state state, uint16_t age)
{
	bucket.entries[i] = (struct l4_proxied){ .who = 100 + i,
		.what = l4_proxied_seen(
			(uint64_t)SERVICE << L4_PROXIED_SERVICE_AT, state, (uint16_t)(NOW - age)),
		.idle = IDLE };
}

static int fill(void **state)
{
	(void)state;
	for (unsigned i = 0; i < L4_BUCKET_PROXIED; i++)
		put(i, L4_PROXIED_OPEN, IDLE);
	return 0;
}

static bool begin(uint64_t who)
{
	const struct l4_proxied to = { .who = who,
		.what = l4_proxied_seen(
			(uint64_t)SERVICE << L4_PROXIED_SERVICE_AT, L4_PROXIED_ASKED, NOW),
		.shift = 5,
		.isn = 6,
		.idle = IDLE };

	return l4_proxied_begin(&bucket, &to, NOW);
}

/* The place where the flow is; -1: nowhere. */
static int place(uint64_t who)
{
	const struct l4_proxied_found f = l4_proxied_find(&bucket, who, NOW);

	return f.at ? (int)(f.at - bucket.entries) : -1;
}

static void no_live_one_gives_way(void **state)
{
	(void)state;
	put(1, L4_PROXIED_CLOSING, L4_PROXIED_LINGER);
	put(3, L4_PROXIED_BUSY, 0);
	assert_false(begin(1));
	assert_int_equal(place(1), -1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(place(100 + i), (int)i);
}

static void one_that_waits_for_a_server_gives_way(void **state)
{
	(void)state;
	put(1, L4_PROXIED_ASKED, 0);
	put(2, L4_PROXIED_OPENING, 1);
	assert_true(begin(1));
	assert_int_equal(place(1), 2);
	assert_int_equal(place(102), -1);
}

/* Or a few hundred connections in a second would fill the table with what has ended. */
static void one_that_has_closed_gives_way(void **state)
{
	(void)state;
	put(1, L4_PROXIED_CLOSING, L4_PROXIED_LINGER + 1);
	put(2, L4_PROXIED_CLOSING, L4_PROXIED_LINGER + 2);
	assert_true(begin(1));
	assert_int_equal(place(1), 2);
	assert_int_equal(place(101), 1);
}

static void what_is_over_goes_first(void **state)
{
	(void)state;
	put(0, L4_PROXIED_ASKED, L4_EMBRYONIC_AGE);
	put(3, L4_PROXIED_OPEN, IDLE + 1);
	assert_true(begin(1));
	assert_int_equal(place(1), 3);
	put(2, L4_PROXIED_EMPTY, 0);
	assert_true(begin(2));
	assert_int_equal(place(2), 2);
	assert_int_equal(place(100), 0);
}

static void a_flow_has_one_entry(void **state)
{
	(void)state;
	bucket.entries[3] = (struct l4_proxied){ 0 }; /* for longer than anything else */
	put(1, L4_PROXIED_CLOSING, 0);
	assert_true(begin(101));
	assert_int_equal(place(101), 1);
	assert_int_equal(l4_proxied_state(bucket.entries[3].what), L4_PROXIED_EMPTY);
	assert_int_equal(bucket.entries[1].isn, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_live_one_gives_way, fill),
		cmocka_unit_test_setup(one_that_waits_for_a_server_gives_way, fill),
		cmocka_unit_test_setup(one_that_has_closed_gives_way, fill),
		cmocka_unit_test_setup(what_is_over_goes_first, fill),
		cmocka_unit_test_setup(a_flow_has_one_entry, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
