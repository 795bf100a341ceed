/* SPDX-License-Identifier: BSD-2-Clause */
/* The index of neighbours against a model that looks at every row. */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/dpdk/neighbour_index.h"
#include "tests/packets/random.h"

enum { ROWS = 600, CELLS = 2048, HOSTS = 500 };

struct bed {
	struct neighbour_index index;
	uint32_t cells[CELLS];
	struct l4_neighbour rows[ROWS];
	bool taken[ROWS];
	uint64_t random;
};

static struct bed bed;

static void open_bed(uint32_t rows, uint32_t bits, uint64_t random)
{
	memset(&bed, 0, sizeof bed);
	bed.random = random;
	bed.index = (struct neighbour_index){
		.cells = bed.cells,
		.rows = bed.rows,
		.n_rows = rows,
		.bits = bits,
		.key = { random_draw(&bed.random), random_draw(&bed.random) },
	};
	assert_in_range(1u << bits, 16, CELLS);
}

static uint32_t below(uint32_t n)
{
	return random_below(&bed.random, n);
}

/* Hosts that differ in one part of the key only. */
static struct l4_neighbour_key host(uint32_t number)
{
	struct l4_neighbour_key k = { .ifindex = 1 + number % 3, .is6 = number / 3 % 2 };

	k.address[k.is6 ? number % 4 : 0] = 1 + number / 6;
	return k;
}

static void fill(uint32_t row, const struct l4_neighbour_key *k)
{
	struct l4_neighbour *n = &bed.rows[row];

	memset(n, 0, sizeof *n);
	n->ifindex = k->ifindex;
	n->is6 = k->is6;
	memcpy(n->address, k->address, sizeof n->address);
	bed.taken[row] = true;
}

/* The row that a host has, or L4_NO_NEIGHBOUR. */
static uint32_t row_of(const struct l4_neighbour_key *k)
{
	for (uint32_t i = 0; i < bed.index.n_rows; i++) {
		struct l4_neighbour_key is = neighbour_index_key(&bed.rows[i]);

		if (bed.taken[i] && !memcmp(&is, k, sizeof is))
			return i;
	}
	return L4_NO_NEIGHBOUR;
}

static uint32_t free_row(void)
{
	uint32_t row = below(bed.index.n_rows);

	while (bed.taken[row])
		row = (row + 1) % bed.index.n_rows;
	return row;
}

static void leave(uint32_t row)
{
	neighbour_index_delete(&bed.index, row);
	bed.taken[row] = false;
}

static unsigned cells_used(void)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < 1u << bed.index.bits; i++)
		n += bed.cells[i] != 0;
	return n;
}

static void check_hosts(unsigned n)
{
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct l4_neighbour_key k = host(i);

		assert_int_equal(neighbour_index_find(&bed.index, &k), row_of(&k));
	}
	assert_int_equal(cells_used(), n);
}

/* Hosts come and go in any order; in the end the cells are as they were. */
static void schedule(uint32_t rows, uint32_t bits, unsigned most, uint64_t seed)
{
	unsigned n = 0;

	open_bed(rows, bits, seed);
	for (unsigned turn = 0; turn < 3000; turn++) {
		struct l4_neighbour_key k = host(below(HOSTS));
		uint32_t row = row_of(&k);

		if (row != L4_NO_NEIGHBOUR) {
			leave(row);
			n--;
		} else if (n < most) {
			row = free_row();
			fill(row, &k);
			assert_int_equal(neighbour_index_set(&bed.index, row), 0);
			n++;
		}
		if (turn % 50 == 0)
			check_hosts(n);
	}
	for (uint32_t row = 0; row < rows; row++)
		if (bed.taken[row])
			leave(row);
	check_hosts(0);
}

static void test_come_and_go(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 6; seed++) {
		schedule(400, neighbour_index_bits(400), 400, seed);
		schedule(8, neighbour_index_bits(8), 8, seed);
		schedule(1, neighbour_index_bits(1), 1, seed);
	}
}

/* Nearly full, so that ways are long and go round the end. */
static void test_crowded(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 6; seed++) {
		schedule(64, 6, 60, seed);
		schedule(16, 4, 15, seed);
	}
}

static void test_twice_as_many_cells(void **state)
{
	(void)state;
	assert_int_equal(neighbour_index_bits(1), 4);
	assert_int_equal(neighbour_index_bits(8), 4);
	assert_int_equal(neighbour_index_bits(9), 5);
	assert_int_equal(neighbour_index_bits(16384), 15);
	assert_int_equal(neighbour_index_bits(4194304), 23);
}

/* More rows than cells: what has no place is refused, and all the others are found. */
static void test_full(void **state)
{
	unsigned n = 0;

	(void)state;
	open_bed(ROWS, 8, 1);
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct l4_neighbour_key k = host(i);

		fill(i, &k);
		bed.taken[i] = !neighbour_index_set(&bed.index, i);
		n += bed.taken[i];
	}
	assert_int_equal(n, 256);
	check_hosts(256);
	for (uint32_t i = 0; i < HOSTS; i++)
		if (!bed.taken[i])
			neighbour_index_delete(&bed.index, i); /* is not there */
	check_hosts(256);
}

/* None is further from home than a reader goes. */
static void test_not_too_far(void **state)
{
	(void)state;
	open_bed(ROWS, 10, 1);
	for (uint32_t i = 0; i < 512; i++)
		bed.cells[i] = UINT32_MAX;
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct l4_neighbour_key k = host(i);
		bool far = neighbour_index_home(&bed.index, &k) <= 512 - INDEX_PROBES;

		fill(i, &k);
		bed.taken[i] = !neighbour_index_set(&bed.index, i);
		assert_int_equal(bed.taken[i], !far);
		assert_int_equal(neighbour_index_find(&bed.index, &k), far ? L4_NO_NEIGHBOUR : i);
		leave(i);
	}
}

/* Whatever the cells hold, a look-up ends, and finds what it asks for or nothing; so do changes. */
static void test_any_cells(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		open_bed(HOSTS, seed & 1 ? 4 : 9, seed);
		for (uint32_t i = 0; i < HOSTS; i++) {
			struct l4_neighbour_key k = host(i);

			fill(i, &k);
		}
		for (uint32_t i = 0; i < 1u << bed.index.bits; i++)
			bed.cells[i] = below(4) ? 1 + below(HOSTS)
						: (uint32_t)random_draw(&bed.random);
		for (uint32_t i = 0; i < HOSTS; i++) {
			struct l4_neighbour_key k = host(i);
			uint32_t row = neighbour_index_find(&bed.index, &k);

			if (row != L4_NO_NEIGHBOUR)
				assert_int_equal(row, i);
			if (i % 5 == 0)
				neighbour_index_delete(&bed.index, i);
			if (i % 7 == 0)
				neighbour_index_set(&bed.index, i);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_come_and_go),
		cmocka_unit_test(test_crowded),
		cmocka_unit_test(test_twice_as_many_cells),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_not_too_far),
		cmocka_unit_test(test_any_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
