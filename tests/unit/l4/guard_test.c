/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"

struct l4_tables;

/* There are no lists here; tests/unit/snapshot/guard_test.c has some. */
static const void *l4_tables_guard_line(const struct l4_tables *t, uint32_t line)
{
	(void)t;
	(void)line;
	return NULL;
}

#include "dataplane/l4/guard.h"

static bool l4_tables_fine(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first, uint32_t stem)
{
	return l4_filter_fine(t, g, first, stem);
}

static uint32_t l4_tables_list4_count(const struct l4_tables *t, uint32_t line, uint32_t address)
{
	return l4_list4_count(t, line, address);
}

static uint32_t l4_tables_list6_count(
	const struct l4_tables *t, uint32_t line, uint64_t high, uint64_t low)
{
	return l4_list6_count(t, line, high, low);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_sets_of_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
