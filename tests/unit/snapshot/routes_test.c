/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes, from the set of them to a look-up in the file that an engine gets, against a model that tries every prefix. */
#include "tests/unit/test.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "dataplane/dpdk/routes.h"
#include "tests/packets/random.h"

enum { ROUTES = 300, SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

struct site {
	struct routes *set;
	struct {
		struct routes_prefix prefix;
		struct l4_route route;
	} model[ROUTES];
	unsigned n;
	uint64_t random;
};

static const struct l4_route none = { .neighbour = L4_NO_NEIGHBOUR };

static void site_open(struct site *s, uint32_t limit)
{
	memset(s, 0, sizeof *s);
	s->set = routes_new(limit);
	assert_non_null(s->set);
}

static uint32_t below(struct site *s, uint32_t n)
{
	return random_below(&s->random, n);
}

static uint8_t bits_of(uint8_t af)
{
	return af == 6 ? 128 : 32;
}

static bool holds(const struct routes_prefix *p, uint8_t af, const uint8_t bytes[16])
{
	if (p->af != af)
		return false;
	for (unsigned bit = 0; bit < p->plen; bit++)
		if ((p->bytes[bit / 8] ^ bytes[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static const struct l4_route *model_find(const struct site *s, uint8_t af, const uint8_t bytes[16])
{
	int best = -1;

	for (unsigned i = 0; i < s->n; i++)
		if (holds(&s->model[i].prefix, af, bytes) &&
			(best < 0 || s->model[i].prefix.plen > s->model[best].prefix.plen))
			best = (int)i;
	return best < 0 ? NULL : &s->model[best].route;
}

/* Where the model has a prefix; n: it has it not. */
static unsigned model_place(const struct site *s, const struct routes_prefix *p)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->model[i].prefix.plen == p->plen &&
			holds(p, s->model[i].prefix.af, s->model[i].prefix.bytes))
			return i;
	return s->n;
}

static void enter(struct site *s, const struct routes_prefix *p, const struct l4_route *route)
{
	unsigned at = model_place(s, p);
	struct l4_route was;

	assert_int_equal(routes_set(s->set, p, route, &was), 0);
	assert_memory_equal(&was, at < s->n ? &s->model[at].route : &none, sizeof was);
	s->model[at].prefix = *p;
	s->model[at].route = *route;
	s->n += at == s->n;
	assert_in_range(s->n, 0, ROUTES - 1);
}

static void leave(struct site *s, const struct routes_prefix *p)
{
	unsigned at = model_place(s, p);
	struct l4_route was;

	routes_delete(s->set, p, &was);
	assert_memory_equal(&was, at < s->n ? &s->model[at].route : &none, sizeof was);
	if (at < s->n)
		s->model[at] = s->model[--s->n];
}

/* Few different bytes, so that prefixes lie in each other, and side by side. */
static void random_bytes(struct site *s, uint8_t bytes[16])
{
	static const uint8_t some[] = { 0, 255, 10, 11, 128 };

	for (unsigned i = 0; i < 16; i++)
		bytes[i] = below(s, 8) ? some[below(s, sizeof some)] : (uint8_t)below(s, 256);
}

static struct routes_prefix random_prefix(struct site *s)
{
	struct routes_prefix p = { .af = below(s, 2) ? 6 : 4 };

	p.plen = (uint8_t)below(s, bits_of(p.af) + 1u);
	if (!below(s, 4))
		p.plen = below(s, 4) ? bits_of(p.af) : 0;
	random_bytes(s, p.bytes);
	if (s->n && below(s, 3)) { /* beside another one, or around it, or in it */
		p.af = s->model[below(s, s->n)].prefix.af;
		memcpy(p.bytes, s->model[below(s, s->n)].prefix.bytes, 16);
		p.plen = p.plen % (bits_of(p.af) + 1u);
		if (p.plen && below(s, 2))
			p.bytes[(p.plen - 1) / 8] ^= (uint8_t)(128 >> (p.plen - 1) % 8);
	}
	return p;
}

static struct l4_route random_route(struct site *s, uint8_t plen)
{
	return (struct l4_route){ below(s, 4), below(s, 3), below(s, 3), plen };
}

static void read_set(struct routes *set, struct route_table *t)
{
	int fd = routes_write(set);
	const char *why = NULL;

	assert_true(fd >= 0);
	assert_int_equal(routes_read(t, fd, ROUTES, &why), 0);
	assert_null(why);
	close(fd);
}

static uint64_t number_of(const uint8_t bytes[8])
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		n = n << 8 | bytes[i];
	return n;
}

static const struct l4_route *look_up(
	const struct route_table *t, uint8_t af, const uint8_t bytes[16])
{
	return af == 6 ? routes_find6(t, number_of(bytes), number_of(bytes + 8))
		       : routes_find4(t, (uint32_t)(number_of(bytes) >> 32));
}

static void check(
	const struct site *s, const struct route_table *t, uint8_t af, const uint8_t bytes[16])
{
	const struct l4_route *is = look_up(t, af, bytes), *wanted = model_find(s, af, bytes);

	assert_int_equal(is != NULL, wanted != NULL);
	if (wanted)
		assert_memory_equal(is, wanted, sizeof *is);
}

/* One less, or one more, round the end. */
static void step(uint8_t *bytes, unsigned n, bool up)
{
	while (n--)
		if (up ? ++bytes[n] : bytes[n]--)
			break;
}

/* The first address of a prefix and the last one, and those before and behind. */
static void check_ends(
	const struct site *s, const struct route_table *t, const struct routes_prefix *p)
{
	for (unsigned ones = 0; ones < 2; ones++) {
		uint8_t bytes[16];

		memcpy(bytes, p->bytes, 16);
		for (unsigned bit = p->plen; bit < bits_of(p->af); bit++)
			bytes[bit / 8] = (uint8_t)((bytes[bit / 8] & ~(128u >> bit % 8)) |
						   (ones ? 128u >> bit % 8 : 0));
		check(s, t, p->af, bytes);
		step(bytes, bits_of(p->af) / 8, ones);
		check(s, t, p->af, bytes);
	}
}

static void check_all(struct site *s)
{
	struct route_table t;

	read_set(s->set, &t);
	for (unsigned i = 0; i < s->n; i++)
		check_ends(s, &t, &s->model[i].prefix);
	for (unsigned i = 0; i < 200; i++) {
		uint8_t bytes[16];

		random_bytes(s, bytes);
		if (i < 4)
			memset(bytes, i & 2 ? 255 : 0, sizeof bytes);
		check(s, &t, i & 1 ? 6 : 4, bytes);
	}
	routes_unread(&t);
	assert_null(t.file.map);
}

static void test_longest_match(void **state)
{
	static struct site s;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		unsigned most = round < 20 ? round : ROUTES - 60;

		site_open(&s, ROUTES);
		s.random = round;
		for (unsigned turn = 0; turn < 12; turn++) {
			for (unsigned i = 0; i < 40; i++) {
				struct routes_prefix p = random_prefix(&s);
				struct l4_route route = random_route(&s, p.plen);

				if (s.n && below(&s, 3) == 0)
					p = s.model[below(&s, s.n)].prefix;
				if (s.n >= most || below(&s, 4) == 0)
					leave(&s, &p);
				else
					enter(&s, &p, &route);
			}
			check_all(&s);
		}
		while (s.n)
			leave(&s, &s.model[0].prefix);
		check_all(&s);
		routes_free(s.set);
	}
}

static void test_nothing_but_a_default_route(void **state)
{
	const struct l4_route route = { L4_ROUTE_GATEWAY, 3, 9, 0 };
	static const uint8_t any[16] = { 1, 2, 3, 4, 5, 6 };
	struct route_table t;
	static struct site s;

	(void)state;
	site_open(&s, ROUTES);
	read_set(s.set, &t);
	assert_null(look_up(&t, 4, any));
	assert_null(look_up(&t, 6, any));
	routes_unread(&t);
	enter(&s, &(struct routes_prefix){ .af = 4 }, &route);
	enter(&s, &(struct routes_prefix){ .af = 6 }, &route);
	read_set(s.set, &t);
	for (int i = 0; i < 2; i++) { /* nothing is to be searched */
		assert_int_equal(t.trees[i].n, 0);
		assert_int_equal(t.trees[i].n_levels, 0);
	}
	assert_memory_equal(look_up(&t, 4, any), &route, sizeof route);
	assert_memory_equal(look_up(&t, 6, any), &route, sizeof route);
	assert_int_equal(t.n_routes, 1);
	routes_unread(&t);
	routes_free(s.set);
}

/* A route of which the bytes are those of the address that it is to. */
static void enter_numbered(struct routes *set, uint8_t af, uint32_t number)
{
	struct routes_prefix p = { .af = af, .plen = af == 6 ? 64 : 32 };
	struct l4_route was, is = { L4_ROUTE_LINK, number / 2 % 50, 0, p.plen };

	memcpy(p.bytes, &(uint32_t){ __builtin_bswap32(number) }, 4);
	assert_int_equal(routes_set(set, &p, &is, &was), 0);
}

/* Every second address has a route: trees of several levels, the last nodes of which are full or not. */
static void test_many(void **state)
{
	static const uint32_t counts[] = { 1, 4, 5, 8, 9, 31, 32, 33, 128, 129, 2047, 2048, 2049,
		40000 };

	(void)state;
	for (unsigned c = 0; c < sizeof counts / sizeof *counts; c++) {
		struct routes *set = routes_new(2 * counts[c]);
		const char *why = "";
		struct route_table t;
		int fd;

		for (uint32_t i = counts[c]; i--;) {
			enter_numbered(set, 4, 2 * i + 1);
			enter_numbered(set, 6, 2 * i + 1);
		}
		fd = routes_write(set);
		assert_int_equal(routes_read(&t, fd, 2 * counts[c], &why), 0);
		assert_int_equal(t.trees[0].n, 2 * counts[c]);
		for (uint32_t i = 0; i <= 2 * counts[c]; i++) {
			const struct l4_route *four = routes_find4(&t, i),
					      *six = routes_find6(&t, (uint64_t)i << 32, i);

			assert_int_equal(four ? four->ifindex : 99, i & 1 ? i / 2 % 50 : 99);
			assert_int_equal(six ? six->ifindex : 99, i & 1 ? i / 2 % 50 : 99);
			assert_null(routes_find6(&t, (uint64_t)i << 32 | 1, i));
		}
		assert_null(routes_find4(&t, UINT32_MAX));
		assert_null(routes_find6(&t, UINT64_MAX, UINT64_MAX));
		routes_unread(&t);
		routes_free(set);
		close(fd);
	}
}

static void test_limits(void **state)
{
	struct routes_prefix p = { .af = 4, .plen = 33 };
	const struct l4_route route = { L4_ROUTE_LINK, 3, 0, 1 }, other = { 0 };
	struct l4_route was;
	static struct site s;

	(void)state;
	site_open(&s, 2);
	assert_int_equal(routes_set(s.set, &p, &route, &was), -EINVAL);
	p = (struct routes_prefix){ .af = 6, .plen = 129 };
	assert_int_equal(routes_set(s.set, &p, &route, &was), -EINVAL);
	p = (struct routes_prefix){ .af = 5, .plen = 1 };
	assert_int_equal(routes_set(s.set, &p, &route, &was), -EINVAL);
	routes_delete(s.set, &p, &was);
	assert_memory_equal(&was, &none, sizeof was);
	for (uint8_t i = 1; i < 3; i++) {
		p = (struct routes_prefix){ .af = 4, .plen = 8, .bytes = { i, i } };
		assert_int_equal(routes_set(s.set, &p, &route, &was), 0);
	}
	p.bytes[0] = 9;
	assert_int_equal(routes_set(s.set, &p, &other, &was), -ENOSPC);
	p.af = 6;
	assert_int_equal(routes_set(s.set, &p, &other, &was), 0); /* counts by itself */
	p.af = 4;
	p.bytes[0] = 2;
	p.bytes[1] = 7; /* of no account */
	assert_int_equal(routes_set(s.set, &p, &other, &was), 0);
	assert_memory_equal(&was, &route, sizeof was);
	routes_delete(s.set, &p, &was);
	assert_memory_equal(&was, &other, sizeof was);
	p.bytes[0] = 9;
	assert_int_equal(routes_set(s.set, &p, &route, &was), 0);
	routes_free(s.set);
	routes_free(NULL);
}

/* A set of some routes of each family. */
static int written(struct site *s)
{
	int fd;

	site_open(s, ROUTES);
	s->random = 5;
	while (s->n < 60) {
		struct routes_prefix p = random_prefix(s);
		struct l4_route route = random_route(s, p.plen);

		enter(s, &p, &route);
	}
	fd = routes_write(s->set);
	assert_true(fd >= 0);
	routes_free(s->set);
	return fd;
}

static void test_same_routes_are_there_once(void **state)
{
	static struct site s;
	struct route_table t;

	(void)state;
	site_open(&s, ROUTES);
	for (uint8_t i = 0; i < 100; i++)
		enter(&s, &(struct routes_prefix){ .af = 4, .plen = 24, .bytes = { 10, i } },
			&(struct l4_route){ L4_ROUTE_LINK, i % 3, 0, 24 });
	read_set(s.set, &t);
	assert_int_equal(t.n_routes, 3);
	assert_int_equal(t.trees[0].n, 200);
	routes_unread(&t);
	for (uint8_t i = 0; i < 100; i++)
		if (i % 3)
			leave(&s,
				&(struct routes_prefix){ .af = 4, .plen = 24, .bytes = { 10, i } });
	read_set(s.set, &t);
	assert_int_equal(t.n_routes, 1);
	routes_unread(&t);
	enter(&s, &(struct routes_prefix){ .af = 4, .plen = 24, .bytes = { 10, 0, 1 } },
		&s.model[0].route);
	read_set(s.set, &t);
	assert_int_equal(t.trees[0].n, 2 * 34); /* beside a neighbour nothing changes */
	routes_unread(&t);
	routes_free(s.set);
}

struct copy {
	uint8_t *bytes;
	size_t n;
};

static struct copy copy_of(int fd)
{
	struct copy c = { .n = (size_t)lseek(fd, 0, SEEK_END) };

	c.bytes = malloc(c.n);
	assert_non_null(c.bytes);
	assert_int_equal(pread(fd, c.bytes, c.n, 0), c.n);
	close(fd);
	return c;
}

static int file_with(const void *bytes, size_t n, int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void refused(
	struct copy c, size_t n, int seals, uint32_t limit, int rc, const char *sentence)
{
	int fd = file_with(c.bytes, n, seals);
	struct route_table t;
	const char *why = "";

	assert_int_equal(routes_read(&t, fd, limit, &why), rc);
	assert_string_equal(why, sentence);
	assert_null(t.file.map);
	assert_null(t.routes);
	close(fd);
}

static void test_files_that_are_refused(void **state)
{
	static const char unsealed[] = "is not sealed: whoever sent it could still change it",
			  length[] = "has another length than it says",
			  room[] = "has more routes than the engine has room for";
	static const struct {
		size_t at;
		uint32_t value;
		int rc;
		const char *sentence;
	} wrong[] = {
		{ 0, 1, -EINVAL, "is no table of routes" },
		{ 8, L4_TABLES_VERSION + 1, -EINVAL, "is of another version of tandem" },
		{ 12, 1, -EMSGSIZE, length },
		{ 12, 2 * ROUTES + 1, -ENOSPC, room },
		{ 16, 1, -EMSGSIZE, length },
		{ 16, 2 * ROUTES + 1, -ENOSPC, room },
		{ 16, UINT32_MAX, -ENOSPC, room },
		{ 20, UINT32_MAX, -ENOSPC, room },
	};
	static struct site s;
	struct copy good = copy_of(written(&s)), bad = { malloc(good.n + 1), good.n };

	(void)state;
	assert_non_null(bad.bytes);
	refused(good, good.n, SEALS & ~F_SEAL_WRITE, ROUTES, -EPERM, unsealed);
	refused(good, good.n, SEALS & ~F_SEAL_GROW, ROUTES, -EPERM, unsealed);
	refused(good, good.n, SEALS & ~F_SEAL_SHRINK, ROUTES, -EPERM, unsealed);
	for (size_t n = 0; n < good.n; n += n < 64 ? 21 : 1)
		refused(good, n, SEALS, ROUTES, -EMSGSIZE,
			n < 64 ? "is shorter than its head" : length);
	memcpy(bad.bytes, good.bytes, good.n);
	bad.bytes[good.n] = 0;
	refused(bad, good.n + 1, SEALS, ROUTES, -EMSGSIZE, length);
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		memcpy(bad.bytes, good.bytes, good.n);
		memcpy(bad.bytes + wrong[i].at, &wrong[i].value, sizeof wrong[i].value);
		refused(bad, good.n, SEALS, ROUTES, wrong[i].rc, wrong[i].sentence);
	}
	refused(good, good.n, SEALS, 20, -ENOSPC, room);
	free(bad.bytes);
	free(good.bytes);
}

static const void *moved(const void *p, const struct memfd *from, const uint8_t *to)
{
	return to + ((const uint8_t *)p - (const uint8_t *)from->map);
}

/* The same table in other memory. */
static struct route_table move(const struct route_table *t, const uint8_t *to)
{
	struct route_table out = *t;

	out.routes = moved(t->routes, &t->file, to);
	for (int i = 0; i < 2; i++) {
		struct routes_tree *tree = &out.trees[i];

		tree->answers = moved(tree->answers, &t->file, to);
		for (uint32_t k = 0; k < tree->n_levels; k++)
			tree->levels[k].lines = moved(tree->levels[k].lines, &t->file, to);
	}
	return out;
}

/* Memory for so many bytes, behind which nobody may read. */
enum { CLIFF = 1 << 20 };

static struct copy cliff(size_t n)
{
	uint8_t *memory =
		mmap(NULL, 2 * CLIFF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(mprotect(memory + CLIFF, CLIFF, PROT_NONE), 0);
	return (struct copy){ memory + (CLIFF - n) / 8 * 8, n };
}

/* What is found is one of the file's routes, whatever its bytes are. */
static void check_within(const struct copy *c, uint64_t *random)
{
	int fd = file_with(c->bytes, c->n, SEALS);
	struct route_table mapped, t;
	const char *why = "";

	if (!routes_read(&mapped, fd, ROUTES, &why)) {
		t = move(&mapped, c->bytes);
		for (unsigned i = 0; i < 40; i++) {
			uint64_t high = random_draw(random) >> random_below(random, 64);
			const struct l4_route *r;

			high = i < 2 ? UINT64_MAX : high;
			r = i & 1 ? routes_find6(&t, high, random_draw(random))
				  : routes_find4(&t, (uint32_t)high);
			if (r)
				assert_in_range(r - t.routes, 0, t.n_routes - 1);
		}
		routes_unread(&mapped);
	}
	close(fd);
}

/* Trees of three levels. */
static int deep(void)
{
	struct routes *set = routes_new(ROUTES);
	int fd;

	for (uint32_t i = 0; i < ROUTES / 2; i++) {
		enter_numbered(set, 4, 2 * i + 1);
		enter_numbered(set, 6, 2 * i + 1);
	}
	fd = routes_write(set);
	assert_true(fd >= 0);
	routes_free(set);
	return fd;
}

static void test_any_bytes(void **state)
{
	struct copy good = copy_of(deep()), bad = cliff(good.n);
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < good.n; i++) {
		memcpy(bad.bytes, good.bytes, good.n);
		bad.bytes[i] = (uint8_t)~bad.bytes[i];
		check_within(&bad, &random);
	}
	for (unsigned round = 0; round < 2000; round++) {
		memcpy(bad.bytes, good.bytes, good.n);
		for (unsigned i = 0; i < 1 + round / 10; i++)
			bad.bytes[64 + random_below(&random, good.n - 64)] =
				(uint8_t)(random_chance(&random, 50)
						  ? random_draw(&random)
						  : random_below(&random, 3) - 1);
		check_within(&bad, &random);
	}
	memset(bad.bytes + 64, 0, good.n - 64);
	check_within(&bad, &random);
	memset(bad.bytes + 64, 255, good.n - 64);
	check_within(&bad, &random);
	free(good.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_match),
		cmocka_unit_test(test_nothing_but_a_default_route),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_same_routes_are_there_once),
		cmocka_unit_test(test_files_that_are_refused),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
