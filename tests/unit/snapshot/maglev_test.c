/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/snapshot/maglev.h"

enum { MAX_MEMBERS = 1000 };

static struct maglev_member members[MAX_MEMBERS];
static uint16_t ring[MAGLEV_MAX_SLOTS], other[MAGLEV_MAX_SLOTS];
static uint32_t counts[MAX_MEMBERS];

static uint64_t random64(void)
{
	return (uint64_t)mrand48() << 32 ^ (uint32_t)mrand48();
}

static void make_members(uint32_t n, uint16_t heaviest)
{
	for (uint32_t i = 0; i < n; i++)
		members[i] =
			(struct maglev_member){ random64(), (uint16_t)(1 + lrand48() % heaviest) };
}

static void count_slots(const uint16_t *slots, uint32_t n_slots, uint32_t n)
{
	memset(counts, 0, sizeof counts);
	for (uint32_t i = 0; i < n_slots; i++) {
		assert_true(slots[i] < n);
		counts[slots[i]]++;
	}
}

/* Within 2 % of the weight's share, or within the one slot that rounding costs. */
static void assert_balanced(uint32_t n, uint32_t n_slots)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += members[i].weight;
	count_slots(ring, n_slots, n);
	for (uint32_t i = 0; i < n; i++) {
		double share = (double)n_slots * members[i].weight / (double)sum;

		assert_true(fabs(counts[i] - share) <= fmax(1.0, 0.02 * share));
	}
}

static void test_size(void **state)
{
	(void)state;
	assert_int_equal(maglev_slots(0), 256);
	assert_int_equal(maglev_slots(2), 256);
	assert_int_equal(maglev_slots(3), 512);
	assert_int_equal(maglev_slots(10), 1024);
	assert_int_equal(maglev_slots(11), 2048);
	assert_int_equal(maglev_slots(100), 16384);
	assert_int_equal(maglev_slots(100000), 1 << 20);
}

static void test_balance(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 8, 41, 100, 655, 1000 };

	(void)state;
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint32_t n_slots = maglev_slots(sizes[i]);

		for (uint16_t heaviest = 1; heaviest <= 10; heaviest += 3) {
			make_members(sizes[i], heaviest);
			assert_int_equal(maglev_fill(members, sizes[i], ring, n_slots), 0);
			assert_balanced(sizes[i], n_slots);
		}
	}
}

/* One server of 100 leaves: at most 3 % of the slots that it did not have may change hands. */
static void test_disruption(void **state)
{
	const uint32_t n = 100, n_slots = maglev_slots(n);

	(void)state;
	for (int round = 0; round < 20; round++) {
		uint32_t moved = 0, others = 0, gone = (uint32_t)(lrand48() % n);

		make_members(n, 1);
		assert_int_equal(maglev_fill(members, n, ring, n_slots), 0);
		members[gone].weight = 0;
		assert_int_equal(maglev_fill(members, n, other, n_slots), 0);
		for (uint32_t i = 0; i < n_slots; i++) {
			if (ring[i] == gone)
				continue;
			others++;
			moved += ring[i] != other[i];
		}
		assert_true(moved * 100 <= others * 3);
	}
}

/* Both nodes of a pair must build the same ring, in whatever order their files list the servers. */
static void test_order_does_not_matter(void **state)
{
	const uint32_t n = 50, n_slots = maglev_slots(n);
	struct maglev_member reversed[50];

	(void)state;
	make_members(n, 5);
	for (uint32_t i = 0; i < n; i++)
		reversed[i] = members[n - 1 - i];
	assert_int_equal(maglev_fill(members, n, ring, n_slots), 0);
	assert_int_equal(maglev_fill(reversed, n, other, n_slots), 0);
	for (uint32_t i = 0; i < n_slots; i++)
		assert_int_equal(ring[i], n - 1 - other[i]);
}

static void test_nobody_serves(void **state)
{
	(void)state;
	make_members(3, 1);
	for (int i = 0; i < 3; i++)
		members[i].weight = 0;
	assert_int_equal(maglev_fill(members, 3, ring, 512), 0);
	for (int i = 0; i < 512; i++)
		assert_int_equal(ring[i], MAGLEV_EMPTY);
	assert_int_equal(maglev_fill(members, 0, ring, 256), 0);
	assert_int_equal(ring[0], MAGLEV_EMPTY);
}

static void test_bad_sizes(void **state)
{
	(void)state;
	make_members(3, 1);
	assert_int_equal(maglev_fill(members, 3, ring, 0), -EINVAL);
	assert_int_equal(maglev_fill(members, 3, ring, 300), -EINVAL);
	assert_int_equal(maglev_fill(members, 3, ring, 2), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_balance),
		cmocka_unit_test(test_disruption),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_nobody_serves),
		cmocka_unit_test(test_bad_sizes),
	};

	srand48(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
