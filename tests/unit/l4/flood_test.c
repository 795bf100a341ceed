/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include "dataplane/l4/flood.h"

static void test_all_zero_is_no_flood(void **state)
{
	struct l4_flood f = { 0 };

	(void)state;
	for (uint32_t now = 0; now <= UINT16_MAX; now++) {
		assert_false(l4_flood_is_on(&f, (uint16_t)now));
		assert_false(l4_flood_has_cookies(&f, (uint16_t)now));
	}
	assert_false(l4_flood_has_proxied(&f));
}

/* As many as are allowed in each unit, one after the other, make no flood. */
static void test_threshold(void **state)
{
	struct l4_flood f = { 0 };

	(void)state;
	for (uint32_t now = 65530; now < 65545; now++)
		for (int i = 0; i < 3; i++)
			assert_false(l4_flood_syn(&f, 3, (uint16_t)now));
	assert_true(l4_flood_syn(&f, 3, 8));
	assert_int_equal(f.last, 8);
	assert_int_equal(f.syns, 3);
}

static void test_none_allowed(void **state)
{
	struct l4_flood f = { 0 };

	(void)state;
	assert_true(l4_flood_syn(&f, 0, 0));
	assert_int_equal(f.syns, 0);
}

static void test_any_number_allowed(void **state)
{
	struct l4_flood f = { .unit = 7, .syns = UINT32_MAX - 1 };

	(void)state;
	assert_false(l4_flood_syn(&f, UINT32_MAX, 7));
}

/* In the unit of the flood and the next one every SYN is one of it; behind that they are counted again. */
static void test_goes_on_for_a_unit(void **state)
{
	static const uint16_t begins[] = { 0, 5, 65534, 65535 };

	(void)state;
	for (unsigned i = 0; i < sizeof begins / sizeof *begins; i++) {
		uint16_t begin = begins[i];
		struct l4_flood f = { 0 };

		assert_false(l4_flood_syn(&f, 1, begin));
		assert_true(l4_flood_syn(&f, 1, begin));
		assert_true(l4_flood_syn(&f, 1, begin));
		assert_true(
			l4_flood_is_on(&f, (uint16_t)(begin - 1))); /* another processor's clock */
		assert_true(l4_flood_syn(&f, 1, (uint16_t)(begin + 1)));
		assert_false(l4_flood_is_on(&f, (uint16_t)(begin + 2)));
		assert_false(l4_flood_syn(&f, 1, (uint16_t)(begin + 2)));
		assert_true(l4_flood_syn(&f, 1, (uint16_t)(begin + 2)));
	}
}

/* In a flood nothing is written but once in a unit of time. */
static void test_writes_nothing(void **state)
{
	struct l4_flood f = { 0 }, before;

	(void)state;
	for (int i = 0; i < 3; i++)
		l4_flood_syn(&f, 2, 9);
	before = f;
	for (int i = 0; i < 100; i++)
		assert_true(l4_flood_syn(&f, 2, 9));
	assert_memory_equal(&f, &before, sizeof f);
}

/* 64 units long, and not again once the clock's 16 bits have gone round, if somebody has looked in between. */
static void test_cookies_come_back(void **state)
{
	struct l4_flood f = { 0 };

	(void)state;
	l4_flood_syn(&f, 0, 65500);
	assert_true(l4_flood_has_cookies(&f, 65500));
	assert_true(l4_flood_has_cookies(&f, (uint16_t)(65500 + 64)));
	assert_int_equal(f.seen, 1);
	assert_false(l4_flood_has_cookies(&f, (uint16_t)(65500 + 65)));
	assert_false(l4_flood_has_cookies(&f, 65500));
	assert_false(l4_flood_is_on(&f, 65500));
	assert_true(l4_flood_syn(&f, 0, 65500));
	assert_true(l4_flood_has_cookies(&f, 65500));
}

static void test_proxied(void **state)
{
	struct l4_flood f = { .begun = 1 };

	(void)state;
	assert_true(l4_flood_has_proxied(&f));
	f.ended = 1;
	assert_false(l4_flood_has_proxied(&f));
	f.begun = 0; /* 2^32 of them later, less one */
	assert_true(l4_flood_has_proxied(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_zero_is_no_flood),
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_none_allowed),
		cmocka_unit_test(test_any_number_allowed),
		cmocka_unit_test(test_goes_on_for_a_unit),
		cmocka_unit_test(test_writes_nothing),
		cmocka_unit_test(test_cookies_come_back),
		cmocka_unit_test(test_proxied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
