/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "controlplane/pools/keeper.h"

static void test_unresolved_is_asked_again(void **state)
{
	struct keeper_hop h = { .hop.ifindex = 1 };
	unsigned asked = 0;

	(void)state;
	for (uint64_t now = 1000; now < 1000 + 10 * KEEPER_RETRY_MS; now += 100)
		asked += keeper_step(&h, HOST_NEIGHBOUR_NONE, now);
	assert_int_equal(asked, 10);
}

static void test_usable_is_left_alone(void **state)
{
	struct keeper_hop h = { .hop.ifindex = 1 };

	(void)state;
	assert_true(keeper_step(&h, HOST_NEIGHBOUR_NONE, 1000));
	assert_false(keeper_step(&h, HOST_NEIGHBOUR_USABLE, 1001));
	/* Lost again: asked at once. */
	assert_true(keeper_step(&h, HOST_NEIGHBOUR_NONE, 1002));
	assert_false(keeper_step(&h, HOST_NEIGHBOUR_NONE, 1003));
}

static void test_stale_is_refreshed_once(void **state)
{
	struct keeper_hop h = { .hop.ifindex = 1 };

	(void)state;
	assert_false(keeper_step(&h, HOST_NEIGHBOUR_USABLE, 1000));
	assert_true(keeper_step(&h, HOST_NEIGHBOUR_STALE, 1000));
	assert_false(keeper_step(&h, HOST_NEIGHBOUR_STALE, 1000 + KEEPER_RETRY_MS - 1));
	assert_true(keeper_step(&h, HOST_NEIGHBOUR_STALE, 1000 + KEEPER_RETRY_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unresolved_is_asked_again),
		cmocka_unit_test(test_usable_is_left_alone),
		cmocka_unit_test(test_stale_is_refreshed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
