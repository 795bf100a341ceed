/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include "dataplane/l4/proxied.h"

enum { IDLE = 100, NOW = 5, FLOW = 1000 };

static uint64_t what_of(uint8_t state, uint16_t time)
{
	return l4_proxied_seen(0x0000beefull << L4_PROXIED_SERVICE_AT, state, time);
}

static struct l4_proxied entry_of(uint64_t who, uint8_t state, uint16_t time)
{
	return (struct l4_proxied){
		.who = who, .what = what_of(state, time), .shift = 7, .isn = 8, .idle = IDLE
	};
}

static void test_layout(void **state)
{
	uint64_t what = l4_proxied_scaled(
		l4_proxied_seen(0x12345678ull << L4_PROXIED_SERVICE_AT, 5, 0xabcd), 14, 9);

	(void)state;
	assert_true(what == (0x12345678ull << 32 | 9u << 23 | 14u << 19 | 0xabcdu << 3 | 5));
	assert_int_equal(l4_proxied_state(what), L4_PROXIED_CLOSING);
	assert_int_equal(l4_proxied_time(what), 0xabcd);
	assert_int_equal(l4_proxied_client_scale(what), 14);
	assert_int_equal(l4_proxied_server_scale(what), 9);
	assert_int_equal(l4_proxied_service(what), 0x12345678);
	what = l4_proxied_seen(what, L4_PROXIED_OPEN, 1);
	assert_true(what == (0x12345678ull << 32 | 9u << 23 | 14u << 19 | 1u << 3 | 4));
	what = l4_proxied_scaled(what, 15, 0);
	assert_true(what == (0x12345678ull << 32 | 15u << 19 | 1u << 3 | 4));
}

/* At the limit a connection lives, one unit later it does not, wherever the clock begins anew. */
static void test_is_over(void **state)
{
	static const struct {
		uint8_t state;
		uint16_t limit;
	} limits[] = {
		{ L4_PROXIED_ASKED, 5 },
		{ L4_PROXIED_OPENING, 5 },
		{ L4_PROXIED_OPEN, IDLE },
		{ L4_PROXIED_CLOSING, 56 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++)
		for (uint32_t time = 0; time < 65536; time += 17) {
			uint64_t what = what_of(limits[i].state, (uint16_t)time);

			assert_false(
				l4_proxied_is_over(what, IDLE, (uint16_t)(time + limits[i].limit)));
			assert_true(l4_proxied_is_over(
				what, IDLE, (uint16_t)(time + limits[i].limit + 1)));
			assert_false(l4_proxied_is_over(what, IDLE, (uint16_t)(time - 1)));
		}
	/* A connection that closes lives no longer than an open one. */
	assert_false(l4_proxied_is_over(what_of(L4_PROXIED_CLOSING, 0), 9, 9));
	assert_true(l4_proxied_is_over(what_of(L4_PROXIED_CLOSING, 0), 9, 10));
	assert_true(l4_proxied_is_over(0, IDLE, 0));
	assert_false(l4_proxied_is_over(what_of(L4_PROXIED_BUSY, 0), 0, 1000));
}

static void test_find(void **state)
{
	struct l4_proxied_bucket b = {
		.entries = { entry_of(1, L4_PROXIED_OPEN, NOW), entry_of(2, L4_PROXIED_BUSY, NOW),
			entry_of(FLOW, L4_PROXIED_ASKED, NOW), entry_of(3, L4_PROXIED_OPEN, NOW) }
	};
	struct l4_proxied_found f = l4_proxied_find(&b, FLOW, NOW);

	(void)state;
	assert_ptr_equal(f.at, &b.entries[2]);
	assert_true(f.what == b.entries[2].what);
	assert_int_equal(f.shift, 7);
	assert_int_equal(f.isn, 8);
	assert_int_equal(f.idle, IDLE);
	assert_null(l4_proxied_find(&b, FLOW, NOW + 6).at); /* it has waited for too long */
	assert_null(l4_proxied_find(&b, 2, NOW).at);
	assert_null(l4_proxied_find(&b, FLOW ^ 1ull << 63, NOW).at);
	b.entries[2].what = 0;
	assert_null(l4_proxied_find(&b, FLOW, NOW).at);
}

static void test_put_only_what_was_read(void **state)
{
	struct l4_proxied e = entry_of(1, L4_PROXIED_ASKED, NOW), before = e,
			  to = entry_of(2, L4_PROXIED_OPEN, 9);

	(void)state;
	to.shift = 70;
	to.isn = 80;
	to.idle = 90;
	assert_false(l4_proxied_put(&e, e.what ^ 8, &to));
	assert_memory_equal(&e, &before, sizeof e);
	assert_true(l4_proxied_put(&e, e.what, &to));
	assert_memory_equal(&e, &to, sizeof e);
	assert_false(l4_proxied_exchange(&e, 0, 1));
	assert_true(l4_proxied_exchange(&e, e.what, what_of(L4_PROXIED_CLOSING, 10)));
	assert_true(e.what == what_of(L4_PROXIED_CLOSING, 10) && e.who == 2);
}

/* Which entry of the bucket the flow begins in; 4: none. What was in all others is still there. */
static unsigned place_of(const struct l4_proxied entries[4], uint16_t now)
{
	const struct l4_proxied to = entry_of(FLOW, L4_PROXIED_ASKED, now);
	struct l4_proxied_bucket b;
	unsigned place = 4;

	for (unsigned i = 0; i < 4; i++)
		b.entries[i] = entries[i];
	if (l4_proxied_begin(&b, &to, now))
		for (place = 0; place < 3 && b.entries[place].who != FLOW;)
			place++;
	for (unsigned i = 0; i < 4; i++)
		assert_memory_equal(&b.entries[i], i == place ? &to : &entries[i], sizeof to);
	return place;
}

static void test_begin(void **state)
{
	struct l4_proxied e[4] = { entry_of(1, L4_PROXIED_OPEN, NOW),
		entry_of(2, L4_PROXIED_OPEN, 4), entry_of(3, L4_PROXIED_CLOSING, 4),
		entry_of(4, L4_PROXIED_OPEN, NOW) };

	(void)state;
	assert_int_equal(place_of(e, NOW), 4); /* none that is live is taken */
	e[2] = (struct l4_proxied){ 0 };
	assert_int_equal(place_of(e, NOW), 2);
	e[2] = entry_of(3, L4_PROXIED_BUSY, 0);
	assert_int_equal(place_of(e, NOW), 4); /* nor one that is being written */
	e[2] = entry_of(FLOW, L4_PROXIED_BUSY, 0);
	assert_int_equal(place_of(e, NOW), 4);
	e[2] = entry_of(3, L4_PROXIED_CLOSING, (uint16_t)(NOW - 57));
	assert_int_equal(place_of(e, NOW), 2);
	e[2] = entry_of(3, L4_PROXIED_CLOSING, NOW - 1 - L4_PROXIED_LINGER);
	assert_int_equal(place_of(e, NOW), 2); /* closing, and silent for long enough */
	e[2] = entry_of(3, L4_PROXIED_OPEN, (uint16_t)(NOW - IDLE - 1));
	assert_int_equal(place_of(e, NOW), 2);
	e[0] = entry_of(1, L4_PROXIED_ASKED, (uint16_t)(NOW - 5));
	assert_int_equal(place_of(e, NOW), 2); /* over first */
	e[2] = entry_of(3, L4_PROXIED_OPENING, 4);
	assert_int_equal(place_of(e, NOW), 0); /* then who has waited for longest */
	e[2] = entry_of(3, L4_PROXIED_OPENING, (uint16_t)(NOW - 5));
	e[0] = entry_of(1, L4_PROXIED_ASKED, 4);
	assert_int_equal(place_of(e, NOW), 2);
	e[1] = entry_of(FLOW, L4_PROXIED_OPEN, 1);
	assert_int_equal(place_of(e, NOW), 1); /* its own before all */
	e[0] = entry_of(1, L4_PROXIED_OPEN, (uint16_t)(NOW - IDLE - 1));
	assert_int_equal(place_of(e, NOW), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_is_over),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_put_only_what_was_read),
		cmocka_unit_test(test_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
