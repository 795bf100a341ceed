/* SPDX-License-Identifier: BSD-2-Clause */
/* Hashes of many flows at once, as l4_flow_hash() makes of each. */
#pragma once
#include "dataplane/l4/flow.h"

enum { FLOW_HASHES = 32, FLOW_HASHES_LANES = 4 };

/* Of flow i the words that its hash is of, and that hash, by its family. Of what is no flow, or of the other family, either may be
 * anything. */
struct flow_hashes {
	uint64_t words[L4_FLOW_WORDS6][FLOW_HASHES];
	uint64_t hash4[FLOW_HASHES], hash6[FLOW_HASHES];
	bool has4, has6; /* flows of that family: else its hashes are not made */
} __attribute__((aligned(64)));

static inline void flow_hashes_add(struct flow_hashes *h, unsigned i, const struct l4_flow *f)
{
	if (f->is6) {
		h->has6 = true;
		for (unsigned k = 0; k < L4_FLOW_WORDS6 - 1; k++)
			h->words[k][i] = l4_flow_word6(f, k);
		h->words[L4_FLOW_WORDS6 - 1][i] = l4_flow_last(f, L4_FLOW_BYTES6);
	} else {
		h->has4 = true;
		h->words[0][i] = l4_flow_first4(f);
		h->words[1][i] = l4_flow_last(f, L4_FLOW_BYTES4);
	}
}

static inline uint64_t flow_hashes_of(const struct flow_hashes *h, unsigned i, bool is6)
{
	return is6 ? h->hash6[i] : h->hash4[i];
}

/* Makes the hashes of flows 0 to n - 1. */
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
