/* SPDX-License-Identifier: BSD-2-Clause */
/* Consistent-hashing rings: Maglev (Eisenbud et al., NSDI 2016, section 3.4) with weights and
 * power-of-two sizes. */
#pragma once
#include <stdint.h>

#define MAGLEV_MIN_SLOTS 256u
#define MAGLEV_MAX_SLOTS (1u << 20)
#define MAGLEV_EMPTY	 0x7fffu /* as L4_SLOT_NONE */

struct maglev_member {
	uint64_t identity; /* the same on every node; distinct among members */
	uint16_t weight;   /* 0: gets no slot */
};

/* The size of a ring for n members: the smallest power of two >= 100 n within the bounds above. */
uint32_t maglev_slots(uint32_t n);

/* Fills slots[0..n_slots) with member indices (below MAGLEV_EMPTY), n_slots a power of two. Each member
 * gets its weight's share of the slots, rounded to a slot; where members come and go most slots
 * keep theirs. The result depends on the set of (identity, weight) alone, not on its order. With no
 * member of weight above 0 every slot is MAGLEV_EMPTY. Returns 0, -EINVAL or -ENOMEM. */
int maglev_fill(const struct maglev_member *members, uint32_t n, uint16_t *slots, uint32_t n_slots);
