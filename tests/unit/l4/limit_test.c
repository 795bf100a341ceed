/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/l4/limit.h"
#include "tests/unit/test.h"

/* How many of `tries` tokens the bucket gives at one moment. */
static unsigned taken(struct l4_limit *l, uint16_t now, uint32_t size, unsigned tries)
{
	unsigned n = 0;

	while (tries--)
		n += l4_limit_take(l, now, size);
	return n;
}

static void test_no_more_than_it_holds(void **state)
{
	struct l4_limit l = { 0 };

	(void)state;
	assert_int_equal(taken(&l, 0, 3, 10), 3);
	assert_int_equal(taken(&l, 0, 3, 10), 0);
	assert_int_equal(taken(&l, 0, 0, 10), 0);
	assert_int_equal(taken(&l, 0, 4, 10), 1); /* it has become larger */
}

static void test_time_fills_it_up(void **state)
{
	struct l4_limit l = { 0 };

	(void)state;
	for (uint32_t now = 0; now < 70000; now += 7) /* coarse time begins again at 2^16 */
		assert_int_equal(taken(&l, (uint16_t)now, 5, 9), 5);
	/* What was not taken is not kept. */
	assert_int_equal(taken(&l, 1000, 5, 2), 2);
	assert_int_equal(taken(&l, 2000, 5, 20), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_more_than_it_holds),
		cmocka_unit_test(test_time_fills_it_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
