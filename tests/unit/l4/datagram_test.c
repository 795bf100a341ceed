/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/datagram.h"

enum {
	UNITS = L4_DATAGRAM_WORDS * 64,
	PART_UNITS = L4_FRAGMENT_MAX / 8,
	NOW = 1000,
	UDP = 17,
};

static const uint64_t hash = 0xaabbc123deadbeef;

static uint32_t draw(uint32_t n)
{
	static uint64_t seed = 12345;

	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((seed >> 32) * n >> 32);
}

static struct l4_part part(uint32_t from, uint32_t to, bool last)
{
	return (struct l4_part){ from, to - from, last };
}

static void test_layout(void **state)
{
	uint64_t what = l4_datagram_what(UDP, 0xabcd, 0x1234, 0x5678);

	(void)state;
	assert_true(what == 0x56781234abcd1102);
	assert_int_equal(l4_datagram_state(what), L4_DATAGRAM_OPEN);
	assert_int_equal(sizeof(struct l4_parts), 16 + UNITS / 8);
}

static void test_age(void **state)
{
	static const struct {
		uint16_t time, now, age;
	} ages[] = {
		{ 0, 0, 0 }, { 5, 1000, 995 }, { 65535, 1, 2 }, { 65534, 1, 3 },
		{ 1001, 1000, 0 },     /* a clock one unit behind */
		{ 0, 65535, 0 },       /* likewise */
		{ 1002, 1000, 65534 }, /* two are no clock's doing */
	};

	(void)state;
	for (size_t i = 0; i < sizeof ages / sizeof *ages; i++)
		assert_int_equal(
			l4_datagram_age(l4_datagram_what(UDP, ages[i].time, 1, 2), ages[i].now),
			ages[i].age);
}

/* A byte for each unit, and what l4_parts_mark() has to say of it. */
static bool mark_plainly(uint8_t *units, struct l4_part p)
{
	bool fresh = true;

	for (uint32_t i = p.from; i < p.from + p.units && (fresh || i % 64); i++) {
		fresh &= !units[i];
		units[i] = 1;
	}
	return fresh;
}

static void assert_marks(const struct l4_parts *parts, const uint8_t *units)
{
	for (uint32_t i = 0; i < UNITS; i++)
		assert_int_equal(parts->units[i / 64] >> i % 64 & 1, units[i]);
}

static struct l4_part any_part(void)
{
	static const uint32_t longest[] = { 1, 8, 63, 64, 65, 190, PART_UNITS };
	uint32_t most = longest[draw(sizeof longest / sizeof *longest)], from = draw(UNITS), n;

	if (draw(3) == 0)
		from = from / 64 * 64;
	n = draw(4) ? 1 + draw(most) : most;
	if (n > UNITS - from)
		n = UNITS - from;
	return (struct l4_part){ from, n, false };
}

static void test_marks_as_a_plain_model(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct l4_parts parts = { 0 };
		uint8_t units[UNITS] = { 0 };

		for (unsigned i = 0; i < 12; i++) {
			struct l4_part p = any_part();

			assert_int_equal(l4_parts_mark(&parts, p), mark_plainly(units, p));
		}
		assert_marks(&parts, units);
		assert_int_equal(parts.got | parts.end, 0);
	}
}

/* Every place and length around the ends of words, and all that a fragment may have. */
static void test_marks_at_the_edges(void **state)
{
	static const uint32_t lengths[] = { 1, 2, 63, 64, 65, 127, 128, 129, PART_UNITS - 1,
		PART_UNITS };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		for (uint32_t from = 0; from <= 130 && from + lengths[i] <= UNITS; from++) {
			struct l4_parts parts = { 0 };
			uint8_t units[UNITS] = { 0 };
			struct l4_part p = { from, lengths[i], false };

			assert_true(l4_parts_mark(&parts, p));
			mark_plainly(units, p);
			assert_marks(&parts, units);
			assert_false(l4_parts_mark(&parts, part(from, from + 1, false)));
			assert_false(l4_parts_mark(
				&parts, part(from + lengths[i] - 1, from + lengths[i], false)));
		}
	}
}

static void test_marks_the_last_units(void **state)
{
	struct l4_parts parts = { 0 };

	(void)state;
	assert_true(l4_parts_mark(&parts, part(UNITS - 1, UNITS, true)));
	assert_true(parts.units[L4_DATAGRAM_WORDS - 1] == 1ull << 63);
	assert_true(l4_parts_mark(&parts, part(UNITS - PART_UNITS, UNITS - 1, false)));
	assert_false(
		l4_parts_mark(&parts, part(UNITS - PART_UNITS, UNITS - PART_UNITS + 1, false)));
	assert_true(l4_parts_mark(&parts, part(0, UNITS - PART_UNITS, false)));
	for (unsigned i = 0; i < L4_DATAGRAM_WORDS; i++)
		assert_true(parts.units[i] == UINT64_MAX);
}

static uint32_t begin(struct l4_datagram_bucket *b, uint64_t who, uint16_t now, uint64_t *what)
{
	*what = l4_datagram_what(UDP, now, (uint16_t)who, 53);
	return l4_datagram_begin(b, who, *what, now);
}

/* Cuts a datagram of so many units in parts, which come in any order. Returns how many. */
static uint32_t cut(struct l4_part *parts, uint32_t units)
{
	uint32_t n = 0;

	for (uint32_t from = 0; from < units; n++) {
		uint32_t most = draw(4) ? 40 : 4000, left = units - from;
		uint32_t to = from + 1 + draw(most < left ? most : left);

		parts[n] = part(from, to, to == units);
		from = to;
	}
	for (uint32_t i = n; i > 1; i--) {
		uint32_t other = draw(i);
		struct l4_part p = parts[other];

		parts[other] = parts[i - 1];
		parts[i - 1] = p;
	}
	return n;
}

static void test_all_parts_in_any_order_give_it_back(void **state)
{
	static struct l4_part parts[UNITS];

	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		struct l4_datagram_bucket b = { 0 };
		uint32_t n = cut(parts, round ? 2 + draw(draw(2) ? 60 : UNITS - 2) : UNITS), at;
		uint64_t what, found;

		at = begin(&b, hash, NOW, &what);
		assert_int_equal(at, 0);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), at);
			assert_true(found == what);
			assert_true(l4_datagram_take(&b, at, what, parts[i]));
		}
		assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), L4_BUCKET_DATAGRAMS);
		assert_int_equal(l4_datagram_state(b.datagrams[at].what), L4_DATAGRAM_EMPTY);
	}
}

/* Nothing is left of what had the place before, and the other places are not touched. */
static void test_begins_with_nothing(void **state)
{
	struct l4_datagram_bucket b, before;
	uint64_t what, found;

	(void)state;
	memset(&b, 0xff, sizeof b);
	for (unsigned i = 0; i < L4_BUCKET_DATAGRAMS; i++)
		b.datagrams[i].what = l4_datagram_what(UDP, (uint16_t)(NOW - (i == 2)), 1, 2);
	before = b;
	assert_int_equal(begin(&b, hash, NOW, &what), 2);
	assert_true(b.datagrams[2].who == hash && b.datagrams[2].what == what);
	assert_int_equal(b.parts[2].got | b.parts[2].end, 0);
	for (unsigned i = 0; i < L4_DATAGRAM_WORDS; i++)
		assert_true(!b.parts[2].units[i]);
	b.datagrams[2] = before.datagrams[2];
	b.parts[2] = before.parts[2];
	assert_memory_equal(&b, &before, sizeof b);
	assert_int_equal(l4_datagram_find(&before, hash, NOW, &found), L4_BUCKET_DATAGRAMS);
}

static void test_overlaps_are_refused(void **state)
{
	struct l4_datagram_bucket b = { 0 };
	uint64_t what, found;
	uint32_t at = begin(&b, hash, NOW, &what);

	(void)state;
	assert_true(l4_datagram_take(&b, at, what, part(0, 2, false)));
	assert_false(l4_datagram_take(&b, at, what, part(0, 2, false)));
	assert_false(l4_datagram_take(&b, at, what, part(1, 3, false)));
	assert_false(l4_datagram_take(&b, at, what, part(0, 9, true)));
	assert_int_equal(b.parts[at].got, 2);
	assert_int_equal(b.parts[at].end, 0); /* nor does what is refused say where the end is */
	assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), at);
}

static void test_one_end_only(void **state)
{
	struct l4_datagram_bucket b = { 0 };
	uint64_t what, found;
	uint32_t at = begin(&b, hash, NOW, &what);

	(void)state;
	assert_true(l4_datagram_take(&b, at, what, part(0, 2, false)));
	assert_true(l4_datagram_take(&b, at, what, part(10, 20, true)));
	assert_false(l4_datagram_take(&b, at, what, part(20, 21, false)));
	assert_false(l4_datagram_take(&b, at, what, part(20, 21, true)));
	assert_false(l4_datagram_take(&b, at, what, part(18, 21, false)));
	assert_false(l4_datagram_take(&b, at, what, part(5, 6, true)));
	assert_int_equal(b.parts[at].units[0], 0xffc03); /* what is no part of it marks nothing */
	assert_true(l4_datagram_take(&b, at, what, part(2, 9, false)));
	assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), at);
	assert_true(l4_datagram_take(&b, at, what, part(9, 10, false)));
	assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), L4_BUCKET_DATAGRAMS);
}

/* Whoever completes a datagram gives back no other that has come to its place. */
static void test_gives_back_its_own_only(void **state)
{
	struct l4_datagram_bucket b = { 0 };
	uint64_t what, other = l4_datagram_what(UDP, NOW, 7, 8);
	uint32_t at = begin(&b, hash, NOW, &what);

	(void)state;
	b.datagrams[at].what = other;
	assert_true(l4_datagram_take(&b, at, what, part(0, 1, false)));
	assert_true(l4_datagram_take(&b, at, what, part(1, 2, true)));
	assert_true(b.datagrams[at].what == other);
}

static void test_find_in_every_place_by_all_bits(void **state)
{
	(void)state;
	for (unsigned at = 0; at < L4_BUCKET_DATAGRAMS; at++) {
		struct l4_datagram_bucket b = { 0 };
		uint64_t found = 0;

		for (unsigned i = 0; i < L4_BUCKET_DATAGRAMS; i++)
			b.datagrams[i] = (struct l4_record){ ~hash,
				l4_datagram_what(UDP, NOW, (uint16_t)i, 9) };
		b.datagrams[at].who = hash;
		assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), at);
		assert_true(found == b.datagrams[at].what);
		for (unsigned bit = 0; bit < 64; bit++)
			assert_int_equal(l4_datagram_find(&b, hash ^ 1ull << bit, NOW, &found),
				L4_BUCKET_DATAGRAMS);
	}
}

static void test_find_while_it_lasts(void **state)
{
	static const struct {
		uint16_t began, now;
		bool lasts;
	} times[] = {
		{ NOW, NOW, true },
		{ NOW, NOW + 2, true },
		{ NOW, NOW + 3, false },
		{ NOW, NOW - 1, true }, /* the other's clock */
		{ NOW, NOW - 2, false },
		{ 65535, 1, true },
		{ 65535, 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		struct l4_datagram_bucket b = { 0 };
		uint64_t what, found;
		uint32_t at = begin(&b, hash, times[i].began, &what);

		assert_int_equal(l4_datagram_find(&b, hash, times[i].now, &found),
			times[i].lasts ? at : L4_BUCKET_DATAGRAMS);
	}
}

static void test_find_only_what_is_open(void **state)
{
	struct l4_datagram_bucket b = { 0 };
	uint64_t what, found;
	uint32_t at;

	(void)state;
	assert_int_equal(l4_datagram_find(&b, 0, 0, &found), L4_BUCKET_DATAGRAMS);
	at = begin(&b, hash, NOW, &what);
	b.datagrams[at].what = (what & ~0xffull) | L4_DATAGRAM_BUSY;
	assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), L4_BUCKET_DATAGRAMS);
	b.datagrams[at].what = (what & ~0xffull) | L4_DATAGRAM_EMPTY;
	assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), L4_BUCKET_DATAGRAMS);
	b.datagrams[at].what = what;
	assert_int_equal(l4_datagram_find(&b, hash, NOW, &found), at);
}

/* What a place holds: EMPTY, BUSY, or when its datagram began. */
enum { EMPTY = -1, BUSY = -2, NONE = L4_BUCKET_DATAGRAMS };

static void set(struct l4_datagram_bucket *b, const int places[L4_BUCKET_DATAGRAMS])
{
	*b = (struct l4_datagram_bucket){ 0 };
	for (unsigned i = 0; i < L4_BUCKET_DATAGRAMS; i++) {
		b->datagrams[i].who = i;
		b->datagrams[i].what = places[i] == EMPTY ? L4_DATAGRAM_EMPTY
				       : places[i] == BUSY
					       ? L4_DATAGRAM_BUSY
					       : l4_datagram_what(UDP, (uint16_t)places[i], 1, 2);
	}
}

static void test_victims(void **state)
{
	static const struct {
		int places[L4_BUCKET_DATAGRAMS];
		uint32_t victim;
	} cases[] = {
		{ { EMPTY, EMPTY, EMPTY, EMPTY }, 0 },
		{ { 5, 0, EMPTY, 1 }, 2 },
		{ { 5, EMPTY, 3, EMPTY }, 1 },
		{ { 8, 7, 9, 10 }, 1 },
		{ { 8, 9, 9, 2 }, 3 },
		{ { 9, 9, 9, 9 }, 0 },
		{ { 10, 9, 9, 10 }, 1 }, /* first among equals: a flood takes one place */
		{ { 10, 10, 10, 10 }, 0 },
		{ { 11, 10, 11, 10 }, 0 },     /* another's clock: of the same time */
		{ { 65530, 65529, 0, 9 }, 1 }, /* older: time has wrapped */
		{ { BUSY, 9, 8, 10 }, 2 },
		{ { BUSY, BUSY, BUSY, 10 }, 3 },
		{ { BUSY, EMPTY, 1, BUSY }, 1 },
		{ { BUSY, BUSY, BUSY, BUSY }, NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct l4_datagram_bucket b;
		uint64_t was = 0, what;
		uint32_t at;

		set(&b, cases[i].places);
		at = l4_datagram_victim(&b, 10, &was);
		assert_int_equal(at, cases[i].victim);
		if (at != NONE)
			assert_true(was == b.datagrams[at].what);
		assert_int_equal(begin(&b, hash, 10, &what), cases[i].victim);
	}
}

/* Those of earlier units of time than the flood's stay until it takes the place of the oldest, and then its own. */
static void test_a_flood_takes_one_place(void **state)
{
	struct l4_datagram_bucket b = { 0 };
	uint64_t what, found;

	(void)state;
	for (unsigned i = 0; i < L4_BUCKET_DATAGRAMS; i++)
		begin(&b, hash + i, NOW, &what);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(begin(&b, ~hash - i, NOW, &what), 0);
	for (unsigned i = 1; i < L4_BUCKET_DATAGRAMS; i++)
		assert_int_equal(l4_datagram_find(&b, hash + i, NOW, &found), i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_marks_as_a_plain_model),
		cmocka_unit_test(test_marks_at_the_edges),
		cmocka_unit_test(test_marks_the_last_units),
		cmocka_unit_test(test_all_parts_in_any_order_give_it_back),
		cmocka_unit_test(test_begins_with_nothing),
		cmocka_unit_test(test_overlaps_are_refused),
		cmocka_unit_test(test_one_end_only),
		cmocka_unit_test(test_gives_back_its_own_only),
		cmocka_unit_test(test_find_in_every_place_by_all_bits),
		cmocka_unit_test(test_find_while_it_lasts),
		cmocka_unit_test(test_find_only_what_is_open),
		cmocka_unit_test(test_victims),
		cmocka_unit_test(test_a_flood_takes_one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
