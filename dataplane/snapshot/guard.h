/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of sources as engines read them (dataplane/l4/tables.h): the store has two halves, one for the published
 * generation, one for the next. */
#pragma once
#include "dataplane/snapshot/fuse.h"
#include "dataplane/snapshot/snapshot.h"

/* Where a list lies, and what it says of sources that no prefix of it holds. */
struct guard_place {
	uint32_t list4, list6; /* guard lines; 0: it has no prefix of the family */
	bool denies4, denies6;
};

/* The filters of a half: those of IPv4, those of IPv6, and those of both. Numbers are guard lines. */
struct guard_filters {
	struct guard_family {
		uint32_t shorts;
		/* To be copied into the image, one after the other: L4_SHORTEST_LINES, and the coarse filter. */
		struct l4_line shortest[L4_SHORTEST_LINES];
		struct fuse coarse;
		uint8_t classes; /* enum l4_prefix_class */
	} families[2];
	uint32_t fine, fine_shift;
};

/* How many lines a store for so many prefixes has: with them in not very many lists, it has room for all. */
uint32_t guard_store_lines(uint32_t prefixes);

/* How many lines of an image so many prefixes take, at most. */
uint32_t guard_store_image_lines(uint32_t prefixes);

/* lines: guard_store_lines() of them, all zero. They are the engine's and outlive the store. NULL when out of memory. */
struct guard_store *guard_store_new(struct l4_line *lines, uint32_t prefixes);
void guard_store_free(struct guard_store *s);

/* Writes the lists of an input into the half that is not in use, unless they are those of the other one. Returns 0;
 * -ENOSPC when they do not fit; -ENOMEM; or -EAGAIN (fuse.h). Must be followed by guard_store_commit() or guard_store_abort(). */
int guard_store_take(struct guard_store *s, const struct snapshot_input *in);

/* The generation is live, and packets of the former one are gone. */
void guard_store_commit(struct guard_store *s);
void guard_store_abort(struct guard_store *s);

/* Lines of the store, for an engine that has a copy of them. */
struct guard_span {
	uint32_t first, n;
};

/* What the lists that were taken last have written, until they are committed; none where they are the published ones. */
struct guard_span guard_store_fresh(const struct guard_store *s);

/* All that the published generation uses. */
struct guard_span guard_store_live(const struct guard_store *s);

/* Of the lists that were taken last. list: index into the input's. */
const struct guard_place *guard_store_place(const struct guard_store *s, uint32_t list);
const struct guard_filters *guard_store_filters(const struct guard_store *s);

/* How many lines of an image they take, at most. */
uint32_t guard_filters_lines(const struct guard_filters *f);
