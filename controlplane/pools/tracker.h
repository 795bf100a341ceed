/* SPDX-License-Identifier: BSD-2-Clause */
/* The slot tables of all pools, carried from generation to generation, and what the sweep over the records says of
 * them. No clock, no engine: times and records are arguments. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/pools/tracking.h"
#include "dataplane/l4/record.h"
#include "dataplane/snapshot/snapshot.h"

struct tracker;

struct tracker *tracker_new(void);
void tracker_free(struct tracker *t);

/* A table that a former process left: n slots of pool id. Returns 0, -EINVAL or -ENOMEM. */
int tracker_restore(struct tracker *t, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since);

/* Brings the tables up to what the input says (who is a member, its weight, whether it serves) and points the
 * input's pools at them; pools that the input lacks lose theirs. now: coarse time. Returns 0 or -ENOMEM, and
 * then packets must go on by the former generation. */
int tracker_update(struct tracker *t, const struct snapshot_input *in, struct snapshot_pool *pools,
	uint16_t now);

/* Whether a table differs from what was published last. */
bool tracker_is_dirty(const struct tracker *t);
/* The tables are published. */
void tracker_published(struct tracker *t);
/* They could not be: what the last update changed is as it was before. */
void tracker_unpublished(struct tracker *t);

/* A sweep: begin, any number of parts of the engine's table, end. Records whose time is over, or whose server serves no
 * flows, are cleared on the way. At its end slots are rebased and settled. */
void tracker_sweep_begin(struct tracker *t);
void tracker_sweep_part(struct tracker *t, struct l4_record *records, uint32_t n, uint16_t now);
void tracker_sweep_end(struct tracker *t, uint16_t now);

/* How many records that say what their slots say anyway were evicted, and how many flows found no room for one, since the
 * engine was first set up; to be told before a sweep ends. These flows are their bases' as long as no base changes:
 * while the number grows, and for an idle time-out after that, none does. */
void tracker_forgotten(struct tracker *t, uint64_t n, uint16_t now);

/* Whether any slot is tracked, or the last sweep found records: whether there is anything to sweep for. */
bool tracker_is_busy(const struct tracker *t);

/* What is known, for site_set_tracking(); node.capacity, node.evicted, node.not_recorded and round are the caller's to
 * fill in. NULL: no sweep has ended yet. */
struct tracking *tracker_tracking(struct tracker *t);
