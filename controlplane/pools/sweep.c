/* SPDX-License-Identifier: BSD-2-Clause */
/* The sweep over the engine's records, in parts between which the loop does other things. */
#include <event2/event.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/clock.h"
#include "controlplane/pools/site_impl.h"

/* A part takes well below a millisecond. */
enum { SWEEP_PAUSE_MS = 1000, SWEEP_PART_MS = 5, SWEEP_PART = 65536 };

static int restore(void *arg, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since)
{
	return tracker_restore(arg, pool, n, owner, base, since);
}

static void sweep_again(struct site *s, unsigned ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(s->sweep, &tv);
}

int sweep_open(struct site *s)
{
	int rc = engine_past_slots(s->engine, restore, s->tracker);

	if (rc == -ENOMEM)
		return rc;
	if (rc)
		log_warn("the slot tables that packets went by cannot be read: flows whose slot "
			 "was about to change may lose their server");
	sweep_again(s, SWEEP_PAUSE_MS);
	return 0;
}

/* A flow that lost its record is not broken yet, but may be by the change that made its slot a tracked one. */
static void tell_losses(struct site *s, const struct tracking_node *n)
{
	uint64_t lost = n->evicted[TRACKING_LIVE] + n->not_recorded;

	if (s->records_lost_known && lost > s->records_lost)
		log_warn("%llu records of live flows gave way to others or found no room, so that "
			 "these flows may lose their server: raise limits.records",
			(unsigned long long)(lost - s->records_lost));
	s->records_lost = lost;
	s->records_lost_known = true;
}

/* What is known now, with the engine's own counts. */
static void show(struct site *s, uint64_t round)
{
	struct tracking *t = tracker_tracking(s->tracker);
	uint64_t places[L4_PLACE_COUNT];
	uint32_t capacity;

	if (!t)
		return;
	engine_records(s->engine, &capacity);
	t->node.capacity = capacity;
	t->round = round;
	if (!engine_record_counters(s->engine, places)) {
		t->node.evicted[TRACKING_VOID] = places[L4_PLACE_VOID];
		t->node.evicted[TRACKING_EMBRYONIC] = places[L4_PLACE_EMBRYONIC];
		t->node.evicted[TRACKING_AGREEING] = places[L4_PLACE_AGREEING];
		t->node.evicted[TRACKING_LIVE] = places[L4_PLACE_LIVE];
		t->node.not_recorded = places[L4_PLACE_NONE];
		tell_losses(s, &t->node);
	}
	site_set_tracking(s, t);
}

static void tell_forgotten(struct site *s)
{
	uint64_t places[L4_PLACE_COUNT];

	if (!engine_record_counters(s->engine, places))
		tracker_forgotten(s->tracker, places[L4_PLACE_AGREEING] + places[L4_PLACE_NONE],
			clock_coarse());
}

static void sweep_part(struct site *s)
{
	uint32_t n, part = SWEEP_PART;
	struct l4_record *records = engine_records(s->engine, &n);

	if (!s->sweep_at) {
		tracker_sweep_begin(s->tracker);
		s->sweep_round = s->state->round;
	}
	if (part > n - s->sweep_at)
		part = n - s->sweep_at;
	tracker_sweep_part(s->tracker, records + s->sweep_at, part, clock_coarse());
	s->sweep_at += part;
	if (s->sweep_at < n)
		return;
	s->sweep_at = 0;
	tell_forgotten(s);
	tracker_sweep_end(s->tracker, clock_coarse());
	show(s, s->sweep_round);
	if (tracker_is_dirty(s->tracker))
		publish_later(s, 0);
}

/* Where no record can be, none need be looked for. */
static void begin(struct site *s)
{
	if (tracker_is_busy(s->tracker))
		sweep_part(s);
	else
		show(s, s->state->round);
}

/* A sweep begins only while packets go by the tables as they are here: otherwise it could not tell which records say
 * something else. */
void sweep_event(int fd, short what, void *arg)
{
	struct site *s = arg;

	(void)fd;
	(void)what;
	if (s->detached)
		return;
	if (s->sweep_at)
		sweep_part(s);
	else if (s->published && !tracker_is_dirty(s->tracker))
		begin(s);
	sweep_again(s, s->sweep_at ? SWEEP_PART_MS : SWEEP_PAUSE_MS);
}
