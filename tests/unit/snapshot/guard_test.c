/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of sources, from prefixes to the engine's answer, against a model that tries every prefix. */
#include "tests/unit/test.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/snapshot/guard.h"

struct l4_tables {
	const struct l4_line *lines;
	uint32_t n;
	const struct guard_store *store;
};

static const void *l4_tables_guard_line(const struct l4_tables *t, uint32_t line)
{
	return line < t->n ? &t->lines[line] : NULL;
}

struct l4_way;

static struct l4_way *l4_tables_way(const struct l4_tables *t)
{
	(void)t;
	return NULL;
}

/* What is IPv4's begins the image, and what is IPv6's follows. */
static uint8_t l4_tables_byte(const struct l4_tables *t, uint32_t at)
{
	const struct guard_family *f = guard_store_filters(t->store)->families;
	uint32_t shortest = L4_SHORTEST_LINES * sizeof(struct l4_line);
	uint32_t coarse = f->coarse.n_lines * sizeof(struct l4_line);

	if (at >= shortest + coarse) {
		at -= shortest + coarse;
		f++;
	}
	if (at < shortest)
		return ((const uint8_t *)f->shortest)[at];
	assert_in_range(at - shortest, 0, f->coarse.n_lines * sizeof(struct l4_line) - 1);
	return ((const uint8_t *)f->coarse.lines)[at - shortest];
}

/* Where a family's coarse filter begins there. */
static uint32_t coarse_byte(const struct guard_family families[2], uint8_t af)
{
	uint32_t four = L4_SHORTEST_LINES + families[0].coarse.n_lines;

	return (L4_SHORTEST_LINES + (af == 6 ? four : 0)) * sizeof(struct l4_line);
}

#include "dataplane/dpdk/lists.h"

enum { PREFIXES = 4096, LISTS = 6, TRIES = 400 };

struct site {
	struct snapshot_prefix prefixes[LISTS][PREFIXES];
	struct snapshot_list lists[LISTS];
	struct snapshot_input in;
	struct l4_tables tables;
	struct l4_line *lines;
	struct guard_store *store;
};

static struct site site;

static uint32_t below(uint32_t n)
{
	return (uint32_t)lrand48() % n;
}

static void open_site(uint32_t prefixes)
{
	memset(&site, 0, sizeof site);
	site.tables.n = guard_store_lines(prefixes);
	site.tables.lines = site.lines = calloc(site.tables.n + 1u, sizeof *site.lines);
	assert_non_null(site.lines);
	site.tables.store = site.store = guard_store_new(site.lines, prefixes);
	assert_non_null(site.store);
	site.in.lists = site.lists;
	for (uint32_t i = 0; i < LISTS; i++)
		site.lists[i].prefixes = site.prefixes[i];
}

static void close_site(void)
{
	guard_store_free(site.store);
	free(site.lines);
}

/* Addresses of few different bytes, so that prefixes lie in each other and sources in prefixes. */
static void random_address(uint8_t af, uint8_t bytes[16])
{
	static const uint8_t some[] = { 0, 1, 127, 128, 255, 10 };

	memset(bytes, 0, 16);
	for (unsigned i = 0; i < (af == 6 ? 16 : 4); i++)
		bytes[i] = below(3) ? some[below(sizeof some)] : (uint8_t)lrand48();
}

static void random_list(uint32_t list, uint32_t n, uint64_t digest)
{
	struct snapshot_list *l = &site.lists[list];

	l->n = n;
	l->only = below(2);
	l->digest = digest;
	for (uint32_t i = 0; i < n; i++) {
		struct snapshot_prefix *p = &site.prefixes[list][i];

		p->af = below(2) ? 6 : 4;
		random_address(p->af, p->bytes);
		p->plen = (uint8_t)below(p->af == 6 ? 129 : 33);
		if (p->plen < 3 && below(8))
			p->plen = (uint8_t)(p->plen + 24);
		p->allow = below(2);
	}
}

static bool holds(const struct snapshot_prefix *p, uint8_t af, const uint8_t bytes[16])
{
	if (p->af != af)
		return false;
	for (unsigned bit = 0; bit < p->plen; bit++)
		if ((p->bytes[bit / 8] ^ bytes[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static bool model_denies(const struct snapshot_list *l, uint8_t af, const uint8_t bytes[16])
{
	const struct snapshot_prefix *best = NULL;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct snapshot_prefix *p = &l->prefixes[i];

		if (holds(p, af, bytes) &&
			(!best || p->plen > best->plen || (p->plen == best->plen && !p->allow)))
			best = p;
	}
	return best ? !best->allow : l->only;
}

static struct l4_guarded packet_from(uint8_t af, const uint8_t bytes[16])
{
	uint32_t w[4];

	memcpy(w, bytes, sizeof w);
	if (af == 6)
		return (struct l4_guarded){ l4_host64(w[0], w[1]), l4_host64(w[2], w[3]),
			L4_GUARDED_IS6 };
	return (struct l4_guarded){ 0, L4_BE32(w[0]), 0 };
}

/* The guard of a service with a list of its own. */
static struct l4_guard guard_of(uint32_t list, uint8_t af)
{
	const struct guard_filters *filters = guard_store_filters(site.store);
	const struct guard_family *family = &filters->families[af == 6];
	struct l4_guard g = { .classes = family->classes,
		.shorts = family->shorts,
		.coarse = coarse_byte(filters->families, af),
		.coarse_starts = family->coarse.starts,
		.coarse_seed = family->coarse.seed,
		.coarse_window = family->coarse.window,
		.fine = filters->fine,
		.fine_shift = (uint8_t)filters->fine_shift };

	for (uint32_t i = 0; i < L4_GUARD_LISTS; i++) {
		const struct guard_place *p = guard_store_place(site.store, i ? list : 0);

		g.lists[i] = af == 6 ? p->list6 : p->list4;
		g.denies[i] = af == 6 ? p->denies6 : p->denies4;
	}
	return g;
}

/* One of random bytes; or the first or the last of a prefix, or one beside it. */
static uint8_t random_source(uint8_t bytes[16])
{
	const struct snapshot_list *l = &site.lists[below(site.in.n_lists)];
	uint8_t af = below(2) ? 6 : 4;

	random_address(af, bytes);
	if (l->n && below(4)) {
		const struct snapshot_prefix *p = &l->prefixes[below(l->n)];
		unsigned bits = p->af == 6 ? 128 : 32, ones = below(2);

		af = p->af;
		memcpy(bytes, p->bytes, 16);
		for (unsigned bit = p->plen; bit < bits; bit++)
			bytes[bit / 8] = (uint8_t)((bytes[bit / 8] & ~(128u >> bit % 8)) |
						   (ones ? 128u >> bit % 8 : 0));
		for (unsigned i = bits / 8; below(2) && i--;)
			if (ones ? ++bytes[i] : bytes[i]--)
				break;
	}
	if (!below(50))
		memset(bytes, below(2) ? 255 : 0, af == 6 ? 16 : 4);
	return af;
}

static void check_sources(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t bytes[16], af = random_source(bytes);
		uint32_t list = below(site.in.n_lists);
		struct l4_guard g = guard_of(list, af);
		struct l4_guarded p = packet_from(af, bytes);

		if (l4_coarse_holds(&site.tables, &g, p))
			p.what |= L4_GUARDED_LISTED;
		assert_int_equal(l4_guard_admits(&site.tables, &g, p),
			!model_denies(&site.lists[0], af, bytes) &&
				!model_denies(&site.lists[list], af, bytes));
	}
}

static void test_random_lists(void **state)
{
	(void)state;
	open_site(LISTS * PREFIXES);
	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t most = i % 40 == 0 ? PREFIXES : 1u << below(8);

		site.in.n_lists = 1 + below(LISTS);
		for (uint32_t k = 0; k < site.in.n_lists; k++)
			random_list(k, below(most + 1), (uint64_t)i * LISTS + k + 1);
		assert_int_equal(guard_store_take(site.store, &site.in), 0);
		check_sources(i % 40 ? 300 : 100);
		if (below(2))
			guard_store_commit(site.store);
		else
			guard_store_abort(site.store);
	}
	close_site();
}

/* All the keys of three levels of nodes and more, each with its neighbours. */
static void test_deep_trees(void **state)
{
	(void)state;
	open_site(PREFIXES);
	for (uint8_t af = 4; af <= 6; af += 2) {
		site.in.n_lists = 1;
		site.lists[0].n = PREFIXES;
		site.lists[0].only = false;
		site.lists[0].digest = af;
		for (uint32_t i = 0; i < PREFIXES; i++) {
			struct snapshot_prefix *p = &site.prefixes[0][i];

			*p = (struct snapshot_prefix){ .af = af, .plen = af == 6 ? 127 : 31 };
			p->bytes[1] = (uint8_t)(i >> 6);
			p->bytes[af == 6 ? 15 : 3] = (uint8_t)(i << 2);
		}
		assert_int_equal(guard_store_take(site.store, &site.in), 0);
		check_sources(20000);
		guard_store_commit(site.store);
	}
	close_site();
}

enum { SPREAD = 65536, SPREAD_TRIES = 200000 };

/* Blocklists as they are: a few networks, and hosts anywhere. */
static void spread_list(uint8_t af, struct snapshot_prefix *p)
{
	static const uint8_t lengths[2][5] = { { 24, 27, 31, 32, 32 }, { 48, 56, 64, 64, 128 } };

	for (uint32_t i = 0; i < SPREAD; i++) {
		p[i] = (struct snapshot_prefix){ .af = af, .plen = lengths[af == 6][below(5)] };
		for (unsigned k = 0; k < 16; k++)
			p[i].bytes[k] = (uint8_t)below(256);
	}
	site.in.n_lists = 1;
	site.lists[0] =
		(struct snapshot_list){ .prefixes = p, .n = SPREAD, .digest = below(1u << 30) + 1 };
}

/* Most sources that no list names must be known for such by the first filter, and nearly all by the second. The first passes one
 * of 256 IPv6 ones; of IPv4 ones two, and those whose /24 has a prefix that is shorter than /28. */
static void test_filters_let_most_go(void **state)
{
	struct snapshot_prefix *prefixes = calloc(SPREAD, sizeof *prefixes);

	(void)state;
	assert_non_null(prefixes);
	open_site(SPREAD);
	for (unsigned round = 0; round < 8; round++) {
		uint8_t af = round % 2 ? 6 : 4; /* what former lists leave behind must not add up */
		unsigned held = 0, touched = 0;
		struct l4_guard g;

		spread_list(af, prefixes);
		assert_int_equal(guard_store_take(site.store, &site.in), 0);
		g = guard_of(0, af);
		for (unsigned i = 0; i < SPREAD_TRIES; i++) {
			struct l4_guarded p = { .high = (uint64_t)mrand48() << 32 | below(1u << 31),
				.low = (uint32_t)mrand48(),
				.what = af == 6 ? L4_GUARDED_IS6 : 0 };

			held += l4_coarse_holds(&site.tables, &g, p);
			touched += l4_coarse_holds(&site.tables, &g, p) &&
				   l4_filter_touches(&site.tables, &g, p);
		}
		assert_in_range(held, 1, SPREAD_TRIES / 10000 * (af == 6 ? 45 : 110));
		assert_in_range(touched, 0, SPREAD_TRIES / 1000 * 2);
		guard_store_commit(site.store);
	}
	close_site();
	free(prefixes);
}

/* The half of the published generation stays as it is until another one is. */
static void test_halves(void **state)
{
	const struct guard_filters *filters;
	struct l4_line *before, *coarse;
	uint32_t lines, n_coarse;

	(void)state;
	open_site(64);
	lines = site.tables.n / 2;
	before = malloc(lines * sizeof *before);
	assert_non_null(before);
	site.in.n_lists = 1;
	random_list(0, 50, 1);
	assert_int_equal(guard_store_take(site.store, &site.in), 0);
	guard_store_commit(site.store); /* the second half */
	memcpy(before, site.lines + lines, lines * sizeof *before);
	filters = guard_store_filters(site.store);
	n_coarse = filters->families[0].coarse.n_lines;
	coarse = malloc(n_coarse * sizeof *coarse);
	assert_non_null(coarse);
	memcpy(coarse, filters->families[0].coarse.lines, n_coarse * sizeof *coarse);
	for (uint64_t digest = 2; digest < 12; digest++) {
		random_list(0, 1 + below(60), digest);
		assert_int_equal(guard_store_take(site.store, &site.in), 0);
		check_sources(300);
		assert_memory_equal(before, site.lines + lines, lines * sizeof *before);
		assert_memory_equal(
			coarse, filters->families[0].coarse.lines, n_coarse * sizeof *coarse);
		guard_store_abort(site.store);
	}
	site.lists[0].digest = 1; /* what is live is not written again */
	assert_int_equal(guard_store_take(site.store, &site.in), 0);
	assert_ptr_equal(guard_store_filters(site.store), filters);
	assert_int_equal(filters->families[0].shorts, lines);
	guard_store_commit(site.store);
	free(before);
	free(coarse);
	close_site();
}

static void copy_span(struct l4_line *to, struct guard_span span)
{
	assert_in_range(span.first + span.n, span.first, site.tables.n);
	memcpy(to + span.first, site.lines + span.first, span.n * sizeof *to);
}

/* An engine with lines of its own, which is given those that are new with each generation; and one that begins with the
 * last of them. */
static void test_copies(void **state)
{
	struct l4_line *kept, *late;

	(void)state;
	open_site(LISTS * 64);
	kept = calloc(site.tables.n, sizeof *kept);
	late = calloc(site.tables.n, sizeof *late);
	assert_true(kept && late);
	assert_int_equal(guard_store_live(site.store).n, 0);
	for (uint64_t digest = 1; digest < 200; digest += LISTS) {
		site.in.n_lists = LISTS;
		for (uint32_t i = 0; i < LISTS; i++)
			random_list(i, below(64), digest + i);
		assert_int_equal(guard_store_take(site.store, &site.in), 0);
		if (!below(3)) {
			guard_store_abort(site.store);
			assert_int_equal(guard_store_fresh(site.store).n, 0);
			continue;
		}
		copy_span(kept, guard_store_fresh(site.store));
		guard_store_commit(site.store);
		memset(late, 0xff, site.tables.n * sizeof *late);
		copy_span(late, guard_store_live(site.store));
		site.tables.lines = kept;
		check_sources(300);
		site.tables.lines = late;
		check_sources(300);
		assert_int_equal(guard_store_take(site.store, &site.in), 0);
		assert_int_equal(guard_store_fresh(site.store).n, 0);
		guard_store_commit(site.store);
	}
	free(kept);
	free(late);
	close_site();
}

static void test_full(void **state)
{
	(void)state;
	open_site(0);
	site.in.n_lists = 1;
	random_list(0, 1, 1);
	assert_int_equal(guard_store_take(site.store, &site.in), -ENOSPC);
	guard_store_abort(site.store);
	close_site();
	open_site(16);
	site.in.n_lists = LISTS;
	for (uint32_t i = 0; i < LISTS; i++)
		random_list(i, PREFIXES, i + 1);
	assert_int_equal(guard_store_take(site.store, &site.in), -ENOSPC);
	guard_store_abort(site.store);
	site.in.n_lists = 1;
	random_list(0, 16, 2);
	assert_int_equal(guard_store_take(site.store, &site.in), 0);
	check_sources(1000);
	guard_store_commit(site.store);
	close_site();
}

/* Lists of the same prefixes lie there once. */
static void test_shared(void **state)
{
	(void)state;
	open_site(64);
	site.in.n_lists = 3;
	random_list(0, 50, 1);
	site.lists[1] = site.lists[2] = site.lists[0];
	site.lists[2].only = !site.lists[0].only;
	site.lists[2].digest = 2;
	assert_int_equal(guard_store_take(site.store, &site.in), 0);
	assert_int_equal(
		guard_store_place(site.store, 0)->list6, guard_store_place(site.store, 1)->list6);
	assert_int_not_equal(
		guard_store_place(site.store, 0)->list6, guard_store_place(site.store, 2)->list6);
	check_sources(1000);
	guard_store_commit(site.store);
	close_site();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_lists),
		cmocka_unit_test(test_deep_trees),
		cmocka_unit_test(test_filters_let_most_go),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
