/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/health/check.h"

void check_init(struct check *c, enum health_state initial, uint32_t phase_ms, uint64_t now_ms)
{
	*c = (struct check){ .state = initial, .since_ms = now_ms, .due_ms = now_ms + phase_ms };
}

/* One interval off by up to jitter percent to either side. */
static uint64_t jittered(const struct check_rules *r, uint32_t random)
{
	uint64_t reach = (uint64_t)r->interval_ms * r->jitter_percent / 100;

	return r->interval_ms - reach + (((2 * reach + 1) * random) >> 32);
}

static void enter(
	struct check *c, enum health_state state, uint64_t now_ms, struct check_actions *a)
{
	a->changed = true;
	a->from = c->state;
	c->state = state;
	c->since_ms = now_ms;
	c->against = 0;
}

static void take_result(struct check *c, const struct check_rules *r, bool ok, uint64_t now_ms,
	struct check_actions *a)
{
	bool down = c->state == HEALTH_DOWN;

	if (c->state == HEALTH_STARTING && ok) {
		enter(c, HEALTH_UP, now_ms, a);
	} else if (ok != down) {
		c->against = 0;
	} else if (++c->against >= (down ? r->rise : r->fall)) {
		enter(c, down ? HEALTH_UP : HEALTH_DOWN, now_ms, a);
	}
}

/* Whether the running probe is given the time for which the caller stood still. */
static bool extend(struct check *c, const struct check_rules *r, uint64_t now_ms)
{
	uint64_t late_ms = now_ms - c->deadline_ms;

	if (c->extended || late_ms < CHECK_LATE_MS)
		return false;
	c->extended = true;
	c->deadline_ms = now_ms + (late_ms < r->timeout_ms ? late_ms : r->timeout_ms);
	return true;
}

struct check_actions check_step(struct check *c, const struct check_rules *r,
	const struct check_event *event, uint64_t now_ms)
{
	struct check_actions a = { 0 };

	if (c->probing && event->kind != CHECK_TIME) {
		c->probing = false;
		if (event->kind != CHECK_NO_RESULT)
			take_result(c, r, event->kind == CHECK_SUCCESS, now_ms, &a);
	} else if (c->probing && now_ms >= c->deadline_ms) {
		if (!extend(c, r, now_ms)) {
			c->probing = false;
			a.timed_out = true;
			take_result(c, r, false, now_ms, &a);
		}
	} else if (!c->probing && event->kind == CHECK_TIME && now_ms >= c->due_ms) {
		c->probing = a.probe = true;
		c->extended = false;
		c->deadline_ms = now_ms + r->timeout_ms;
		c->due_ms = now_ms + jittered(r, event->random);
	}
	a.wake_ms = c->probing ? c->deadline_ms : c->due_ms;
	return a;
}
