/* SPDX-License-Identifier: BSD-2-Clause */
/* Hashes of many IPv4 flows at once, as l4_flow_hash() makes of each. */
#pragma once
#include "dataplane/l4/flow.h"

enum { FLOW_HASHES = 32, FLOW_HASHES_LANES = 4 };

/* Of flow i the words that its hash is of; and that. Behind the last flow may be anything. */
struct flow_hashes {
	uint64_t first[FLOW_HASHES], last[FLOW_HASHES], hash[FLOW_HASHES];
} __attribute__((aligned(64)));

typedef void flow_hashes_fn(struct flow_hashes *h, const uint64_t key[2], unsigned n);

/* Ways to do it, the fastest first; a NULL ends them. All give the same, and each may need what not every processor has. */
struct flow_hashes_way {
	const char *name;
	flow_hashes_fn *make;
};

extern const struct flow_hashes_way flow_hashes_ways[];

/* Whether this processor can go by the way. */
bool flow_hashes_can(const struct flow_hashes_way *way);

/* The fastest way of this processor. */
flow_hashes_fn *flow_hashes_best(void);
