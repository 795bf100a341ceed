/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures how long the first packet after idle waits, and what idling costs: tools/bench wake. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "controlplane/base/log.h"
#include "tests/bench/flags.h"
#include "tests/bench/wake/bed.h"
#include "tests/bench/wake/naps.h"

/* What takes so long was found by chance. */
enum { WOKEN_US = 20000 };
enum { PACKETS_MAX = 3000, TURNS = 400, LIMIT_US = 500, IDLE_LIMIT = 2 /* percent of a CPU */ };

struct wake_case {
	const char *name;
	enum wake_port port;
	bool adaptive;
};

static const struct wake_case cases[] = {
	{ "socket adaptive", WAKE_SOCKET, true },
	{ "socket busy", WAKE_SOCKET, false },
	{ "interrupt adaptive", WAKE_INTERRUPT, true },
	{ "nap adaptive", WAKE_RING, true },
	{ "nap busy", WAKE_RING, false },
};

enum { CASES = sizeof cases / sizeof *cases };

struct bench {
	struct flags flags;
	unsigned packets, idle_ms;
};

struct measure {
	double us[PACKETS_MAX], calm[PACKETS_MAX]; /* sorted */
	double idle_percent;
	double naps_percent; /* what its sleeps take of that; 0: it waits for frames */
};

/* Longer than a worker goes on after a packet until its naps are longest, and never in step with them. */
static void pause_before(unsigned i)
{
	const struct timespec ts = { .tv_nsec = 2500000 + (long)(i * 7919 % 1000) * 1000 };

	nanosleep(&ts, NULL);
}

/* Another program may keep a worker from sleeping for a while. *slept: how often it had when the last packet was sent. */
static bool pause_until_idle(
	const struct wake_bed *b, const struct wake_case *c, unsigned i, uint64_t *slept)
{
	uint64_t before = *slept;

	for (int turn = 0; turn < TURNS; turn++) {
		pause_before(i);
		*slept = wake_sleeps(b);
		if (!c->adaptive || *slept != before)
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int send_all(
	struct wake_bed *b, const struct wake_case *c, unsigned n, struct measure *m, struct err *e)
{
	uint64_t slept = 0;

	for (unsigned i = 0; i < n; i++) {
		struct wake_time t;
		int rc;

		if (!pause_until_idle(b, c, i, &slept))
			return err_set(e, -EPROTO, "%s: the worker does not sleep", c->name);
		rc = wake_send(b, &t);
		if (rc)
			return err_set(
				e, rc, "%s: packet %u is lost: %s", c->name, i, strerror(-rc));
		m->us[i] = (double)t.ns / 1000;
		m->calm[i] = (double)t.calm_ns / 1000;
	}
	qsort(m->us, n, sizeof *m->us, compare);
	qsort(m->calm, n, sizeof *m->calm, compare);
	if (m->calm[n / 2] > WOKEN_US)
		return err_set(e, -EPROTO, "%s: packets do not wake the worker", c->name);
	return 0;
}

static double idle_percent(const struct wake_bed *b, unsigned ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	int64_t before = wake_cpu_ns(b);

	nanosleep(&ts, NULL);
	return (double)(wake_cpu_ns(b) - before) / 1e6 / ms * 100;
}

static int run_case(
	const struct bench *b, const struct wake_case *c, struct measure *m, struct err *e)
{
	static struct wake_bed bed;
	int rc = wake_bed_open(&bed, c->port, c->adaptive, e);

	if (!rc)
		rc = send_all(&bed, c, b->packets, m, e);
	if (!rc)
		m->idle_percent = idle_percent(&bed, b->idle_ms);
	wake_bed_close(&bed);
	m->naps_percent = 0;
	if (!rc && c->port == WAKE_RING && c->adaptive)
		m->naps_percent = naps_percent(bed.loop.polling.sleep_us, b->idle_ms);
	return rc;
}

/* Returns whether it is within the limits, but for what other programs do to it. */
static bool print_measure(const struct bench *b, const struct wake_case *c, const struct measure *m)
{
	unsigned n = b->packets, p99 = n * 99 / 100;
	bool idle_ok = !c->adaptive || m->idle_percent <= IDLE_LIMIT;
	bool ok = idle_ok && m->us[p99] <= LIMIT_US, calm_ok = idle_ok && m->calm[p99] <= LIMIT_US;

	if (b->flags.json) {
		printf("{\"case\": \"%s\", \"median_us\": %.1f, \"p99_us\": %.1f, \"worst_us\": %.1f, "
		       "\"calm_p99_us\": %.1f, \"limit\": %d, \"idle_percent\": %.2f, "
		       "\"naps_percent\": %.2f, \"idle_limit\": ",
			c->name, m->us[n / 2], m->us[p99], m->us[n - 1], m->calm[p99], LIMIT_US,
			m->idle_percent, m->naps_percent);
		printf(c->adaptive ? "%d" : "null", IDLE_LIMIT);
		printf(", \"ok\": %s, \"calm_ok\": %s}\n", ok ? "true" : "false",
			calm_ok ? "true" : "false");
	} else {
		printf("%-18s %9.1f %9.1f %9.1f %9.1f %6d %6.2f %6.2f ", c->name, m->us[n / 2],
			m->us[p99], m->us[n - 1], m->calm[p99], LIMIT_US, m->idle_percent,
			m->naps_percent);
		printf(c->adaptive ? "%6d" : "     -", IDLE_LIMIT);
		printf("  %s\n", ok ? "ok" : calm_ok ? "noisy" : "MISSED");
	}
	return calm_ok;
}

static void set_effort(struct bench *b, unsigned packets, unsigned idle_ms)
{
	b->packets = packets;
	b->idle_ms = idle_ms;
}

static const char *name_of(unsigned i)
{
	return cases[i].name;
}

static int read_arguments(struct bench *b, int argc, char **argv)
{
	int rc = flags_read(&b->flags, argc, argv);

	if (b->flags.check)
		set_effort(b, 20, 1);
	else if (b->flags.quick)
		set_effort(b, 1000, 2000);
	return rc;
}

static int run_all(const struct bench *b, bool *ok, struct err *e)
{
	static struct measure m;
	int rc = wake_make_links(e);

	*ok = true;
	if (!b->flags.json && !b->flags.check)
		printf("%-18s %9s %9s %9s %9s %6s %6s %6s %6s\n", "case", "median us", "p99",
			"worst", "calm p99", "limit", "idle %", "naps", "limit");
	for (int i = 0; i < CASES && !rc; i++) {
		if (!b->flags.wanted[i])
			continue;
		rc = run_case(b, &cases[i], &m, e);
		if (!rc && !b->flags.check)
			*ok = print_measure(b, &cases[i], &m) && *ok;
	}
	return rc;
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.flags = { .program = "bench_wake", .name = name_of, .n = CASES },
		.packets = PACKETS_MAX,
		.idle_ms = 5000,
	};
	struct err e;
	bool ok;
	int rc = read_arguments(&b, argc, argv);

	if (rc)
		return rc;
	log_set_level(LOG_LEVEL_WARN);
	if (run_all(&b, &ok, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return 3;
	}
	return ok ? 0 : 1;
}
