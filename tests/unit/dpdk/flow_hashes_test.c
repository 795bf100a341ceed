/* SPDX-License-Identifier: BSD-2-Clause */
/* Against l4_flow_hash(), which tests/unit/l4 checks against published vectors. */
#include "dataplane/dpdk/flow_hashes.h"
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

static uint32_t any(void)
{
	return (uint32_t)rand() ^ (uint32_t)rand() << 16;
}

static struct l4_flow any_flow(bool is6)
{
	struct l4_flow f = {
		.src = { any() },
		.dst = { any() },
		.sport = (uint16_t)any(),
		.dport = (uint16_t)any(),
		.protocol = (uint8_t)any(),
		.is6 = is6,
	};

	for (unsigned i = 1; i < 4 && is6; i++) {
		f.src[i] = any();
		f.dst[i] = any();
	}
	return f;
}

enum families { ONLY4, ONLY6, BOTH, FAMILIES };

static void check_way(flow_hashes_fn *make, unsigned n, enum families families)
{
	const uint64_t key[2] = { (uint64_t)any() << 32 | any(), (uint64_t)any() << 32 | any() };
	struct l4_flow flows[FLOW_HASHES];
	struct flow_hashes h;

	memset(&h, 0xa5, sizeof h);
	h.has4 = h.has6 = false;
	for (unsigned i = 0; i < n; i++) {
		flows[i] = any_flow(families == BOTH ? any() & 1 : families == ONLY6);
		flow_hashes_add(&h, i, &flows[i]);
	}
	make(&h, key, n);
	for (unsigned i = 0; i < n; i++)
		assert_true(flow_hashes_of(&h, i, flows[i].is6) == l4_flow_hash(key, &flows[i]));
}

static void test_each_way_gives_the_flow_hash(void **state)
{
	unsigned ways = 0;

	(void)state;
	for (const struct flow_hashes_way *way = flow_hashes_ways; way->name; way++) {
		if (!flow_hashes_can(way)) {
			print_message("this processor cannot go by %s\n", way->name);
			continue;
		}
		ways++;
		for (unsigned round = 0; round < 200; round++)
			for (unsigned n = 0; n <= FLOW_HASHES; n++)
				check_way(way->make, n, round % FAMILIES);
	}
	assert_true(ways > 0);
}

static void test_the_best_is_the_first_that_can_be(void **state)
{
	const struct flow_hashes_way *way = flow_hashes_ways;

	(void)state;
	while (!flow_hashes_can(way))
		way++;
	assert_ptr_equal(flow_hashes_best(), way->make);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_way_gives_the_flow_hash),
		cmocka_unit_test(test_the_best_is_the_first_that_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
