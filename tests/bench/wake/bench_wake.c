/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures how long the first packet after idle waits, and what idling costs: tools/bench wake. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/bench/wake/bed.h"

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
	bool json, check;
	unsigned packets, idle_ms;
	bool wanted[CASES];
};

struct measure {
	double us[PACKETS_MAX], calm[PACKETS_MAX]; /* sorted */
	double idle_percent;
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
	return rc;
}

/* Returns whether it is within the limits, but for what other programs do to it. */
static bool print_measure(const struct bench *b, const struct wake_case *c, const struct measure *m)
{
	unsigned n = b->packets, p99 = n * 99 / 100;
	bool idle_ok = !c->adaptive || m->idle_percent <= IDLE_LIMIT;
	bool ok = idle_ok && m->us[p99] <= LIMIT_US, calm_ok = idle_ok && m->calm[p99] <= LIMIT_US;

	if (b->json) {
		printf("{\"case\": \"%s\", \"median_us\": %.1f, \"p99_us\": %.1f, \"worst_us\": %.1f, "
		       "\"calm_p99_us\": %.1f, \"limit\": %d, \"idle_percent\": %.2f, "
		       "\"idle_limit\": ",
			c->name, m->us[n / 2], m->us[p99], m->us[n - 1], m->calm[p99], LIMIT_US,
			m->idle_percent);
		printf(c->adaptive ? "%d" : "null", IDLE_LIMIT);
		printf(", \"ok\": %s, \"calm_ok\": %s}\n", ok ? "true" : "false",
			calm_ok ? "true" : "false");
	} else {
		printf("%-18s %9.1f %9.1f %9.1f %9.1f %6d %6.2f ", c->name, m->us[n / 2],
			m->us[p99], m->us[n - 1], m->calm[p99], LIMIT_US, m->idle_percent);
		printf(c->adaptive ? "%6d" : "     -", IDLE_LIMIT);
		printf("  %s\n", ok ? "ok" : calm_ok ? "noisy" : "MISSED");
	}
	return calm_ok;
}

static int find_case(const char *name)
{
	for (int i = 0; i < CASES; i++)
		if (!strcmp(cases[i].name, name))
			return i;
	return -1;
}

static void set_effort(struct bench *b, unsigned packets, unsigned idle_ms)
{
	b->packets = packets;
	b->idle_ms = idle_ms;
}

static bool read_arguments(struct bench *b, int argc, char **argv)
{
	bool some = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			b->json = true;
		} else if (!strcmp(argv[i], "--quick")) {
			set_effort(b, 1000, 2000);
		} else if (!strcmp(argv[i], "--check")) {
			b->check = true;
			set_effort(b, 20, 1);
		} else if (!strcmp(argv[i], "--case") && i + 1 < argc &&
			   find_case(argv[i + 1]) >= 0) {
			b->wanted[find_case(argv[++i])] = some = true;
		} else {
			return false;
		}
	}
	for (int i = 0; i < CASES && !some; i++)
		b->wanted[i] = true;
	return true;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_wake [--json] [--quick|--check] [--case NAME]...\ncases:");
	for (int i = 0; i < CASES; i++)
		fprintf(stderr, "%s \"%s\"", i ? "," : "", cases[i].name);
	fputc('\n', stderr);
	return 2;
}

static int run_all(const struct bench *b, bool *ok, struct err *e)
{
	static struct measure m;
	int rc = wake_make_links(e);

	*ok = true;
	if (!b->json && !b->check)
		printf("%-18s %9s %9s %9s %9s %6s %6s %6s\n", "case", "median us", "p99", "worst",
			"calm p99", "limit", "idle %", "limit");
	for (int i = 0; i < CASES && !rc; i++) {
		if (!b->wanted[i])
			continue;
		rc = run_case(b, &cases[i], &m, e);
		if (!rc && !b->check)
			*ok = print_measure(b, &cases[i], &m) && *ok;
	}
	return rc;
}

int main(int argc, char **argv)
{
	static struct bench b = { .packets = PACKETS_MAX, .idle_ms = 5000 };
	struct err e;
	bool ok;

	if (!read_arguments(&b, argc, argv))
		return usage();
	if (run_all(&b, &ok, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return 3;
	}
	return ok ? 0 : 1;
}
