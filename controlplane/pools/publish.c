/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine is told, and when.
 *
 * Changes mark the site as to be published; the marks of one turn of the loop become one generation. A
 * change that follows from nothing (the same input again) publishes nothing.
 *
 * Hold: a daemon that adopts an engine whose servers' states it does not know (its state file was lost)
 * must not publish pools that are empty only because their checks have just begun. It lets packets flow by
 * the adopted generation until every check has a verdict, or would have had time for one. */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/clock.h"
#include "controlplane/pools/emergency.h"
#include "controlplane/pools/site_impl.h"

enum { PUBLISH_RETRY_MS = 1000, HOLD_MAX_MS = 30000 };

static const struct timeval *timeval_ms(struct timeval *tv, unsigned ms)
{
	tv->tv_sec = ms / 1000;
	tv->tv_usec = (suseconds_t)(ms % 1000) * 1000;
	return tv;
}

static int build_live(const struct site *s, const struct live *l, const struct state *st,
	struct build_hop **hops, struct build **out)
{
	struct build_facts facts;
	struct snapshot_port *ports;
	int err = facts_get(s, l->conf, &ports, hops);
	bool *proxied;

	if (err)
		return err;
	proxied = cookies_proxied(s, l);
	facts = (struct build_facts){ .ports = ports, .hops = *hops, .proxied = proxied };
	err = proxied ? build_new(out, l->conf, &l->ids, st, &facts) : -ENOMEM;
	free(proxied);
	free(ports);
	if (err)
		free(*hops);
	return err;
}

static void publish_done(struct site *s)
{
	tracker_published(s->tracker);
	s->must_publish = false;
	log_debug("generation %llu is published", (unsigned long long)engine_generation(s->engine));
}

/* Only now: until the generation was published, the numbers may have counted for what had them before. */
static void reset_counters(struct site *s, struct binding *b)
{
	for (; b->n_fresh; b->n_fresh--) {
		const struct fresh_id *f = &b->fresh[b->n_fresh - 1];
		int err = engine_counter_reset(s->engine, f->kind, f->id);

		if (f->kind == ENGINE_SERVICE)
			floods_forget(s->floods, f->id);

		if (err)
			log_warn("a counter of number %u does not start at zero: %s", f->id,
				strerror(-err));
	}
}

/* Whether devices are to do the same for both. */
static bool same_devices(const struct snapshot_input *a, const struct snapshot_input *b)
{
	return b && a->n_ports == b->n_ports && a->n_addresses == b->n_addresses &&
	       !memcmp(a->ports, b->ports, a->n_ports * sizeof *a->ports) &&
	       !memcmp(a->addresses, b->addresses, a->n_addresses * sizeof *a->addresses);
}

static int publish(
	struct site *s, struct live *l, const struct state *st, bool aside, struct err *e)
{
	struct build_hop *hops;
	struct build *b;
	int err = build_live(s, l, st, &hops, &b);

	if (err)
		return err_set(e, err, "out of memory");
	err = tracker_update(s->tracker, &b->input, b->pools, clock_coarse());
	if (err) {
		tracker_unpublished(s->tracker);
		err_set(e, err, "out of memory");
	} else if (s->must_publish || !build_same(b, s->published) ||
		   tracker_is_dirty(s->tracker)) {
		if (!aside && !same_devices(&b->input, s->published ? &s->published->input : NULL))
			nics_apply(s, l->conf);
		err = engine_publish(s->engine, &b->input, e);
		if (err)
			tracker_unpublished(s->tracker);
		else
			publish_done(s);
	}
	if (!err && keeper_set(s->keeper, hops, l->conf->n_servers))
		log_warn("out of memory: next hops of new servers are asked for by packets only");
	free(hops);
	if (err) {
		build_free(b);
		return err;
	}
	reset_counters(s, &l->ids);
	emergency_tell(l, s->published, b);
	build_free(s->published);
	s->published = b;
	s->publish_fault.text[0] = '\0';
	return 0;
}

int publish_now(struct site *s, struct live *l, const struct state *st, struct err *e)
{
	return publish(s, l, st, false, e);
}

int publish_aside(struct site *s, struct live *l, const struct state *st, struct err *e)
{
	return publish(s, l, st, true, e);
}

void publish_later(struct site *s, unsigned delay_ms)
{
	struct timeval tv;

	if (!s->publish || s->detached)
		return;
	if (!delay_ms)
		event_active(s->publish, EV_TIMEOUT, 0);
	else if (!event_pending(s->publish, EV_TIMEOUT, NULL))
		event_add(s->publish, timeval_ms(&tv, delay_ms));
}

/* It is sent what is new when it is back, and the log has told that it is gone. */
static bool engine_is_gone(const struct site *s)
{
	uint64_t since_ms;

	return engine_state(s->engine, &since_ms) == ENGINE_GONE;
}

void publish_event(int fd, short what, void *arg)
{
	struct site *s = arg;
	struct err e;

	(void)fd;
	(void)what;
	event_del(s->publish);
	if (s->holding || s->detached)
		return;
	if (!publish_now(s, s->live, s->state, &e)) {
		changeover_settle(s);
		return;
	}
	if (strcmp(s->publish_fault.text, e.text) != 0 && !engine_is_gone(s))
		log_error("cannot publish, packets flow by the former generation: %s", e.text);
	s->publish_fault = e;
	publish_later(s, PUBLISH_RETRY_MS);
}

/* The time in which every check must have come to a verdict. */
static unsigned hold_ms(const struct conf *c)
{
	uint64_t longest = 0;

	for (unsigned i = 0; i < c->n_healths; i++) {
		const struct conf_health *h = &c->healths[i];
		unsigned probes = (h->rise > h->fall ? h->rise : h->fall) + 1u;
		uint64_t ms = (uint64_t)h->interval_ms * probes + h->timeout_ms;

		if (ms > longest)
			longest = ms;
	}
	return longest < HOLD_MAX_MS ? (unsigned)longest : HOLD_MAX_MS;
}

void publish_hold(struct site *s)
{
	struct timeval tv;
	unsigned n = seen_starting(s);

	if (!n)
		return;
	s->holding = true;
	event_add(s->hold, timeval_ms(&tv, hold_ms(s->live->conf)));
	log_info("packets flow by the adopted generation until the health of %u servers is known",
		n);
}

void publish_hold_event(int fd, short what, void *arg)
{
	struct site *s = arg;
	unsigned n = seen_starting(s);

	(void)fd;
	(void)what;
	if (n)
		log_warn("%u servers have no verdict yet; publishing without them", n);
	event_del(s->hold);
	s->holding = false;
	publish_later(s, 0);
}

int publish_allowed(const struct site *s, struct err *e)
{
	if (s->detached)
		return err_set(e, -EBUSY,
			"the engine is detached, nothing can be changed: restart tandemd to attach "
			"it again");
	if (s->holding)
		return err_set(e, -EAGAIN,
			"the health of %u servers is not known yet after the restart: try again in "
			"some "
			"seconds",
			seen_starting(s));
	return 0;
}
