/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring store's inside, for the builder: rings found or made, one per distinct content. */
#pragma once
#include "dataplane/snapshot/maglev.h"
#include "dataplane/snapshot/snapshot.h"

/* Planes of a ring as it lies in the engine: owners alone, or owners, bases and sinces. */
enum { RING_SETTLED = 1, RING_TRACKED = 3 };

struct ring {
	struct ring *next; /* in its hash chain */
	uint64_t hash;	   /* of what its slots hold */
	uint32_t n, planes;
	uint32_t chunk, chunks;
	bool live;	  /* the published generation uses it */
	bool wanted;	  /* the generation being built does */
	bool placed;	  /* the engine has it */
	uint16_t slots[]; /* planes * n */
};

/* The ring that pool `id` had when its table was of this version, for the generation being built. Returns 0, -ENOENT
 * when it is not known any more, or -ENOSPC. */
int ring_store_again(struct ring_store *s, uint16_t id, uint64_t version, struct ring **out);

/* The ring of this content, of which a copy is taken, for the generation being built; pool `id` has it while its
 * table is of this version. version 0: not to be remembered. Returns 0, -ENOSPC when no room is left in the store,
 * or -ENOMEM. */
int ring_store_get(struct ring_store *s, uint16_t id, uint64_t version, const uint16_t *slots,
	uint32_t n, uint32_t planes, struct ring **out);

/* Calls fn for every ring that the generation being built wants and the engine does not have. */
void ring_store_each_new(
	struct ring_store *s, void (*fn)(void *arg, const struct ring *r), void *arg);

/* Calls fn for every ring that the generation being built wants. */
void ring_store_each_wanted(
	const struct ring_store *s, void (*fn)(void *arg, const struct ring *r), void *arg);

/* Calls fn for every ring that the published generation uses. */
void ring_store_each_live(
	const struct ring_store *s, void (*fn)(void *arg, const struct ring *r), void *arg);
