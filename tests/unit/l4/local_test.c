/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/l4/local.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t own[6] = { 2, 0, 0, 0, 0x0f, 1 };

static struct l4_note note(void)
{
	struct l4_note n = { .local = { .vip_id = 3, .service_id = 7 } };

	memcpy(n.mac, own, sizeof own);
	return n;
}

/* A frame to one of our addresses comes out as one to the interface, and as it was otherwise. */
static void test_address(void **state)
{
	static const uint8_t dsts[][6] = { { 2, 0, 0, 0, 0x0f, 1 }, { 0, 0, 0x5e, 0, 1, 9 } };
	const struct l4_note n = note();

	(void)state;
	for (size_t i = 0; i < sizeof dsts / sizeof *dsts; i++) {
		uint8_t bytes[60], want[60];
		struct l4_frame f = { bytes, bytes + sizeof bytes, sizeof bytes };
		struct l4_result r;

		memset(bytes, 0xa5, sizeof bytes);
		memcpy(want, bytes, sizeof want);
		memcpy(bytes, dsts[i], 6);
		memcpy(want, own, 6);
		assert_int_equal(l4_local(&f, &n, &r), L4_V_LOCAL);
		assert_memory_equal(bytes, want, sizeof want);
		assert_int_equal(r.service_id, 7);
		assert_int_equal(r.vip_id, 3);
		assert_int_equal(r.ifindex, 0);
	}
}

static void test_short(void **state)
{
	const struct l4_note n = note();
	uint8_t bytes[13] = { 0 };
	struct l4_frame f = { bytes, bytes + sizeof bytes, sizeof bytes };
	struct l4_result r;

	(void)state;
	assert_int_equal(l4_local(&f, &n, &r), L4_V_ENGINE_FAULT);
	assert_int_equal(bytes[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
