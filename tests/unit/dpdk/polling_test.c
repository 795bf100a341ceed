/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include "dataplane/dpdk/polling.h"

/* How long it sleeps after so many polls that find nothing. */
static uint32_t after(struct polling *p, unsigned polls)
{
	uint32_t us = 0;

	for (unsigned i = 0; i < polls; i++)
		us = polling_next(p, 0);
	return us;
}

static void test_spins_before_it_sleeps(void **state)
{
	struct polling p = { .adaptive = true };

	(void)state;
	for (unsigned i = 0; i < POLLING_SPINS; i++)
		assert_int_equal(polling_next(&p, 0), 0);
	assert_int_equal(polling_next(&p, 0), POLLING_SHORTEST_US);
}

static void test_sleeps_twice_as_long_each_time(void **state)
{
	struct polling p = { .adaptive = true };
	uint32_t us = after(&p, POLLING_SPINS + 1);

	(void)state;
	while (us < POLLING_LONGEST_US) {
		uint32_t next = polling_next(&p, 0);

		assert_true(next == us * 2 || next == POLLING_LONGEST_US);
		assert_true(next > us);
		us = next;
	}
	assert_int_equal(after(&p, 1000), POLLING_LONGEST_US);
	assert_true(POLLING_LONGEST_US < 500);
}

static void test_a_frame_wakes_it(void **state)
{
	struct polling p = { .adaptive = true };

	(void)state;
	after(&p, POLLING_SPINS + 100);
	assert_int_equal(polling_next(&p, 1), 0);
	for (unsigned i = 0; i < POLLING_SPINS; i++)
		assert_int_equal(polling_next(&p, 0), 0);
	assert_int_equal(polling_next(&p, 0), POLLING_SHORTEST_US);
}

/* Frames now and then, while it only spins, keep it awake. */
static void test_few_frames_keep_it_awake(void **state)
{
	struct polling p = { .adaptive = true };

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(after(&p, POLLING_SPINS), 0);
		assert_int_equal(polling_next(&p, 1), 0);
	}
}

static void test_busy_never_sleeps(void **state)
{
	struct polling p = { .adaptive = false };

	(void)state;
	for (unsigned i = 0; i < 10 * POLLING_SPINS; i++)
		assert_int_equal(polling_next(&p, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spins_before_it_sleeps),
		cmocka_unit_test(test_sleeps_twice_as_long_each_time),
		cmocka_unit_test(test_a_frame_wakes_it),
		cmocka_unit_test(test_few_frames_keep_it_awake),
		cmocka_unit_test(test_busy_never_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
