/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/ports.h"
#include <errno.h>
#include <string.h>
#include "tests/unit/test.h"

/* ports.h of the data path asks a body for what it looks up; the search itself needs none of it. */
struct l4_tables {
	char nothing;
};
static const void *l4_tables_line(const struct l4_tables *t, uint32_t line)
{
	(void)line;
	return t;
}
static uint32_t l4_tables_slot(const struct l4_tables *t, uint32_t chunk, uint32_t slot)
{
	(void)t;
	return chunk + slot;
}
struct l4_way;

static struct l4_way *l4_tables_way(const struct l4_tables *t)
{
	(void)t;
	return NULL;
}

#include "dataplane/l4/ports.h"

static uint32_t l4_tables_ports(
	const struct l4_tables *t, uint32_t table, uint32_t n, uint32_t port)
{
	(void)t;
	return table + n + port;
}

enum { TCP = 6 << 16, UDP = 17 << 16 };

/* What a plain walk over the ranges finds. */
static uint32_t plain(const struct ports_range *r, uint32_t n, uint32_t port)
{
	for (uint32_t i = 0; i < n; i++)
		if (r[i].from <= port && port <= r[i].to)
			return r[i].line;
	return 0;
}

static void every_port_finds_its_range(void **state)
{
	struct ports_range r[] = {
		{ .af = 4, .from = UDP | 1, .to = UDP | 65535, .line = 7 },
		{ .af = 4, .from = TCP | 8000, .to = TCP | 8099, .line = 3 },
		{ .af = 4, .from = TCP | 8100, .to = TCP | 8199, .line = 4 },
		{ .af = 4, .from = TCP | 1, .to = TCP | 9, .line = 5 },
		{ .af = 4, .from = TCP | 65000, .to = TCP | 65535, .line = 6 },
	};
	struct l4_ports table;
	int n;

	(void)state;
	ports_sort(r, 5);
	n = ports_fill(r, 5, &table);
	assert_int_equal(n, 9);
	for (uint32_t port = 0; port < 1u << 21; port++)
		assert_int_equal(l4_ports_line(&table, (uint32_t)n, port), plain(r, 5, port));
	(void)l4_ports_find;
	(void)l4_tables_slot;
}

static void full_tables_work_and_more_are_refused(void **state)
{
	struct ports_range r[L4_PORTS_RANGES + 1] = { { 0 } };
	struct l4_ports table;
	int n;

	(void)state;
	for (uint32_t i = 0; i <= L4_PORTS_RANGES; i++)
		r[i] = (struct ports_range){
			.from = TCP | (i * 10 + 1), .to = TCP | (i * 10 + 8), .line = i + 1
		};
	n = ports_fill(r, L4_PORTS_RANGES, &table);
	assert_int_equal(n, 2 * L4_PORTS_RANGES);
	assert_true(ports_lines(L4_PORTS_RANGES) <= L4_PORTS_LINES);
	for (uint32_t port = TCP; port < TCP + 1000; port++)
		assert_int_equal(
			l4_ports_line(&table, (uint32_t)n, port), plain(r, L4_PORTS_RANGES, port));
	assert_int_equal(ports_fill(r, L4_PORTS_RANGES + 1, &table), -EINVAL);
}

static void what_overlaps_is_refused(void **state)
{
	struct ports_range r[] = {
		{ .af = 4, .from = TCP | 1, .to = TCP | 10, .line = 1 },
		{ .af = 4, .from = TCP | 10, .to = TCP | 20, .line = 2 },
	};
	struct l4_ports table;

	(void)state;
	assert_int_equal(ports_fill(r, 2, &table), -EINVAL);
	r[1].from++;
	assert_int_equal(ports_fill(r, 2, &table), 3);
	r[0].to = r[0].from - 1;
	assert_int_equal(ports_fill(r, 1, &table), -EINVAL);
}

static void addresses_are_kept_apart(void **state)
{
	struct ports_range r[] = {
		{ .af = 6, .bytes = { 1 }, .from = 5 },
		{ .af = 4, .bytes = { 2 }, .from = 2 },
		{ .af = 4, .bytes = { 1 }, .from = 9 },
		{ .af = 4, .bytes = { 2 }, .from = 1 },
	};

	(void)state;
	ports_sort(r, 4);
	assert_int_equal(ports_same(r, 4), 1);
	assert_int_equal(ports_same(r + 1, 3), 2);
	assert_int_equal(r[1].from, 1);
	assert_int_equal(ports_same(r + 3, 1), 1);
	assert_int_equal(r[3].af, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_port_finds_its_range),
		cmocka_unit_test(full_tables_work_and_more_are_refused),
		cmocka_unit_test(what_overlaps_is_refused),
		cmocka_unit_test(addresses_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
