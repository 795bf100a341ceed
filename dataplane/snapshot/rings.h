/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring store's inside, for the builder: rings found or made, one per distinct set of members. */
#pragma once
#include "dataplane/snapshot/maglev.h"
#include "dataplane/snapshot/snapshot.h"

struct ring {
	struct ring *next; /* in its hash chain */
	uint64_t hash;	   /* of members */
	struct maglev_member *members;
	uint32_t n_members;
	uint32_t chunk, chunks;
	bool live;	 /* the published generation uses it */
	bool wanted;	 /* the generation being built does */
	uint16_t *slots; /* until the engine has it, then NULL */
};

/* The ring of these members, in this order, for the generation being built. Takes a copy of members.
 * Returns 0, -ENOSPC when no room is left in the store, or -ENOMEM. */
int ring_store_get(
	struct ring_store *s, const struct maglev_member *members, uint32_t n, struct ring **out);

/* Calls fn for every ring that the generation being built wants and the engine does not have. */
void ring_store_each_new(
	struct ring_store *s, void (*fn)(void *arg, const struct ring *r), void *arg);
