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

static struct polling adaptive(void)
{
	struct polling p;

	polling_begin(&p, true);
	return p;
}

static void test_spins_before_it_sleeps(void **state)
{
	struct polling p = adaptive();

	(void)state;
	for (unsigned i = 0; i < POLLING_SPINS; i++)
		assert_int_equal(polling_next(&p, 0), 0);
	assert_int_equal(polling_next(&p, 0), POLLING_SHORTEST_US);
}

static void test_sleeps_twice_as_long_each_time(void **state)
{
	struct polling p = adaptive();
	uint32_t us = after(&p, POLLING_SPINS + 1);

	(void)state;
	while (us < polling_longest_us(&p)) {
		uint32_t next = polling_next(&p, 0);

		assert_true(next == us * 2 || next == polling_longest_us(&p));
		assert_true(next > us);
		us = next;
	}
	assert_int_equal(after(&p, 1000), polling_longest_us(&p));
}

/* Sleeps for ten seconds of a clock whose timers are late by so much, now and then by a lot. Returns how many sleeps there were
 * in the last five, and in *over those that took longer than a frame may wait. */
static unsigned sleep_through(struct polling *p, unsigned late_us, unsigned *over)
{
	unsigned sleeps = 0;

	*over = 0;
	for (uint64_t now_us = 0, i = 0; now_us < 10000000; i++) {
		uint32_t us = polling_next(p, 0);
		uint64_t took = us + late_us + i % 7 + (i % 50 ? 0 : 3000);

		if (!us)
			continue;
		polling_slept(p, took);
		now_us += took;
		if (now_us >= 5000000) {
			sleeps++;
			*over += took > POLLING_MOST_US;
		}
	}
	return sleeps;
}

/* As few as can be, so that it costs little, and hardly one too long. */
static void test_sleeps_as_long_as_timers_allow(void **state)
{
	const struct {
		unsigned late_us, least, most;
	} hosts[] = { { 0, 9000, 9500 }, { 30, 9000, 9500 }, { 60, 9000, 9500 },
		{ 80, 9000, 9500 } };

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct polling p = adaptive();
		unsigned over, sleeps = sleep_through(&p, hosts[i].late_us, &over);

		assert_in_range(sleeps, hosts[i].least, hosts[i].most);
		assert_in_range(over, sleeps / 50 - 2, sleeps / 50 + 2);
	}
}

/* Whatever timers do, it sleeps for a while, and less than a frame may wait. */
static void test_late_timers_have_bounds(void **state)
{
	struct polling p = adaptive();
	unsigned over;

	(void)state;
	sleep_through(&p, 5000, &over);
	assert_int_equal(
		polling_longest_us(&p), POLLING_MOST_US - POLLING_MARGIN_US - POLLING_LATE_US);
	for (int i = 0; i < 1000; i++)
		polling_slept(&p, 0);
	assert_int_equal(polling_longest_us(&p), POLLING_MOST_US - POLLING_MARGIN_US);
}

static void test_a_frame_wakes_it(void **state)
{
	struct polling p = adaptive();

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
	struct polling p = adaptive();

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(after(&p, POLLING_SPINS), 0);
		assert_int_equal(polling_next(&p, 1), 0);
	}
}

static void test_busy_never_sleeps(void **state)
{
	struct polling p;

	polling_begin(&p, false);
	(void)state;
	for (unsigned i = 0; i < 10 * POLLING_SPINS; i++)
		assert_int_equal(polling_next(&p, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spins_before_it_sleeps),
		cmocka_unit_test(test_sleeps_twice_as_long_each_time),
		cmocka_unit_test(test_sleeps_as_long_as_timers_allow),
		cmocka_unit_test(test_late_timers_have_bounds),
		cmocka_unit_test(test_a_frame_wakes_it),
		cmocka_unit_test(test_few_frames_keep_it_awake),
		cmocka_unit_test(test_busy_never_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
