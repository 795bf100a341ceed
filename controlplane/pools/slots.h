/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a pool's ring slots: who owns each, and what is known of those that change hands. Pure.
 *
 * A settled slot goes to its owner. One that changes hands is tracked: packets leave records (dataplane/l4/track.h),
 * and what has none is the base's, the owner before while that serves flows. One idle time-out later every live flow
 * of the base has a record, and the owner becomes the base. The slot settles once no live record names
 * another server than its owner. (Just Enough Tracking, CoNEXT 2021; Beamer, NSDI 2018.) */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "dataplane/snapshot/snapshot.h"

struct slots {
	struct snapshot_slots view; /* what the snapshot builder reads */
	uint16_t *owner, *base, *since;
	/* One bit a slot. */
	uint8_t *foreign; /* a live record names another server than the owner */
	uint8_t *left;	  /* it was settled, and records of before may still be there */
};

/* n: as struct snapshot_slots says. All slots are settled and nobody's. */
struct slots *slots_new(uint32_t n);
void slots_free(struct slots *s);

/* The same table, of the same version; NULL when out of memory. */
struct slots *slots_copy(const struct slots *s);

/* A table of another size with the same slots: the low bits of a flow's hash choose its slot, so that each slot of
 * a larger table is what the one with its number modulo n was. A smaller one is possible when all slots are settled and
 * those that become one have one owner. NULL: it is not, or out of memory. */
struct slots *slots_resize(const struct slots *s, uint32_t n);

/* Gives the slots to new owners (server ids, one a slot). serves: by server id, whether a server serves the flows that
 * it has. Returns whether anything changed. */
bool slots_assign(struct slots *s, const uint16_t *owners, const bool *serves, uint16_t now);

/* The table is to be published again, since what it is published with has changed. */
void slots_touch(struct slots *s);

/* A base that serves no flows any more gives way to the owner. */
bool slots_drop_bases(struct slots *s, const bool *serves);

/* Whether every flow that is alive, after so much silence at most, has sent a packet since then; coarse time. */
bool slots_all_seen(uint16_t since, uint16_t now, uint16_t idle);

/* Makes the owners the bases of slots all of whose flows have been seen since they are tracked. */
bool slots_rebase(struct slots *s, uint16_t now, uint16_t idle);

/* Settles slots whose base is their owner and of which no bit of `foreign` is set. */
bool slots_settle(struct slots *s);

/* Forgets the bits of `foreign`, or sets that of the slot which a record with this hash belongs to, if
 * `server` does not own it. */
void slots_clear_foreign(struct slots *s);
void slots_see_record(struct slots *s, uint32_t hash, uint16_t server);

/* Whether a record says nothing: its slot is settled, and the server is the owner. */
bool slots_is_idle_record(const struct slots *s, uint32_t hash, uint16_t server);

/* Whether a record may be of before its slot was settled, although the slot is tracked again: connections that began
 * meanwhile on the same ports did not touch it. */
bool slots_is_late_record(const struct slots *s, uint32_t hash, uint16_t server);

/* Sets the bits of `left` or forgets them: nobody knows, or a sweep has cleared what was left behind. */
void slots_leave(struct slots *s);
void slots_clear_left(struct slots *s);
