/* SPDX-License-Identifier: BSD-2-Clause */
/* The shell of the checks: gives each target's state machine the time and the results, and runs
 * the probes it asks for. */
#include "controlplane/health/health.h"
#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "controlplane/base/log.h"
#include "controlplane/health/check.h"
#include "controlplane/health/probe.h"
#include "controlplane/health/target.h"

enum {
	/* At once; and at most half as many as the process may have files. */
	HEALTH_MOST_PROBES = 4096,
	/* Between the first probes of new targets, on average. */
	HEALTH_PHASE_MS = 1,
	HEALTH_COMPLAIN_US = 60000000,
};

struct health {
	struct event_base *base;
	health_change_fn changed;
	void *arg;
	struct target **targets; /* by id */
	unsigned n_targets;
	unsigned running, most;	    /* probes */
	struct target_list waiting; /* for a probe to end, first come, first served */
	struct probe_list ended;    /* reported, to be freed by `reap` outside of their own calls */
	struct event *reap;	    /* also starts what waits */
	uint64_t complained_us; /* when the log last said that probes cannot be made; 0: never */
};

const char *health_state_name(enum health_state s)
{
	static const char *const names[] = { "starting", "up", "down" };

	return names[s];
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t random32(void)
{
	uint32_t r;

	evutil_secure_rng_get_bytes(&r, sizeof r);
	return r;
}

static void wake_at(const struct target *t, uint64_t at_ms, uint64_t now_ms)
{
	uint64_t ms = at_ms > now_ms ? at_ms - now_ms : 0;
	const struct timeval wait = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	event_add(t->timer, &wait);
}

static void free_probe(struct health *h, struct probe *p)
{
	p->kind->free(p);
	h->running--;
}

static void on_done(void *arg, enum probe_outcome outcome, const char *reason);

static bool start_probe(struct target *t)
{
	const struct probe_kind *kind = t->conf.type == CONF_HEALTH_HTTP ? &probe_http : &probe_tcp;
	const struct probe_request request = {
		.base = t->health->base,
		.addr = &t->addr,
		.port = t->port,
		.check = &t->conf,
		.done = on_done,
		.arg = t,
	};

	t->started_us = now_us();
	t->probe = kind->start(&request);
	t->health->running += t->probe != NULL;
	return t->probe;
}

/* Gives a target that may start a probe the time. */
static void begin(struct target *t)
{
	const struct check_event time = { CHECK_TIME, random32() }, none = { CHECK_NO_RESULT, 0 };
	uint64_t now_ms = now_us() / 1000;
	struct check_actions a = check_step(&t->check, &t->rules, &time, now_ms);

	if (a.probe && !start_probe(t))
		a = check_step(&t->check, &t->rules, &none, now_ms);
	wake_at(t, a.wake_ms, now_ms);
}

static void serve_waiting(struct health *h)
{
	struct target *t;

	while (h->running < h->most && (t = TAILQ_FIRST(&h->waiting))) {
		TAILQ_REMOVE(&h->waiting, t, link);
		t->waiting = false;
		begin(t);
	}
}

static void record(struct target *t, bool ok, const char *reason, uint64_t ended_us)
{
	struct health_report *r = &t->report;

	r->last_probe_ms = ended_us / 1000;
	r->last_duration_us = (uint32_t)(ended_us - t->started_us);
	r->last_ok = ok;
	r->probes++;
	r->failures += !ok;
	snprintf(r->last_reason, sizeof r->last_reason, "%s", reason);
}

/* A target's probe has ended, and is freed or among the ended. The user is told last, since then
 * the target may be gone. */
static void conclude(struct target *t, const struct check_actions *a, uint64_t now_ms)
{
	struct health *h = t->health;
	const struct health_report r = t->report;
	enum health_state to = t->check.state;

	t->probe = NULL;
	event_active(h->reap, EV_TIMEOUT, 0);
	wake_at(t, a->wake_ms, now_ms);
	if (a->changed)
		h->changed(h->arg, r.id, a->from, to, r.last_reason);
}

/* Whatever keeps this host from making probes keeps many of them. */
static void complain(const struct target *t, const char *reason, uint64_t us)
{
	struct health *h = t->health;

	if (h->complained_us && us - h->complained_us < HEALTH_COMPLAIN_US)
		return;
	h->complained_us = us;
	log_error("cannot probe %s: %s; servers keep their states while that lasts", t->label,
		reason);
}

static void on_done(void *arg, enum probe_outcome outcome, const char *reason)
{
	static const enum check_event_kind kinds[] = {
		[PROBE_OK] = CHECK_SUCCESS,
		[PROBE_FAILED] = CHECK_FAILURE,
		[PROBE_NOT_MADE] = CHECK_NO_RESULT,
	};
	const struct check_event event = { kinds[outcome], 0 };
	struct target *t = arg;
	uint64_t us = now_us();
	struct check_actions a = check_step(&t->check, &t->rules, &event, us / 1000);

	TAILQ_INSERT_TAIL(&t->health->ended, t->probe, link);
	if (outcome == PROBE_NOT_MADE)
		complain(t, reason, us);
	else
		record(t, outcome == PROBE_OK, reason, us);
	conclude(t, &a, us / 1000);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	const struct check_event event = { CHECK_TIME, 0 };
	struct target *t = arg;
	struct health *h = t->health;
	uint64_t us = now_us();
	struct check_actions a;
	char reason[64];

	(void)fd;
	(void)what;
	if (!t->probe) {
		t->waiting = true;
		TAILQ_INSERT_TAIL(&h->waiting, t, link);
		serve_waiting(h);
		return;
	}
	a = check_step(&t->check, &t->rules, &event, us / 1000);
	if (!a.timed_out) {
		wake_at(t, a.wake_ms, us / 1000);
		return;
	}
	free_probe(h, t->probe);
	snprintf(reason, sizeof reason, "timed out after %u ms", t->rules.timeout_ms);
	record(t, false, reason, us);
	conclude(t, &a, us / 1000);
}

static void free_ended(struct health *h)
{
	struct probe *p;

	while ((p = TAILQ_FIRST(&h->ended))) {
		TAILQ_REMOVE(&h->ended, p, link);
		free_probe(h, p);
	}
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	free_ended(arg);
	serve_waiting(arg);
}

static unsigned most_probes(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur / 2 > HEALTH_MOST_PROBES)
		return HEALTH_MOST_PROBES;
	return files.rlim_cur < 2 ? 1 : (unsigned)files.rlim_cur / 2;
}

int health_new(
	struct health **out, struct event_base *base, health_change_fn fn, void *arg, struct err *e)
{
	struct health *h = calloc(1, sizeof *h);

	if (!h)
		return err_set(e, -ENOMEM, "out of memory");
	h->base = base;
	h->changed = fn;
	h->arg = arg;
	h->most = most_probes();
	TAILQ_INIT(&h->waiting);
	TAILQ_INIT(&h->ended);
	h->reap = event_new(base, -1, 0, on_reap, h);
	if (!h->reap) {
		free(h);
		return err_set(e, -ENOMEM, "out of memory");
	}
	*out = h;
	return 0;
}

static void forget(struct target *t)
{
	if (t->waiting)
		TAILQ_REMOVE(&t->health->waiting, t, link);
	if (t->probe)
		free_probe(t->health, t->probe);
	target_free(t);
}

void health_free(struct health *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i < h->n_targets; i++)
		forget(h->targets[i]);
	free(h->targets);
	free_ended(h);
	event_free(h->reap);
	free(h);
}

static int compare_id(const void *key, const void *element)
{
	const uint32_t *id = key;
	const struct target *const *t = element;

	return (*id > (*t)->report.id) - (*id < (*t)->report.id);
}

static int compare_targets(const void *a, const void *b)
{
	const struct target *const *t = a;

	return compare_id(&(*t)->report.id, b);
}

/* The place of a target among those of h, or NULL. */
static struct target **find(const struct health *h, uint32_t id)
{
	if (!h->n_targets)
		return NULL;
	return bsearch(&id, h->targets, h->n_targets, sizeof(struct target *), compare_id);
}

/* The target as h watches it already, or a new one without a schedule; NULL when memory ran out. */
static struct target *known_or_new(struct health *h, const struct health_target *wanted)
{
	struct target **known = find(h, wanted->id), *t;

	if (known && target_is(*known, wanted))
		return *known;
	t = target_new(h, wanted);
	if (!t)
		return NULL;
	t->timer = evtimer_new(h->base, on_timer, t);
	if (t->timer)
		return t;
	target_free(t);
	return NULL;
}

/* Fills set in the order of ids. Returns how many of its targets are new, or -ENOMEM or -EINVAL. */
static int gather(
	struct health *h, const struct health_target *targets, unsigned n, struct target **set)
{
	int n_new = 0;

	for (unsigned i = 0; i < n; i++) {
		set[i] = known_or_new(h, &targets[i]);
		if (!set[i])
			return -ENOMEM;
		n_new += !set[i]->scheduled;
	}
	if (n)
		qsort(set, n, sizeof *set, compare_targets);
	for (unsigned i = 1; i < n; i++)
		if (set[i]->report.id == set[i - 1]->report.id)
			return -EINVAL;
	return n_new;
}

static void free_unscheduled(struct target **set, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (set[i] && !set[i]->scheduled)
			target_free(set[i]);
}

/* First probes are spread over a while that grows with their number, up to one interval. */
static void schedule(struct target *t, unsigned n_new)
{
	uint32_t spread = n_new * HEALTH_PHASE_MS;
	uint64_t now_ms = now_us() / 1000;

	if (spread > t->rules.interval_ms)
		spread = t->rules.interval_ms;
	check_init(&t->check, t->check.state, (uint32_t)(((uint64_t)spread * random32()) >> 32),
		now_ms);
	wake_at(t, t->check.due_ms, now_ms);
	t->scheduled = true;
}

int health_set(struct health *h, const struct health_target *targets, unsigned n)
{
	struct target **set = calloc((size_t)n + 1, sizeof *set), **now, **old = h->targets;
	unsigned n_old = h->n_targets;
	int n_new = set ? gather(h, targets, n, set) : -ENOMEM;

	if (n_new < 0) {
		if (set)
			free_unscheduled(set, n);
		free(set);
		return n_new;
	}
	h->targets = set;
	h->n_targets = n;
	for (unsigned i = 0; i < n_old; i++) {
		now = find(h, old[i]->report.id);
		if (!now || *now != old[i])
			forget(old[i]);
	}
	free(old);
	for (unsigned i = 0; i < n; i++) {
		now = find(h, targets[i].id);
		target_set_label(*now, targets[i].label);
		if (!(*now)->scheduled)
			schedule(*now, (unsigned)n_new);
	}
	serve_waiting(h);
	return 0;
}

int health_report(const struct health *h, uint32_t id, struct health_report *out)
{
	struct target **t = find(h, id);

	if (!t)
		return -ENOENT;
	*out = (*t)->report;
	out->state = (*t)->check.state;
	out->since_ms = (*t)->check.since_ms;
	out->streak = (*t)->check.against;
	return 0;
}
