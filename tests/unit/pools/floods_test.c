/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/floods.h"
#include <string.h>
#include "tests/unit/test.h"

enum { IDS = 4, ENTRIES = 8, ID = 2, OTHER = 3, NOW = 1000, REAL = 1700000000 };

static struct floods *floods;
static struct l4_flood rows[IDS];
static struct l4_proxied table[ENTRIES];

static int setup(void **state)
{
	(void)state;
	memset(rows, 0, sizeof rows);
	memset(table, 0, sizeof table);
	floods = floods_new(IDS);
	return floods ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	floods_free(floods);
	return 0;
}

/* What packets write while more SYNs come than may. */
static void flood_at(uint16_t now)
{
	l4_flood_syn(&rows[ID], 0, now);
}

static enum floods_news look(uint64_t answered, uint16_t now, int64_t ms)
{
	return floods_look(floods, ID, &rows[ID], answered, now, REAL + ms);
}

static const struct floods_service *known(void)
{
	return floods_service(floods, ID);
}

static void a_flood_begins_and_is_over(void **state)
{
	(void)state;
	assert_int_equal(look(0, NOW, 0), FLOODS_NONE);
	assert_false(known()->on || known()->cookies);
	flood_at(NOW + 1);
	assert_int_equal(look(500, NOW + 1, 1000), FLOODS_BEGUN);
	assert_true(known()->on && known()->cookies);
	assert_true(known()->since_ms == REAL + 1000);
	assert_true(known()->syns_per_s == 500);
	assert_int_equal(look(501, NOW + 2, 3000), FLOODS_NONE);
	assert_true(known()->since_ms == REAL + 1000);
	assert_true(known()->syns_per_s == 0); /* half a one */
	assert_int_equal(look(501, NOW + 1 + FLOODS_QUIET, 4000), FLOODS_NONE);
	assert_true(known()->on);
	assert_int_equal(look(501, NOW + 2 + FLOODS_QUIET, 5000), FLOODS_OVER);
	assert_false(known()->on);
	assert_true(known()->cookies);
	assert_false(floods_service(floods, OTHER)->on);
}

/* Packets that came and went between two looks were no flood's. */
static void what_was_over_before_it_was_seen_is_not_told(void **state)
{
	(void)state;
	flood_at(NOW);
	assert_int_equal(look(0, NOW + L4_FLOOD_AGE + 1, 0), FLOODS_NONE);
	flood_at(NOW + 5);
	assert_int_equal(look(0, NOW + 5 + L4_FLOOD_AGE, 1000), FLOODS_BEGUN);
}

static void a_flood_that_comes_back_soon_is_the_same(void **state)
{
	(void)state;
	flood_at(NOW);
	assert_int_equal(look(0, NOW, 0), FLOODS_BEGUN);
	for (uint16_t t = 0; t < 50; t++) {
		if (t % FLOODS_QUIET == 0)
			flood_at(NOW + t);
		assert_int_equal(look(0, NOW + t, t), FLOODS_NONE);
	}
	assert_true(known()->since_ms == REAL);
}

/* Coarse time comes round again in 19 hours. */
static void old_floods_are_forgotten(void **state)
{
	(void)state;
	flood_at(NOW);
	look(0, NOW, 0);
	look(0, NOW + L4_FLOOD_COOKIES_AGE, 0);
	assert_true(known()->cookies);
	look(0, NOW + L4_FLOOD_COOKIES_AGE + 1, 0);
	assert_false(known()->cookies);
	assert_int_equal(look(0, NOW, 0), FLOODS_NONE);
}

static void rates_of_clocks_and_counters_that_go_back(void **state)
{
	(void)state;
	look(1000, NOW, 0);
	assert_true(known()->syns_per_s == 0); /* of all that was before */
	look(1500, NOW, 500);
	assert_true(known()->syns_per_s == 1000);
	look(1600, NOW, 500);
	assert_true(known()->syns_per_s == 0);
	look(1700, NOW, 400);
	assert_true(known()->syns_per_s == 0);
	look(100, NOW, 1400);
	assert_true(known()->syns_per_s == 0);
}

static void a_number_with_another_service_starts_anew(void **state)
{
	(void)state;
	flood_at(NOW);
	look(1000, NOW, 0);
	floods_forget(floods, ID);
	floods_forget(floods, IDS);
	assert_false(known()->on);
	assert_int_equal(look(5000, NOW, 1000), FLOODS_BEGUN);
	assert_true(known()->syns_per_s == 0);
	assert_null(floods_service(floods, IDS));
	assert_int_equal(floods_look(floods, IDS, rows, 0, NOW, 0), FLOODS_NONE);
}

static struct l4_proxied entry(uint32_t id, enum l4_proxied_state state, uint16_t seen)
{
	return (struct l4_proxied){ .who = 7,
		.what = (uint64_t)id << L4_PROXIED_SERVICE_AT |
			(uint64_t)seen << L4_PROXIED_TIME_AT | state,
		.idle = 100 };
}

static unsigned sweep(uint16_t now)
{
	floods_sweep_begin(floods, rows);
	floods_sweep_part(floods, table, ENTRIES / 2, now);
	floods_sweep_part(floods, table + ENTRIES / 2, ENTRIES / 2, now);
	return floods_sweep_end(floods, rows);
}

static void connections_are_counted_until_they_are_over(void **state)
{
	(void)state;
	rows[ID].begun = 3;
	rows[OTHER].begun = 1;
	table[0] = entry(ID, L4_PROXIED_OPEN, NOW);
	table[5] = entry(ID, L4_PROXIED_ASKED, NOW);
	table[7] = entry(OTHER, L4_PROXIED_CLOSING, NOW);
	table[3] = entry(IDS, L4_PROXIED_OPEN, NOW); /* of nobody */
	assert_int_equal(sweep(NOW), 0);
	assert_int_equal(known()->proxied, 2);
	assert_int_equal(floods_service(floods, OTHER)->proxied, 1);
	assert_int_equal(sweep(NOW + L4_EMBRYONIC_AGE + 1), 0);
	assert_int_equal(known()->proxied, 1);
	assert_int_equal(l4_proxied_state(table[5].what), L4_PROXIED_EMPTY);
	assert_true(table[0].what == entry(ID, L4_PROXIED_OPEN, NOW).what);
	assert_int_equal(sweep(NOW + L4_CLOSING_AGE + 1), 1);
	assert_int_equal(rows[OTHER].ended, 1);
	assert_true(l4_flood_has_proxied(&rows[ID]));
	assert_int_equal(sweep(NOW + 101), 1);
	assert_int_equal(known()->proxied, 0);
	assert_false(l4_flood_has_proxied(&rows[ID]));
	assert_int_equal(sweep(NOW + 102), 0);
}

/* It is counted before it is written: a sweep may come in between. */
static void what_has_just_begun_is_not_over(void **state)
{
	(void)state;
	rows[ID].begun = 1;
	assert_int_equal(sweep(NOW), 0); /* the first: nothing is known of before */
	rows[ID].begun = 2;
	assert_int_equal(sweep(NOW), 0);
	assert_true(l4_flood_has_proxied(&rows[ID]));
	assert_int_equal(sweep(NOW), 1);
	assert_int_equal(rows[ID].ended, 2);
}

/* ... or during the sweep. */
static void what_begins_meanwhile_is_not_over(void **state)
{
	(void)state;
	rows[ID].begun = 1;
	sweep(NOW);
	floods_sweep_begin(floods, rows);
	rows[ID].begun = 2;
	floods_sweep_part(floods, table, ENTRIES, NOW);
	floods_sweep_end(floods, rows);
	assert_true(l4_flood_has_proxied(&rows[ID]));
}

/* Whose it is cannot be told. */
static void what_is_being_written_is_anybodys(void **state)
{
	(void)state;
	rows[ID].begun = 1;
	table[1].what = L4_PROXIED_BUSY;
	for (int i = 0; i < 3; i++)
		assert_int_equal(sweep(NOW), 0);
	assert_true(l4_flood_has_proxied(&rows[ID]));
	table[1].what = L4_PROXIED_EMPTY;
	assert_int_equal(sweep(NOW), 1);
}

static void doubt_makes_it_look_again(void **state)
{
	(void)state;
	rows[ID].begun = rows[ID].ended = 9;
	floods_doubt(rows, IDS);
	assert_true(l4_flood_has_proxied(&rows[ID]));
	assert_false(l4_flood_has_proxied(&rows[OTHER]));
	assert_int_equal(sweep(NOW), 0);
	assert_int_equal(sweep(NOW), 1);
	assert_false(l4_flood_has_proxied(&rows[ID]));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_flood_begins_and_is_over),
		CASE(what_was_over_before_it_was_seen_is_not_told),
		CASE(a_flood_that_comes_back_soon_is_the_same),
		CASE(old_floods_are_forgotten),
		CASE(rates_of_clocks_and_counters_that_go_back),
		CASE(a_number_with_another_service_starts_anew),
		CASE(connections_are_counted_until_they_are_over),
		CASE(what_has_just_begun_is_not_over),
		CASE(what_begins_meanwhile_is_not_over),
		CASE(what_is_being_written_is_anybodys),
		CASE(doubt_makes_it_look_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
