/* SPDX-License-Identifier: BSD-2-Clause */
/* Hours of checks under a clock that the test winds. */
#include "controlplane/health/check.h"
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

static const struct check_rules rules = {
	.interval_ms = 2000, .timeout_ms = 1000, .rise = 2, .fall = 3, .jitter_percent = 10
};

/* In the middle of the jitter, which is none. */
enum { MIDDLE = 0x80000000u };

static struct check_actions step(struct check *c, enum check_event_kind kind, uint64_t now_ms)
{
	const struct check_event event = { kind, MIDDLE };

	return check_step(c, &rules, &event, now_ms);
}

/* A check in a state whose first probe is due at 0. */
static struct check begin(enum health_state state)
{
	struct check c;

	check_init(&c, state, 0, 0);
	return c;
}

/* Lets the due probe start and end 10 ms later; returns what its end led to. */
static struct check_actions probe(struct check *c, enum check_event_kind result)
{
	uint64_t now_ms = c->due_ms;

	assert_true(step(c, CHECK_TIME, now_ms).probe);
	return step(c, result, now_ms + 10);
}

/* Runs a story: one letter a probe, + success, - failure, T time-out, 0 no result; and what the
 * state is after each: s, u or d. */
static void story(enum health_state from, const char *probes, const char *states)
{
	static const char letters[] = {
		[HEALTH_STARTING] = 's', [HEALTH_UP] = 'u', [HEALTH_DOWN] = 'd'
	};
	struct check c = begin(from);

	assert_int_equal(strlen(probes), strlen(states));
	for (size_t i = 0; probes[i]; i++) {
		enum health_state before = c.state;
		struct check_actions a;

		if (probes[i] == 'T') {
			assert_true(step(&c, CHECK_TIME, c.due_ms).probe);
			a = step(&c, CHECK_TIME, c.deadline_ms);
			assert_true(a.timed_out);
		} else {
			a = probe(&c, probes[i] == '+'	 ? CHECK_SUCCESS
				      : probes[i] == '-' ? CHECK_FAILURE
							 : CHECK_NO_RESULT);
			assert_false(a.timed_out);
		}
		if (letters[c.state] != states[i])
			fail_msg("after %zu of %s: %c, not %c", i + 1, probes, letters[c.state],
				states[i]);
		assert_int_equal(a.changed, c.state != before);
		if (a.changed)
			assert_int_equal(a.from, before);
	}
}

static void the_first_success_brings_up(void **state)
{
	(void)state;
	story(HEALTH_STARTING, "+", "u");
	story(HEALTH_STARTING, "-+", "su");
	story(HEALTH_STARTING, "--+", "ssu");
}

static void fall_failures_in_a_row_take_down(void **state)
{
	(void)state;
	story(HEALTH_STARTING, "---", "ssd");
	story(HEALTH_UP, "---", "uud");
	story(HEALTH_UP, "--+--+--+---", "uuuuuuuuuuud");
	story(HEALTH_UP, "T-T", "uud");
	story(HEALTH_STARTING, "TTT", "ssd");
}

static void rise_successes_in_a_row_bring_up(void **state)
{
	(void)state;
	story(HEALTH_DOWN, "++", "du");
	story(HEALTH_DOWN, "+-+-+T++", "dddddddu");
	story(HEALTH_DOWN, "++---++", "duuuddu");
}

/* The last failures before the verdict do not count against the next state. */
static void a_new_state_counts_from_nothing(void **state)
{
	struct check c = begin(HEALTH_UP);

	(void)state;
	probe(&c, CHECK_FAILURE);
	assert_int_equal(c.against, 1);
	probe(&c, CHECK_FAILURE);
	assert_int_equal(c.against, 2);
	probe(&c, CHECK_FAILURE);
	assert_int_equal(c.state, HEALTH_DOWN);
	assert_int_equal(c.against, 0);
	probe(&c, CHECK_SUCCESS);
	assert_int_equal(c.against, 1);
	probe(&c, CHECK_FAILURE);
	assert_int_equal(c.against, 0);
	story(HEALTH_UP, "----------++-",
		"uudddddddddu"
		"u");
}

static void no_result_changes_nothing(void **state)
{
	(void)state;
	story(HEALTH_UP, "--000-", "uuuuud");
	story(HEALTH_DOWN, "+000+", "ddddu");
	story(HEALTH_STARTING, "0000+", "ssssu");
}

static void one_is_the_least_rise_and_fall(void **state)
{
	struct check_rules hasty = rules;
	const struct check_event time = { CHECK_TIME, MIDDLE }, failure = { CHECK_FAILURE, 0 },
				 success = { CHECK_SUCCESS, 0 };

	(void)state;
	for (hasty.rise = hasty.fall = 0; hasty.rise < 2; hasty.rise = ++hasty.fall) {
		struct check c = begin(HEALTH_UP);

		check_step(&c, &hasty, &time, c.due_ms);
		assert_true(check_step(&c, &hasty, &failure, 1).changed);
		check_step(&c, &hasty, &time, c.due_ms);
		assert_true(check_step(&c, &hasty, &success, c.due_ms).changed);
		assert_int_equal(c.state, HEALTH_UP);
	}
}

static void probes_start_one_interval_apart(void **state)
{
	struct check_actions a;
	struct check c;

	(void)state;
	check_init(&c, HEALTH_STARTING, 700, 5000);
	assert_int_equal(c.since_ms, 5000);
	assert_int_equal(c.due_ms, 5700);
	a = step(&c, CHECK_TIME, 5699); /* too early */
	assert_false(a.probe);
	assert_int_equal(a.wake_ms, 5700);
	a = step(&c, CHECK_TIME, 5700);
	assert_true(a.probe);
	assert_int_equal(a.wake_ms, 6700); /* its time-out */
	a = step(&c, CHECK_SUCCESS, 5900);
	assert_int_equal(a.wake_ms, 7700); /* counted from the start, not from the end */
	a = step(&c, CHECK_TIME, 7733);	   /* late: the next is counted from here */
	assert_true(a.probe);
	assert_int_equal(step(&c, CHECK_FAILURE, 7733).wake_ms, 9733);
	assert_int_equal(c.since_ms, 5900);
}

static void a_probe_that_takes_too_long_has_failed(void **state)
{
	struct check c = begin(HEALTH_UP);
	struct check_actions a;

	(void)state;
	step(&c, CHECK_TIME, 0);
	a = step(&c, CHECK_TIME, 999);
	assert_false(a.timed_out);
	assert_int_equal(a.wake_ms, 1000);
	a = step(&c, CHECK_TIME, 1000);
	assert_true(a.timed_out);
	assert_int_equal(c.against, 1);
	assert_int_equal(a.wake_ms, 2000);
	/* What it has to say after all is not heard. */
	a = step(&c, CHECK_SUCCESS, 1001);
	assert_false(a.changed);
	assert_int_equal(c.against, 1);
}

/* What came while the caller stood still it sees only after it has told of the time. */
static void a_probe_is_given_the_time_that_the_caller_stood_still(void **state)
{
	struct check c = begin(HEALTH_UP);
	struct check_actions a;

	(void)state;
	step(&c, CHECK_TIME, 0);
	a = step(&c, CHECK_TIME, 1000 + CHECK_LATE_MS - 1);
	assert_true(a.timed_out);
	step(&c, CHECK_TIME, 2000);
	a = step(&c, CHECK_TIME, 3300);
	assert_false(a.timed_out);
	assert_int_equal(a.wake_ms, 3600);
	step(&c, CHECK_SUCCESS, 3310);
	assert_int_equal(c.against, 0);
	/* Once, and for no longer than a probe may take. */
	step(&c, CHECK_TIME, 4000);
	a = step(&c, CHECK_TIME, 60000);
	assert_false(a.timed_out);
	assert_int_equal(a.wake_ms, 61000);
	a = step(&c, CHECK_TIME, 61500);
	assert_true(a.timed_out);
	assert_int_equal(c.against, 1);
	/* And the next one anew. */
	step(&c, CHECK_TIME, 62000);
	assert_false(step(&c, CHECK_TIME, 63100).timed_out);
}

/* With a time-out as long as the interval, and jitter, the next falls due while one still runs. */
static void probes_do_not_overlap(void **state)
{
	struct check_rules slow = rules;
	const struct check_event hasty = { CHECK_TIME, 0 };
	struct check_actions a;
	struct check c = begin(HEALTH_UP);

	(void)state;
	slow.timeout_ms = slow.interval_ms;
	assert_true(check_step(&c, &slow, &hasty, 0).probe);
	assert_int_equal(c.due_ms, 1800);
	a = check_step(&c, &slow, &hasty, 1900);
	assert_false(a.probe);
	assert_int_equal(a.wake_ms, 2000);
	a = check_step(&c, &slow, &hasty, 2000);
	assert_true(a.timed_out);
	assert_false(a.probe);
	assert_int_equal(a.wake_ms, 1800); /* at once */
	assert_true(check_step(&c, &slow, &hasty, 2000).probe);
}

static void jitter_reaches_as_far_as_it_may(void **state)
{
	static const struct {
		uint8_t percent;
		uint32_t random;
		uint64_t interval_ms;
	} cases[] = {
		{ 0, 0, 2000 },
		{ 0, UINT32_MAX, 2000 },
		{ 10, 0, 1800 },
		{ 10, MIDDLE, 2000 },
		{ 10, UINT32_MAX, 2200 },
		{ 50, 0, 1000 },
		{ 50, UINT32_MAX, 3000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct check_event time = { CHECK_TIME, cases[i].random };
		struct check_rules r = rules;
		struct check c = begin(HEALTH_UP);

		r.jitter_percent = cases[i].percent;
		check_step(&c, &r, &time, 0);
		assert_int_equal(c.due_ms, cases[i].interval_ms);
	}
}

static void intervals_spread_evenly_over_the_jitter(void **state)
{
	enum { PROBES = 100000, BUCKETS = 8 };
	unsigned seed = 5, buckets[BUCKETS] = { 0 };
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < PROBES; i++) {
		const struct check_event time = { CHECK_TIME,
			(uint32_t)rand_r(&seed) << 16 ^ (uint32_t)rand_r(&seed) };
		struct check c = begin(HEALTH_UP);

		check_step(&c, &rules, &time, 0);
		assert_in_range(c.due_ms, 1800, 2200);
		buckets[(c.due_ms - 1800) * BUCKETS / 401]++;
		sum += c.due_ms;
	}
	assert_in_range(sum / PROBES, 1998, 2002);
	for (unsigned i = 0; i < BUCKETS; i++)
		assert_in_range(
			buckets[i], PROBES / BUCKETS * 95 / 100, PROBES / BUCKETS * 105 / 100);
}

/* An hour of events in any order and at any time, against what the header promises. */
static void an_hour_of_anything(void **state)
{
	struct check c = begin(HEALTH_STARTING);
	uint64_t now = 0, started = 0;
	unsigned seed = 13, probes = 0;

	(void)state;
	while (now < 3600000) {
		const struct check_event event = { (enum check_event_kind)(rand_r(&seed) % 4),
			(uint32_t)rand_r(&seed) * 2 };
		struct check before = c;
		struct check_actions a = check_step(&c, &rules, &event, now);
		bool late;

		if (a.probe) {
			assert_false(before.probing);
			assert_int_equal(event.kind, CHECK_TIME);
			assert_true(now >= before.due_ms);
			assert_true(!probes || now >= started + 1800);
			started = now;
			probes++;
		}
		late = before.probing && event.kind == CHECK_TIME && now >= before.deadline_ms;
		assert_int_equal(a.timed_out,
			late && (before.extended || now < before.deadline_ms + CHECK_LATE_MS));
		assert_true(!before.probing || before.deadline_ms >= started + rules.timeout_ms);
		assert_int_equal(a.changed, c.state != before.state);
		assert_true(!a.changed || (c.since_ms == now && !c.against));
		assert_true(c.against < (c.state == HEALTH_DOWN ? rules.rise : rules.fall));
		assert_int_equal(a.wake_ms, c.probing ? c.deadline_ms : c.due_ms);
		now += (unsigned)rand_r(&seed) % 700;
	}
	assert_true(probes > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_success_brings_up),
		cmocka_unit_test(fall_failures_in_a_row_take_down),
		cmocka_unit_test(rise_successes_in_a_row_bring_up),
		cmocka_unit_test(a_new_state_counts_from_nothing),
		cmocka_unit_test(no_result_changes_nothing),
		cmocka_unit_test(one_is_the_least_rise_and_fall),
		cmocka_unit_test(probes_start_one_interval_apart),
		cmocka_unit_test(a_probe_that_takes_too_long_has_failed),
		cmocka_unit_test(a_probe_is_given_the_time_that_the_caller_stood_still),
		cmocka_unit_test(probes_do_not_overlap),
		cmocka_unit_test(jitter_reaches_as_far_as_it_may),
		cmocka_unit_test(intervals_spread_evenly_over_the_jitter),
		cmocka_unit_test(an_hour_of_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
