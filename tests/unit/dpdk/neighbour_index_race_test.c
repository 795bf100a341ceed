/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts come and go in an index that is far too small, while others look them up: one that is there all the while is found, one
 * that is not is not, and nobody finds another's row. */
#include "tests/unit/l4/race.h"
#include "dataplane/dpdk/neighbour_index.h"

enum { BITS = 6, ROWS = 56, HOSTS = 80, ROUNDS = 3000000, CHANGES = 20000 };

static uint32_t cells[1 << BITS];
static struct l4_neighbour rows[ROWS];
static const struct neighbour_index x = {
	.cells = cells,
	.rows = rows,
	.n_rows = ROWS,
	.bits = BITS,
	.key = { 1, 2 },
};

/* What the writer says of a host: its row, L4_NO_NEIGHBOUR, or that this is about to change; and above that, a number which
 * is another one each time. */
#define CHANGING (L4_NO_NEIGHBOUR - 1)
static _Atomic uint64_t says[HOSTS];
static uint64_t n_said;

/* Free rows, in the order in which they are to be filled. */
static uint32_t ring[ROWS], head, n_free;

static void say(uint32_t number, uint32_t what)
{
	atomic_store(&says[number], ++n_said << 32 | what);
}

/* A row of one that has been half filled with another looks like a third one's. */
static struct l4_neighbour_key host(uint32_t number)
{
	return (struct l4_neighbour_key){ { number / 2 }, 1 + number % 2, 0 };
}

static void look(struct racer *r, uint32_t round)
{
	uint32_t number = draw(r, HOSTS), row;
	struct l4_neighbour_key k = host(number);
	uint64_t before = atomic_load(&says[number]);

	(void)round;
	row = neighbour_index_find(&x, &k);
	if (atomic_load(&says[number]) != before || (uint32_t)before == CHANGING)
		return;
	r->found += row != L4_NO_NEIGHBOUR;
	r->wrong += row != (uint32_t)before;
}

static void enter(uint32_t number)
{
	struct l4_neighbour_key k = host(number);
	uint32_t row = ring[head];

	head = (head + 1) % ROWS;
	n_free--;
	say(number, CHANGING);
	__atomic_store_n(&rows[row].ifindex, k.ifindex, __ATOMIC_RELAXED);
	__atomic_store_n(&rows[row].address[0], k.address[0], __ATOMIC_RELAXED);
	assert_int_equal(neighbour_index_set(&x, row), 0);
	say(number, row);
}

static void leave(uint32_t number)
{
	uint32_t row = (uint32_t)says[number];

	say(number, CHANGING);
	neighbour_index_delete(&x, row);
	say(number, L4_NO_NEIGHBOUR);
	ring[(head + n_free++) % ROWS] = row;
}

static bool is_there(uint32_t number)
{
	return (uint32_t)says[number] != L4_NO_NEIGHBOUR;
}

static void change(struct racer *me)
{
	for (unsigned i = 0; i < CHANGES; i++) {
		uint32_t number = draw(me, HOSTS);

		if (!is_there(number) && n_free)
			enter(number);
		else if (is_there(number) && !draw(me, 3))
			leave(number);
	}
}

static void who_is_there_is_found(void **state)
{
	struct racer racers[RACERS];

	(void)state;
	for (uint32_t i = 0; i < HOSTS; i++)
		say(i, L4_NO_NEIGHBOUR);
	for (uint32_t i = 0; i < ROWS; i++)
		ring[n_free++] = i;
	race_with_sweep(racers, look, ROUNDS, change);
	for (uint32_t i = 0; i < HOSTS; i++)
		if (is_there(i))
			leave(i);
	for (uint32_t i = 0; i < 1u << BITS; i++)
		assert_int_equal(cells[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(who_is_there_is_found) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
