/* SPDX-License-Identifier: BSD-2-Clause */
/* What the builder has written is read back; what is damaged is left out, and nothing outside is read (for the address
 * sanitizer: image and rings are no longer than is said). */
#include "tests/unit/test.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/snapshot/maglev.h"
#include "dataplane/snapshot/read.h"

enum { POOLS = 3, MEMBERS = 3, SLOTS = 4096, MAX_SLOTS = 512, IDS = 64 };

static struct snapshot_pool pools[POOLS];
static struct snapshot_member members[POOLS * MEMBERS];
static struct snapshot_slots tables[POOLS];
static uint16_t planes[POOLS][3][MAX_SLOTS];
static struct snapshot_input in;
static struct ring_store *store;
static struct l4_line *image;
static uint32_t lines, n_chunks;
static struct l4_chunk *rings;

/* What was read. */
static struct {
	uint16_t pool;
	uint32_t n;
	uint16_t owner[MAX_SLOTS], base[MAX_SLOTS], since[MAX_SLOTS];
} got[POOLS + 1];
static unsigned n_got;

static int keep(void *arg, uint16_t pool, uint32_t n, const uint16_t *owner, const uint16_t *base,
	const uint16_t *since)
{
	assert_true(n_got < POOLS && n <= MAX_SLOTS);
	got[n_got].pool = pool;
	got[n_got].n = n;
	memcpy(got[n_got].owner, owner, n * sizeof *owner);
	memcpy(got[n_got].base, base, n * sizeof *base);
	memcpy(got[n_got].since, since, n * sizeof *since);
	n_got++;
	return arg ? *(const int *)arg : 0;
}

static int read_all(int *answer)
{
	n_got = 0;
	return snapshot_read_slots(image, lines, rings, n_chunks, keep, answer);
}

/* Pools 2, 4 and 6 of three servers each, whose tables are of 256 slots, of 512, and settled. */
static void fill(void)
{
	memset(members, 0, sizeof members);
	for (unsigned i = 0; i < POOLS * MEMBERS; i++)
		members[i] = (struct snapshot_member){ .id = 100 + i,
			.af = 4,
			.bytes = { 10, 0, 0, (uint8_t)i },
			.weight = 1,
			.serves = true };
	for (unsigned p = 0; p < POOLS; p++) {
		uint32_t n = p == 1 ? 512 : 256;

		pools[p] = (struct snapshot_pool){ p * MEMBERS, MEMBERS, (uint16_t)(2 * p + 2),
			&tables[p] };
		tables[p] = (struct snapshot_slots){ .n = n,
			.owner = planes[p][0],
			.base = planes[p][1],
			.since = planes[p][2],
			.version = p + 1 };
		for (uint32_t i = 0; i < n; i++) {
			planes[p][0][i] = (uint16_t)(100 + p * MEMBERS + i % 3);
			planes[p][1][i] = SNAPSHOT_SETTLED;
			planes[p][2][i] = 0;
			if (p == 2 || i % 4)
				continue;
			planes[p][1][i] = (uint16_t)(100 + p * MEMBERS + i / 4 % 3);
			planes[p][2][i] = (uint16_t)(65500 + i);
			tables[p].n_tracked++;
		}
	}
	in = (struct snapshot_input){
		.pools = pools, .members = members, .n_pools = POOLS, .n_members = POOLS * MEMBERS
	};
}

/* What an engine holds after the input was published. */
static void publish(void)
{
	static const uint32_t neighbours[POOLS * MEMBERS];
	struct snapshot *sn;
	const char *what;

	assert_int_equal(
		snapshot_build(store, NULL, &in, neighbours, 1, UINT32_MAX, &sn, &what), 0);
	free(image);
	lines = sn->lines;
	image = malloc(lines * sizeof *image);
	assert_non_null(image);
	memcpy(image, sn->image, lines * sizeof *image);
	for (uint32_t i = 0; i < sn->n_rings; i++)
		memcpy(&rings[sn->rings[i].chunk], sn->rings[i].slots,
			sn->rings[i].chunks * sizeof *rings);
	snapshot_commit(store, sn);
}

static int setup(void **state)
{
	(void)state;
	store = ring_store_new(SLOTS, IDS);
	n_chunks = ring_store_chunks(SLOTS);
	rings = calloc(n_chunks, sizeof *rings);
	if (!store || !rings)
		return -1;
	fill();
	publish();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ring_store_free(store);
	free(image);
	free(rings);
	image = NULL;
	return 0;
}

static struct l4_pool *pool_row(uint16_t id)
{
	return (struct l4_pool *)&image[((struct l4_keys *)&image[L4_LINE_KEYS])->pool_base + id];
}

static void check(unsigned at, unsigned pool)
{
	assert_int_equal(got[at].pool, pools[pool].id);
	assert_int_equal(got[at].n, tables[pool].n);
	for (uint32_t i = 0; i < tables[pool].n; i++) {
		assert_int_equal(got[at].owner[i], planes[pool][0][i]);
		assert_int_equal(got[at].base[i], planes[pool][1][i]);
		if (planes[pool][1][i] != SNAPSHOT_SETTLED)
			assert_int_equal(got[at].since[i], planes[pool][2][i]);
	}
}

static void test_round_trip(void **state)
{
	(void)state;
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(n_got, POOLS);
	for (unsigned p = 0; p < POOLS; p++)
		check(p, p);
}

/* A base that serves no flows was published as the owner: that is what packets went by. */
static void test_resolved_bases(void **state)
{
	(void)state;
	members[0].serves = false;
	tables[0].version = 77;
	publish();
	assert_int_equal(read_all(NULL), 0);
	for (uint32_t i = 0; i < tables[0].n; i++)
		if (planes[0][1][i] == 100)
			planes[0][1][i] = planes[0][0][i];
	check(0, 0);
}

static void test_slots_of_nobody(void **state)
{
	(void)state;
	planes[0][0][9] = 0;  /* settled */
	planes[0][0][12] = 0; /* tracked */
	planes[2][0][3] = 0;
	tables[0].version = 77;
	tables[2].version = 78;
	publish();
	assert_int_equal(read_all(NULL), 0);
	check(0, 0);
	check(2, 2);
}

static void test_the_reader_ends_it(void **state)
{
	int answer = -ENOMEM;

	(void)state;
	assert_int_equal(read_all(&answer), -ENOMEM);
	assert_int_equal(n_got, 1);
}

static void test_no_image_of_this_version(void **state)
{
	struct l4_root *root = (struct l4_root *)image;
	struct l4_keys *keys = (struct l4_keys *)&image[L4_LINE_KEYS];
	const struct l4_keys was = *keys;

	(void)state;
	root->magic++;
	assert_int_equal(read_all(NULL), -EINVAL);
	root->magic--;
	root->version++;
	assert_int_equal(read_all(NULL), -EINVAL);
	root->version--;
	keys->n_pools = lines;
	assert_int_equal(read_all(NULL), -EINVAL);
	keys->n_pools = UINT32_MAX;
	keys->pool_base = UINT32_MAX;
	assert_int_equal(read_all(NULL), -EINVAL);
	*keys = was;
	keys->pool_base = lines - keys->n_pools + 1;
	assert_int_equal(read_all(NULL), -EINVAL);
	*keys = was;
	for (uint32_t n = 0; n <= L4_LINE_KEYS; n++)
		assert_int_equal(
			snapshot_read_slots(image, n, rings, n_chunks, keep, NULL), -EINVAL);
	assert_int_equal(n_got, 0);
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(n_got, POOLS);
}

/* A damaged pool is left out, the others are read. */
static void check_left_out(void)
{
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(n_got, POOLS - 1);
	check(0, 0);
	check(1, 2);
}

static void test_rings_that_are_not_there(void **state)
{
	struct l4_pool *row = pool_row(4);
	const struct l4_pool was = *row;

	(void)state;
	row->ring_chunk = n_chunks;
	check_left_out();
	row->ring_chunk = UINT32_MAX;
	check_left_out();
	row->ring_chunk = n_chunks - 1; /* of two chunks */
	check_left_out();
	row->ring_chunk = n_chunks - 2; /* the owners are there, the rest is not */
	memset(&rings[n_chunks - 2], 0xff, 2 * sizeof *rings);
	check_left_out();
	memset(&rings[n_chunks - 2], 0, 2 * sizeof *rings);
	assert_int_equal(read_all(NULL), 0); /* settled, it needs no more */
	assert_int_equal(n_got, POOLS);
	n_chunks--;
	check_left_out();
	*row = was;
}

static void test_sizes_that_are_none(void **state)
{
	static const uint32_t masks[] = { 0, 1, 127, 254, 256, 300, 766, MAGLEV_MAX_SLOTS,
		2 * MAGLEV_MAX_SLOTS - 1, UINT32_MAX };
	struct l4_pool *row = pool_row(4);

	(void)state;
	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
		row->ring_mask = masks[i];
		check_left_out();
	}
}

/* Members outside of the image, or with numbers that are none: nobody's. */
static void test_members_that_are_not_there(void **state)
{
	struct l4_pool *row = pool_row(2);

	(void)state;
	row->member_base = lines;
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(n_got, POOLS);
	for (uint32_t i = 0; i < got[0].n; i++)
		assert_int_equal(got[0].owner[i], 0);
	row->member_base = UINT32_MAX;
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(got[0].owner[1], 0);
	row->member_base = lines - 1;
	((struct l4_member *)&image[lines - 1])->id = 1 << 16;
	assert_int_equal(read_all(NULL), 0);
	assert_int_equal(got[0].owner[0], 0);
	assert_int_equal(got[0].owner[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resolved_bases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_of_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_reader_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_image_of_this_version, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rings_that_are_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes_that_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_members_that_are_not_there, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
