/* SPDX-License-Identifier: BSD-2-Clause */
/* Stable numbers for names: given once, kept over reloads and restarts.
 *
 * Numbers are 1..limit, since they index the engine's counters. A name that leaves the configuration keeps
 * its number, so that an object that returns is the same one again; only when every number is taken does
 * a new name get that of the name which has been gone for longest, and that nothing else still names. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct ids_entry {
	char *name;
	uint32_t id;
	uint64_t gone; /* the round in which the name left the configuration; 0: in use */
};

/* Sorted by name. All zero is the empty table. */
struct ids {
	struct ids_entry *list;
	uint32_t n, cap;
};

void ids_free(struct ids *t);

/* Makes *out a copy. Returns 0 or -ENOMEM. */
int ids_copy(struct ids *out, const struct ids *t);

/* Adds a name with a known number, as read from a file. Returns 0, -EEXIST when the table has the name, or
 * -ENOMEM. */
int ids_add(struct ids *t, const char *name, uint32_t id, uint64_t gone);

/* The entry of a name, or NULL; good until the table changes. */
const struct ids_entry *ids_find(const struct ids *t, const char *name);

/* Whether something still names the number of a name that is gone, so that it may not go to another. */
struct ids_held {
	bool (*test)(const void *arg, const struct ids_entry *e);
	const void *arg;
};

/* Makes `names` the names in use in round `round` (counted up by the caller, never 0) and writes their
 * numbers to `out`. Names that are gone are marked; numbers above the limit are given up, so a name that had
 * one gets another. `fresh`, of limit + 1 entries, is set where a number went to a name that did not
 * have it before, and may be NULL. `held` NULL: no number is. Names must differ. Returns 0, -ENOSPC when
 * there are more names than numbers, -EAGAIN when there would be enough but for those that are held, or
 * -ENOMEM; after an error the table is only good for ids_free(). */
int ids_bind(struct ids *t, const char *const *names, uint32_t n, uint32_t limit, uint64_t round,
	const struct ids_held *held, uint32_t *out, bool *fresh);
