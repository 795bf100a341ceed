/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/slots/control.h"
#include <errno.h>
#include <string.h>

int control_open(struct control *c, struct site *s, const struct body_ops *ops, struct err *e)
{
	int rc;

	*c = (struct control){ .site = s, .ops = ops };
	rc = ops->open(&c->body, &s->world, e);
	if (rc)
		return rc;
	c->records = ops->records(c->body, &c->n_records);
	c->tracker = tracker_new();
	if (!c->tracker)
		return err_set(e, -ENOMEM, "out of memory");
	rc = control_update(c, 0, e);
	return rc ? rc : control_publish(c, false, 0, e);
}

void control_close(struct control *c)
{
	tracker_free(c->tracker);
	if (c->body)
		c->ops->close(c->body);
}

bool control_is_behind(const struct control *c)
{
	return c->published != c->site->version || tracker_is_dirty(c->tracker);
}

int control_update(struct control *c, uint16_t now, struct err *e)
{
	int rc;

	site_describe(c->site);
	c->described = c->site->version;
	rc = tracker_update(c->tracker, &c->site->input, c->site->pools, now);
	return rc ? err_set(e, rc, "out of memory") : 0;
}

static void show(struct control *c)
{
	for (unsigned i = 0; i < SITE_POOLS; i++) {
		const struct snapshot_slots *from = c->site->pools[i].slots;
		struct control_table *to = &c->shown[i];

		if (to->n == from->n && to->n_tracked && !from->n_tracked)
			c->settled++;
		to->n = from->n;
		to->n_tracked = from->n_tracked;
		memcpy(to->owner, from->owner, from->n * sizeof *to->owner);
		memcpy(to->base, from->base, from->n * sizeof *to->base);
	}
}

int control_publish(struct control *c, bool fail, uint64_t event, struct err *e)
{
	int rc;

	if (fail) {
		tracker_unpublished(c->tracker);
		c->failures++;
		return 0;
	}
	rc = c->ops->publish(c->body, &c->site->input, e);
	if (rc)
		return rc;
	tracker_published(c->tracker);
	show(c);
	site_published(c->site, event);
	c->published = c->described;
	c->publishes++;
	return 0;
}

bool control_sweep(struct control *c, uint32_t part, uint16_t now)
{
	uint64_t places[L4_PLACE_COUNT];

	if (!c->sweep_at) {
		if (!c->published || tracker_is_dirty(c->tracker) || !tracker_is_busy(c->tracker))
			return false;
		tracker_sweep_begin(c->tracker);
	}
	if (part > c->n_records - c->sweep_at)
		part = c->n_records - c->sweep_at;
	tracker_sweep_part(c->tracker, c->records + c->sweep_at, part, now);
	c->sweep_at += part;
	if (c->sweep_at < c->n_records)
		return false;
	c->sweep_at = 0;
	if (!c->ops->places(c->body, places))
		tracker_forgotten(
			c->tracker, places[L4_PLACE_AGREEING] + places[L4_PLACE_NONE], now);
	tracker_sweep_end(c->tracker, now);
	c->sweeps++;
	return true;
}

static int restore(void *arg, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since)
{
	return tracker_restore(arg, pool, n, owner, base, since);
}

int control_restart(struct control *c)
{
	tracker_free(c->tracker);
	c->tracker = tracker_new();
	c->published = 0;
	c->sweep_at = 0;
	c->restarts++;
	return c->tracker ? c->ops->past_slots(c->body, restore, c->tracker) : -ENOMEM;
}
