/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"

struct l4_tables;
#include "dataplane/l4/guard.h"

static enum l4_verdict l4_tables_guard(
	const struct l4_tables *t, const struct l4_guard *g, const struct l4_guarded *p)
{
	(void)t;
	return l4_guard(g, p);
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

static struct l4_guarded packet(uint8_t protocol, unsigned flags)
{
	return (struct l4_guarded){
		.flow = { .src = { L4_BE32(0xcb007107) },
			.dst = { L4_BE32(0xc000020a) },
			.sport = L4_BE16(40000),
			.dport = L4_BE16(80),
			.protocol = protocol },
		.tcp_flags = (uint8_t)flags,
	};
}

static void test_all_sets_of_flags(void **state)
{
	const struct l4_guard guard = { .checks = L4_GUARD_FLAGS }, none = { .checks = 0 };

	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		struct l4_guarded tcp = packet(L4_PROTO_TCP, flags),
				  udp = packet(L4_PROTO_UDP, flags);

		assert_int_equal(l4_tables_guard(NULL, &guard, &tcp),
			makes_sense(flags) ? L4_V_FORWARDED : L4_V_INVALID_FLAGS);
		assert_int_equal(l4_tables_guard(NULL, &none, &tcp), L4_V_FORWARDED);
		assert_int_equal(l4_tables_guard(NULL, &guard, &udp), L4_V_FORWARDED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_sets_of_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
