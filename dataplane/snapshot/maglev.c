/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/maglev.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/hash.h"

/* One member's walk over its own permutation of the slots: offset + i * skip, which visits every slot of a
 * power-of-two ring once because skip is odd. */
struct walk {
	uint64_t identity;
	uint32_t offset, skip, next;
	uint32_t weight;
	uint32_t credit; /* of turns, in units of 1 / the largest weight */
	uint16_t index;
};

uint32_t maglev_slots(uint32_t n)
{
	uint32_t slots = MAGLEV_MIN_SLOTS;

	while (slots < MAGLEV_MAX_SLOTS && slots < 100ull * n)
		slots *= 2;
	return slots;
}

static uint64_t maglev_hash(uint64_t identity, uint64_t purpose)
{
	static const uint64_t key[2] = { 0x6d61676c65763031, 0 };
	struct l4_sip s = l4_sip_init(key);

	l4_sip_word(&s, identity);
	l4_sip_word(&s, purpose);
	l4_sip_word(&s, 16ull << 56);
	return l4_sip_end(&s);
}

static int walk_compare(const void *a, const void *b)
{
	const struct walk *x = a, *y = b;

	return x->identity < y->identity ? -1 : x->identity > y->identity;
}

static uint16_t walk_weights(struct walk *walks, const struct maglev_member *members, uint32_t n,
	uint32_t mask, uint32_t *n_walks)
{
	uint16_t heaviest = 0;

	*n_walks = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t id = members[i].identity;

		if (!members[i].weight)
			continue;
		if (members[i].weight > heaviest)
			heaviest = members[i].weight;
		walks[(*n_walks)++] = (struct walk){
			.identity = id,
			.offset = (uint32_t)maglev_hash(id, 0) & mask,
			.skip = ((uint32_t)maglev_hash(id, 1) | 1) & mask,
			.weight = members[i].weight,
			.index = (uint16_t)i,
		};
	}
	for (uint32_t i = 0; i < *n_walks; i++)
		walks[i].credit = heaviest / 2u; /* so that shares round to the nearest */
	qsort(walks, *n_walks, sizeof *walks, walk_compare);
	return heaviest;
}

static void walk_take(struct walk *w, uint16_t *slots, uint32_t mask)
{
	uint32_t slot;

	do
		slot = (w->offset + w->next++ * w->skip) & mask;
	while (slots[slot] != MAGLEV_EMPTY);
	slots[slot] = w->index;
}

int maglev_fill(const struct maglev_member *members, uint32_t n, uint16_t *slots, uint32_t n_slots)
{
	uint32_t mask = n_slots - 1, n_walks, left = n_slots;
	struct walk *walks;
	uint16_t heaviest;

	if (!n_slots || n_slots & mask || n > n_slots || n >= MAGLEV_EMPTY)
		return -EINVAL;
	for (uint32_t i = 0; i < n_slots; i++)
		slots[i] = MAGLEV_EMPTY;
	walks = calloc(n ? n : 1, sizeof *walks);
	if (!walks)
		return -ENOMEM;
	heaviest = walk_weights(walks, members, n, mask, &n_walks);
	/* In every round the heaviest members take one slot, others as often as their weight's share of
	 * that allows. */
	while (heaviest && left) {
		for (uint32_t i = 0; i < n_walks && left; i++) {
			walks[i].credit += walks[i].weight;
			if (walks[i].credit < heaviest)
				continue;
			walks[i].credit -= heaviest;
			walk_take(&walks[i], slots, mask);
			left--;
		}
	}
	free(walks);
	return 0;
}
