/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/fuse.h"
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/filter.h"

enum { MANY = 200000, TRIES = 1000000 };

static struct fuse_key keys[MANY], copy[MANY];

/* What the filter says of a stem, as packets ask it. */
static uint8_t says(const struct fuse *f, uint64_t stem)
{
	struct l4_coarse_place p = l4_coarse_place(stem, f->seed, f->starts, f->window);
	const uint8_t *bytes = (const uint8_t *)f->lines;

	assert_in_range(p.first, 0, f->starts - 1);
	assert_in_range(p.third, p.first, f->n_lines * sizeof(struct l4_line) - 1);
	return (uint8_t)(bytes[p.first] ^ bytes[p.second] ^ bytes[p.third] ^ p.check);
}

static uint64_t random_stem(void)
{
	return (uint64_t)(uint32_t)mrand48() << 16 ^ (uint32_t)mrand48();
}

/* The filter must say of each stem what was to be kept of it. */
static void check(uint32_t n)
{
	struct fuse f;

	memcpy(copy, keys, n * sizeof *copy);
	assert_int_equal(fuse_new(&f, copy, n, (uint64_t)mrand48()), 0);
	assert_in_range(f.n_lines, 1, fuse_lines(n) - 1);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(says(&f, keys[i].stem), keys[i].kept);
	fuse_free(&f);
	assert_null(f.lines);
}

static void test_random_stems(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < MANY; n = n < 50 ? n + 1 : n + n / 3) {
		for (uint32_t i = 0; i < n; i++)
			keys[i] = (struct fuse_key){ random_stem(), (uint8_t)mrand48() };
		check(n);
	}
}

/* Networks that follow each other, in either family. */
static void test_stems_in_a_row(void **state)
{
	(void)state;
	for (uint32_t step = 1; step <= 65536; step *= 16)
		for (uint32_t n = 1; n < MANY; n *= 7) {
			for (uint32_t i = 0; i < n; i++)
				keys[i] = (struct fuse_key){ 0xc00002 + (uint64_t)i * step,
					(uint8_t)i };
			check(n);
		}
}

/* A stem that is there twice with the same word keeps it, and otherwise says that anything may be behind it. */
static void test_stems_that_are_there_twice(void **state)
{
	static const struct fuse_key twice[] = { { 7, 3 }, { 9, 5 }, { 7, 3 }, { 9, 6 }, { 9, 5 },
		{ 8, L4_COARSE_ANY }, { 8, 2 } };
	struct fuse_key some[sizeof twice / sizeof *twice];
	struct fuse f;

	(void)state;
	memcpy(some, twice, sizeof twice);
	assert_int_equal(fuse_new(&f, some, sizeof twice / sizeof *twice, 1), 0);
	assert_int_equal(says(&f, 7), 3);
	assert_int_equal(says(&f, 8), L4_COARSE_ANY);
	assert_int_equal(says(&f, 9), L4_COARSE_ANY);
	fuse_free(&f);
}

/* Of stems that it does not hold it says each word once in 256 times: here 3,906 times, give or take four times 62. */
static void test_other_stems(void **state)
{
	uint32_t said[256] = { 0 };
	struct fuse f;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		keys[i] = (struct fuse_key){ random_stem() | 1, 1 };
	assert_int_equal(fuse_new(&f, keys, MANY, 1), 0);
	for (uint32_t i = 0; i < TRIES; i++)
		said[says(&f, random_stem() & ~1ull)]++;
	for (unsigned i = 0; i < 256; i++)
		assert_in_range(said[i], TRIES / 256 - 320, TRIES / 256 + 320);
	fuse_free(&f);
}

/* As few as the image has room for: 1.2 bytes for each of very many. */
static void test_size(void **state)
{
	(void)state;
	assert_in_range(fuse_lines(1000000) * sizeof(struct l4_line), 1156000, 1200000);
	for (uint32_t a = 0; a < 1000; a = 2 * a + 1)
		for (uint32_t b = 0; b < 1000; b = b * 3 / 2 + 1) {
			struct fuse f, g;

			for (uint32_t i = 0; i < a || i < b; i++)
				keys[i] = copy[i] = (struct fuse_key){ random_stem(), 0 };
			assert_int_equal(fuse_new(&f, keys, a, 1), 0);
			assert_int_equal(fuse_new(&g, copy, b, 1), 0);
			assert_in_range(f.n_lines + g.n_lines, 2, fuse_lines(a + b));
			fuse_free(&f);
			fuse_free(&g);
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_stems),
		cmocka_unit_test(test_stems_in_a_row),
		cmocka_unit_test(test_stems_that_are_there_twice),
		cmocka_unit_test(test_other_stems),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
