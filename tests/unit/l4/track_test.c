/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include "dataplane/l4/track.h"

enum { OWNER = 1, BASE = 2, THIRD = 3 };

static const struct l4_sides sides = { OWNER, BASE };

static void check(struct l4_choice got, uint16_t server, uint8_t record, bool begins)
{
	assert_int_equal(got.server, server);
	assert_int_equal(got.state, record);
	assert_int_equal(got.begins, begins);
}

/* All 64 combinations of the six flags that TCP began with. */
static void test_signal(void **state)
{
	enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

	(void)state;
	for (unsigned flags = 0; flags < 64; flags++) {
		enum l4_signal want = L4_SIGNAL_DATA;

		if (flags & FIN || flags & RST)
			want = L4_SIGNAL_END;
		else if (flags & SYN && !(flags & ACK))
			want = L4_SIGNAL_SYN;
		assert_int_equal(l4_tcp_signal((uint8_t)flags), want);
		assert_int_equal(l4_tcp_signal((uint8_t)(flags | 0xc0)), want); /* ECE, CWR */
	}
}

static void test_without_a_record(void **state)
{
	(void)state;
	check(l4_track_new(L4_SIGNAL_SYN, sides), OWNER, L4_RECORD_EMBRYONIC, true);
	check(l4_track_new(L4_SIGNAL_DATA, sides), BASE, L4_RECORD_LIVE, false);
	check(l4_track_new(L4_SIGNAL_NONE, sides), BASE, L4_RECORD_LIVE, false);
	check(l4_track_new(L4_SIGNAL_END, sides), BASE, L4_RECORD_CLOSING, false);
}

/* Of a third server, which is neither owner nor base: what a record says counts, and nothing else. */
static void test_with_a_record(void **state)
{
	static const struct {
		uint8_t record;
		enum l4_signal signal;
		uint16_t server;
		uint8_t then;
		bool begins;
	} rules[] = {
		{ L4_RECORD_EMBRYONIC, L4_SIGNAL_SYN, THIRD, L4_RECORD_EMBRYONIC, false },
		{ L4_RECORD_EMBRYONIC, L4_SIGNAL_DATA, THIRD, L4_RECORD_LIVE, false },
		{ L4_RECORD_EMBRYONIC, L4_SIGNAL_END, THIRD, L4_RECORD_CLOSING, false },
		{ L4_RECORD_LIVE, L4_SIGNAL_SYN, THIRD, L4_RECORD_LIVE, false },
		{ L4_RECORD_LIVE, L4_SIGNAL_DATA, THIRD, L4_RECORD_LIVE, false },
		{ L4_RECORD_LIVE, L4_SIGNAL_NONE, THIRD, L4_RECORD_LIVE, false },
		{ L4_RECORD_LIVE, L4_SIGNAL_END, THIRD, L4_RECORD_CLOSING, false },
		{ L4_RECORD_CLOSING, L4_SIGNAL_SYN, OWNER, L4_RECORD_EMBRYONIC, true },
		{ L4_RECORD_CLOSING, L4_SIGNAL_DATA, THIRD, L4_RECORD_CLOSING, false },
		{ L4_RECORD_CLOSING, L4_SIGNAL_END, THIRD, L4_RECORD_CLOSING, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		check(l4_track_known(rules[i].signal, 101, sides, l4_record_who(9, 100),
			      l4_record_what(0, rules[i].record, false, 7, THIRD)),
			rules[i].server, rules[i].then, rules[i].begins);
}

static void test_window(void **state)
{
	const uint64_t low = l4_record_who(9, 100), high = l4_record_who(9, 0xffffff00);

	(void)state;
	assert_false(l4_track_continues(low, 100));
	assert_true(l4_track_continues(low, 101));
	assert_true(l4_track_continues(low, 100 + L4_HANDSHAKE_WINDOW));
	assert_false(l4_track_continues(low, 101 + L4_HANDSHAKE_WINDOW));
	assert_false(l4_track_continues(low, 0));
	assert_false(l4_track_continues(low, 0x80000064));
	assert_true(l4_track_continues(high, 0));
	assert_true(l4_track_continues(high, (uint32_t)(0xffffff00 + L4_HANDSHAKE_WINDOW)));
	assert_false(l4_track_continues(high, (uint32_t)(0xffffff01 + L4_HANDSHAKE_WINDOW)));
}

/* What does not continue the handshake is as without a record. */
static void test_older_flow_behind_a_forged_syn(void **state)
{
	const uint64_t who = l4_record_who(9, 100),
		       what = l4_record_what(0, L4_RECORD_EMBRYONIC, false, 7, THIRD);

	(void)state;
	check(l4_track_known(L4_SIGNAL_DATA, 500000, sides, who, what), BASE, L4_RECORD_LIVE,
		false);
	check(l4_track_known(L4_SIGNAL_END, 500000, sides, who, what), BASE, L4_RECORD_CLOSING,
		false);
	check(l4_track_known(L4_SIGNAL_SYN, 500000, sides, who, what), THIRD, L4_RECORD_EMBRYONIC,
		false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_without_a_record),
		cmocka_unit_test(test_with_a_record),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_older_flow_behind_a_forged_syn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
