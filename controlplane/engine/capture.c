/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets told as they pass, by whichever body: one capture at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "controlplane/engine/body.h"

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * (int64_t)1000000000 + ts.tv_nsec;
}

bool engine_capture_tell(const struct engine_capture *c, const struct l4_captured *leg, size_t size)
{
	if (size < offsetof(struct l4_captured, bytes) ||
		size < offsetof(struct l4_captured, bytes) + leg->captured)
		return false;
	c->fn(c->arg, leg, c->real_ns + (int64_t)leg->time_ns);
	return true;
}

static int begin_error(int rc, struct err *e)
{
	if (rc == -EBUSY)
		return err_set(e, rc,
			"somebody is capturing already: there is one capture at a time, wait for "
			"its end");
	return err_set(e, rc, "cannot run the program that captures packets: %s", strerror(-rc));
}

int engine_capture_new(struct engine_capture **out, struct engine *en, struct event_base *base,
	const struct l4_capture_filter *filter, engine_capture_fn *fn, void *arg, struct err *e)
{
	struct engine_capture *c;
	int rc;

	if (en->capture || !en->attached)
		return begin_error(en->capture ? -EBUSY : -EAGAIN, e);
	c = calloc(1, sizeof *c);
	if (!c)
		return err_set(e, -ENOMEM, "out of memory");
	c->engine = en;
	c->fn = fn;
	c->arg = arg;
	c->real_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	en->capture = c;
	rc = en->body->capture_begin(c, base, filter);
	if (rc) {
		engine_capture_free(c);
		return begin_error(rc, e);
	}
	*out = c;
	return 0;
}

void engine_capture_free(struct engine_capture *c)
{
	if (!c)
		return;
	c->engine->body->capture_end(c);
	c->engine->capture = NULL;
	free(c);
}

bool engine_captures(const struct engine *en)
{
	return en->capture;
}

uint64_t engine_capture_lost(const struct engine_capture *c)
{
	return c->engine->body->capture_lost(c);
}
