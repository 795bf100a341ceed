/* SPDX-License-Identifier: BSD-2-Clause */
/* The shell of the checks: gives each target's state machine the time and the results, and runs the probes it
 * asks for. */
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

/* Probes use at most a half of the file descriptors the process may have, and not more than this. */
enum { HEALTH_MOST_PROBES = 4096, HEALTH_PHASE_MS = 1 /* per new target */ };

struct health {
	struct event_base *base;
	health_change_fn changed;
	void *arg;
	struct target **targets; /* by id */
	unsigned n_targets;
	unsigned running, most;	    /* probes */
	struct target_list waiting; /* for a probe to end, first come, first served */
	TAILQ_HEAD(, probe) ended;  /* reported, to be freed by `reap` outside of their own calls */
	struct event *reap;
	bool starved; /* probes cannot be made, and the log says so */
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

/* The probe is no longer its target's. */
static struct probe *take_probe(struct target *t)
{
	struct probe *p = t->probe;

	t->probe = NULL;
	t->health->running--;
	return p;
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

/* A probe has ended and is taken from its target. The user is told last, since then the target may be gone. */
static void conclude(struct target *t, const struct check_actions *a, uint64_t now_ms)
{
	struct health *h = t->health;
	const struct health_report r = t->report;
	enum health_state to = t->check.state;

	wake_at(t, a->wake_ms, now_ms);
	serve_waiting(h);
	if (a->changed)
		h->changed(h->arg, r.id, a->from, to, r.last_reason);
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
	struct health *h = t->health;
	uint64_t us = now_us();
	struct check_actions a = check_step(&t->check, &t->rules, &event, us / 1000);
	struct probe *p = take_probe(t);

	TAILQ_INSERT_TAIL(&h->ended, p, link);
	event_active(h->reap, EV_TIMEOUT, 0);
	if (outcome != PROBE_NOT_MADE)
		record(t, outcome == PROBE_OK, reason, us);
	else if (!h->starved)
		log_error("cannot probe %s: %s; its state stays as it is", t->label, reason);
	h->starved = outcome == PROBE_NOT_MADE;
	conclude(t, &a, us / 1000);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	const struct check_event event = { CHECK_TIME, 0 };
	struct target *t = arg;
	struct health *h = t->health;
	uint64_t us = now_us();
	struct check_actions a;
	struct probe *p;
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
	p = take_probe(t);
	p->kind->free(p);
	snprintf(reason, sizeof reason, "timed out after %u ms", t->rules.timeout_ms);
	record(t, false, reason, us);
	conclude(t, &a, us / 1000);
}

static void free_ended(struct health *h)
{
	struct probe *p;

	while ((p = TAILQ_FIRST(&h->ended))) {
		TAILQ_REMOVE(&h->ended, p, link);
		p->kind->free(p);
	}
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	free_ended(arg);
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
	if (!t)
		return;
	if (t->waiting)
		TAILQ_REMOVE(&t->health->waiting, t, link);
	t->health->running -= t->probe != NULL;
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
	return bsearch(&id, h->targets, h->n_targets, sizeof(struct target *), compare_id);
}

/* A target that h already watches as the new set wants it, or NULL. */
static struct target *find_same(const struct health *h, const struct health_target *wanted)
{
	struct target **known = find(h, wanted->id);

	return known && target_is(*known, wanted) ? *known : NULL;
}

/* Makes the targets of a new set that are not known as they are; the others' places stay NULL. Returns how many were
 * made, or -ENOMEM and none. */
static int make_new(
	struct health *h, const struct health_target *wanted, unsigned n, struct target **out)
{
	int made = 0;

	for (unsigned i = 0; i < n; i++) {
		if (find_same(h, &wanted[i]))
			continue;
		out[i] = target_new(h, &wanted[i]);
		if (out[i])
			out[i]->timer = evtimer_new(h->base, on_timer, out[i]);
		if (!out[i] || !out[i]->timer) {
			for (unsigned j = 0; j <= i; j++)
				target_free(out[j]);
			return -ENOMEM;
		}
		made++;
	}
	return made;
}

/* First probes are spread over a while that grows with their number, up to one interval. */
static void schedule(struct target *t, enum health_state initial, unsigned n_new)
{
	uint32_t spread = n_new * HEALTH_PHASE_MS;
	uint64_t now_ms = now_us() / 1000;

	if (spread > t->rules.interval_ms)
		spread = t->rules.interval_ms;
	check_init(&t->check, initial, (uint32_t)(((uint64_t)spread * random32()) >> 32), now_ms);
	wake_at(t, t->check.due_ms, now_ms);
}

int health_set(struct health *h, const struct health_target *targets, unsigned n)
{
	struct target **fresh = calloc((size_t)n + 1, sizeof *fresh), **kept;
	int made = fresh ? make_new(h, targets, n, fresh) : -ENOMEM;

	if (made < 0) {
		free(fresh);
		return made;
	}
	for (unsigned i = 0; i < n; i++) {
		if (fresh[i]) {
			schedule(fresh[i], targets[i].initial, (unsigned)made);
			continue;
		}
		fresh[i] = find_same(h, &targets[i]);
		target_set_label(fresh[i], targets[i].label);
	}
	qsort(fresh, n, sizeof *fresh, compare_targets);
	for (unsigned i = 0; i < h->n_targets; i++) {
		kept = bsearch(&h->targets[i], fresh, n, sizeof *fresh, compare_targets);
		if (!kept || *kept != h->targets[i])
			forget(h->targets[i]);
	}
	free(h->targets);
	h->targets = fresh;
	h->n_targets = n;
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
