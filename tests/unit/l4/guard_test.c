/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <string.h>

#include "dataplane/l4/tables.h"

struct l4_tables;

/* There are no lists here; tests/unit/snapshot/guard_test.c has some. */
static const void *l4_tables_guard_line(const struct l4_tables *t, uint32_t line)
{
	(void)t;
	(void)line;
	return NULL;
}

struct l4_way;

static struct l4_way *l4_tables_way(const struct l4_tables *t)
{
	(void)t;
	return NULL;
}

static uint8_t l4_tables_byte(const struct l4_tables *t, uint32_t at)
{
	(void)t;
	(void)at;
	return 0;
}

static uint16_t time_now;
static struct l4_source_bucket bucket; /* of all sources */

static uint16_t l4_tables_now(const struct l4_tables *t)
{
	(void)t;
	return time_now;
}

static struct l4_source_bucket *l4_tables_sources(const struct l4_tables *t, uint64_t hash)
{
	(void)t;
	(void)hash;
	return &bucket;
}

#include "dataplane/dpdk/lists.h"
#include "dataplane/l4/guard.h"

static enum l4_verdict l4_tables_rate(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return l4_rate(t, g, p);
}

static enum l4_verdict l4_tables_guard(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	return l4_guard(t, g, p);
}

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

/* RFC 9293, section 3.10.7, in words. */
static bool makes_sense(unsigned flags)
{
	unsigned kind = flags & (FIN | SYN | RST);

	if (kind == SYN)
		return (flags & (ACK | URG)) != (ACK | URG);
	if (kind == RST)
		return !(flags & URG);
	return (kind == 0 || kind == FIN) && flags & ACK;
}

static void test_all_sets_of_flags(void **state)
{
	const struct l4_guard guard = { .checks = L4_GUARD_FLAGS }, none = { .checks = 0 };

	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		const struct l4_guarded tcp = { 0, 0xcb007107, L4_GUARDED_TCP | flags },
					udp = { 0, 0xcb007107, 0 };

		assert_int_equal(l4_tables_guard(NULL, &guard, tcp),
			makes_sense(flags) ? L4_V_FORWARDED : L4_V_INVALID_FLAGS);
		assert_int_equal(l4_tables_guard(NULL, &none, tcp), L4_V_FORWARDED);
		assert_int_equal(l4_tables_guard(NULL, &guard, udp), L4_V_FORWARDED);
	}
}

static enum l4_verdict sends(const struct l4_guard *g, uint32_t source, unsigned flags)
{
	return l4_tables_guard(NULL, g, (struct l4_guarded){ 0, source, L4_GUARDED_TCP | flags });
}

static void test_rates(void **state)
{
	const struct l4_guard g = { .checks = L4_GUARD_RATES, .rate = 5, .syn_rate = 2 };

	(void)state;
	memset(&bucket, 0, sizeof bucket);
	for (time_now = 0; time_now < 3; time_now++) {
		assert_int_equal(sends(&g, 1, SYN), L4_V_FORWARDED);
		assert_int_equal(sends(&g, 1, SYN | ACK), L4_V_FORWARDED);
		assert_int_equal(sends(&g, 1, SYN), L4_V_FORWARDED);
		assert_int_equal(sends(&g, 1, SYN), L4_V_SOURCE_SYN_RATE);
		assert_int_equal(sends(&g, 2, SYN), L4_V_FORWARDED);
		assert_int_equal(sends(&g, 1, ACK), L4_V_FORWARDED);
		assert_int_equal(sends(&g, 1, ACK), L4_V_FORWARDED);
		assert_int_equal(sends(&g, 1, ACK), L4_V_SOURCE_RATE);
		assert_int_equal(sends(&g, 1, SYN), L4_V_SOURCE_RATE);
		assert_int_equal(sends(&g, 2, ACK), L4_V_FORWARDED);
	}
}

/* Who has sent least gives way; a flooder does not. */
static void test_eviction(void **state)
{
	const struct l4_guard g = { .checks = L4_GUARD_RATES, .rate = 5 };

	(void)state;
	memset(&bucket, 0, sizeof bucket);
	time_now = 7;
	for (int i = 0; i < 5; i++)
		assert_int_equal(sends(&g, 1, ACK), L4_V_FORWARDED);
	for (uint32_t source = 2; source < 100; source++) {
		assert_int_equal(sends(&g, source, ACK), L4_V_FORWARDED);
		assert_int_equal(sends(&g, 1, ACK), L4_V_SOURCE_RATE);
	}
	time_now++; /* of those that are full again any may go */
	for (uint32_t source = 100; source < 104; source++)
		for (int i = 0; i < 5; i++)
			assert_int_equal(sends(&g, source, ACK), L4_V_FORWARDED);
	for (uint32_t source = 100; source < 104; source++)
		assert_int_equal(sends(&g, source, ACK), L4_V_SOURCE_RATE);
}

/* An IPv6 source is its /64; services count for themselves. */
static void test_who_a_source_is(void **state)
{
	const struct l4_guard a = { .checks = L4_GUARD_RATES, .rate = 1, .service_id = 1 },
			      b = { .checks = L4_GUARD_RATES, .rate = 1, .service_id = 2 };
	const struct l4_guarded p = { 5, 5, L4_GUARDED_IS6 }, q = { 5, 6, L4_GUARDED_IS6 },
				other = { 6, 5, L4_GUARDED_IS6 }, four = { 0, 5, 0 };

	(void)state;
	memset(&bucket, 0, sizeof bucket);
	time_now = 9;
	assert_int_equal(l4_tables_guard(NULL, &a, p), L4_V_FORWARDED);
	assert_int_equal(l4_tables_guard(NULL, &a, q), L4_V_SOURCE_RATE);
	assert_int_equal(l4_tables_guard(NULL, &a, other), L4_V_FORWARDED);
	assert_int_equal(l4_tables_guard(NULL, &a, four), L4_V_FORWARDED);
	assert_int_equal(l4_tables_guard(NULL, &b, p), L4_V_FORWARDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_sets_of_flags),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_who_a_source_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
