/* SPDX-License-Identifier: BSD-2-Clause */
/* What `tools/bench core` measures: a case of the XDP engine's benchmark (tests/bench/xdp/cases.h), with a number of flows of its own. */
#pragma once
#include "tests/bench/xdp/cases.h"

struct core_case {
	const char *name;
	const char *of; /* a case there */
	uint64_t flows; /* a power of two, at most 2^32 */
	/* At least so many millions in a second; 0: no limit. */
	double mpps;
	/* At most so many times what another case here takes. */
	const char *than;
	double times;
	unsigned workers; /* 0: one */
	bool apart; /* two, each with an engine of its own: they have nothing in common but the machine */
};

extern const struct core_case core_cases[];
extern const unsigned core_n_cases;

const struct core_case *core_case_find(const char *name);
