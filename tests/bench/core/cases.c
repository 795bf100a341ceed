/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/core/cases.h"
#include <string.h>
#include "tests/bench/flags.h"

#define K1  (1u << 10)
#define K64 (1u << 16)
#define M1  (1u << 20)
#define M16 (1u << 24)
#define NEW (1ull << 32)

/* Settled flows, of four numbers; the most of them within a fifth of the fewest. */
#define SETTLED(mode)                                                                             \
	{ mode "-1k", mode "-1M", K1, .mpps = 26 }, { mode "-64k", mode "-1M", K64, .mpps = 26 }, \
		{ mode "-1M", mode "-1M", M1, .mpps = 26 },                                       \
	{                                                                                         \
		mode "-16M", mode "-1M", M16, .mpps = 26, .than = mode "-1k", .times = 1.2        \
	}

const struct core_case core_cases[] = {
	SETTLED("tunnel"),
	SETTLED("dsr"),
	SETTLED("nat"),
	{ "dsr-6-1M", "dsr-6-1M", M1, .mpps = 0 },
	{ "tunnel-6-1M", "tunnel-6-1M", M1, .mpps = 0 },
	{ "spread-500-1M", "spread-500-1M", M1, .mpps = 16 },
	{ "dsr-new", "dsr-new", NEW, .mpps = 24 },
	{ "tunnel-new", "tunnel-new", NEW, .mpps = 24 },
	{ "track-1k", "track-1M", K1, .mpps = 20 },
	{ "track-64k", "track-1M", K64, .mpps = 12 },
	{ "track-1M", "track-1M", M1, .mpps = 8 },
	/* Each of two as fast as nine tenths of one. */
	{ "two-workers-1M", "dsr-1M", M1, .workers = 2, .than = "dsr-1M", .times = 2 / 1.8 },
	{ "two-engines-1M", "dsr-1M", M1, .apart = true },
	{ "ten-1M", "ten-1M", M1, .mpps = 0 },
	{ "services-10k-1M", "services-10k-1M", M1, .than = "ten-1M", .times = 1.3 },
	{ "servers-10k-1M", "servers-10k-1M", M1, .than = "ten-1M", .times = 1.3 },
	{ "pool-of-10k-1M", "pool-of-10k-1M", M1, .than = "ten-1M", .times = 1.3 },
};

_Static_assert(sizeof core_cases / sizeof *core_cases <= FLAGS_CASES, "the command line's");
const unsigned core_n_cases = sizeof core_cases / sizeof *core_cases;

const struct core_case *core_case_find(const char *name)
{
	for (unsigned i = 0; i < core_n_cases; i++)
		if (!strcmp(core_cases[i].name, name))
			return &core_cases[i];
	return NULL;
}
