/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures the DPDK engine's worker: tools/bench core. */
#include <stdio.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "tests/bench/core/measure.h"
#include "tests/bench/flags.h"

/* Of a configuration: an engine of one worker, one of two, and one more of one worker beside the first. */
enum { BED_ONE, BED_TWO, BED_BESIDE, BED_COUNT };

enum { CASES_MAX = FLAGS_CASES, MEDIAN = 50, CALM = 5, PACKETS = 1 << 16 };

struct bench {
	struct flags flags;
	struct core_options_measure options;
	struct core_measure measures[CASES_MAX];
	unsigned n;
	struct core_bed beds[SITE_COUNT][BED_COUNT];
};

static const struct core_measure *measured(const struct bench *b, const char *name)
{
	for (unsigned i = 0; i < b->n; i++)
		if (!strcmp(b->measures[i].of->name, name))
			return &b->measures[i];
	return NULL;
}

/* The case, and before it what its limit is made from. */
static void take(struct bench *b, const struct core_case *c)
{
	if (measured(b, c->name) || b->n == CASES_MAX)
		return;
	if (c->than)
		take(b, core_case_find(c->than));
	b->measures[b->n++].of = c;
}

/* Nanoseconds at most; 0: the case has no limit. */
static double limit_of(const struct bench *b, const struct core_measure *m, unsigned percent)
{
	const struct core_case *c = m->of;
	double by_rate = c->mpps ? 1000 / c->mpps : 0, by_other = 0;

	if (c->than)
		by_other = c->times * core_measure_net(measured(b, c->than), percent);
	if (!by_rate || (by_other && by_other < by_rate))
		return by_other;
	return by_rate;
}

static bool is_within(const struct bench *b, const struct core_measure *m, unsigned percent)
{
	double limit = limit_of(b, m, percent);

	return !limit || core_measure_net(m, percent) <= limit;
}

static bool print_measure(const struct bench *b, const struct core_measure *m)
{
	double ns = core_measure_net(m, MEDIAN), calm = core_measure_net(m, CALM);
	double limit = limit_of(b, m, MEDIAN), mpps = core_measure_workers(m) * 1000 / ns;
	bool ok = is_within(b, m, MEDIAN), calm_ok = is_within(b, m, CALM);

	if (b->flags.json) {
		printf("{\"case\": \"%s\", \"mpps\": %.1f, \"ns\": %.1f, \"calm\": %.1f, "
		       "\"feed\": %.1f, \"limit\": ",
			m->of->name, mpps, ns, calm, core_measure_floor(m, MEDIAN));
		printf(limit ? "%.1f" : "null", limit);
		printf(", \"ok\": %s, \"calm_ok\": %s}\n", ok ? "true" : "false",
			calm_ok ? "true" : "false");
	} else {
		printf("%-18s %6.1f %6.1f %6.1f %6.1f ", m->of->name, mpps, ns, calm,
			core_measure_floor(m, MEDIAN));
		printf(limit ? "%6.1f  %s\n" : "     -\n", limit,
			ok	  ? "ok"
			: calm_ok ? "noisy"
				  : "MISSED");
	}
	return ok;
}

/* What of two workers is the machine's: how many times the work of one two processors do that only compute, and two engines that
 * have nothing in common, in the slices of the same rounds. */
static void print_two(const struct bench *b)
{
	static const struct {
		const char *name, *what;
	} two[] = {
		{ "two-workers-1M", "two workers of an engine" },
		{ "two-engines-1M", "two engines with nothing in common" },
	};
	const struct core_measure *one = measured(b, "dsr-1M"), *m;

	for (unsigned i = 0; i < sizeof two / sizeof *two && one; i++) {
		m = measured(b, two[i].name);
		if (m)
			printf("%s do %.2f times the work of one (calm %.2f); two processors that "
			       "only compute, between them: %.2f\n",
				two[i].what,
				2 * core_measure_net(one, MEDIAN) / core_measure_net(m, MEDIAN),
				2 * core_measure_net(one, CALM) / core_measure_net(m, CALM),
				core_measure_pair(m, MEDIAN));
	}
}

static int print_all(const struct bench *b)
{
	bool ok = true;

	if (!b->flags.json)
		printf("%-18s %6s %6s %6s %6s %6s\n", "case", "Mpps", "ns", "calm", "feed",
			"limit");
	for (unsigned i = 0; i < b->n; i++)
		ok = print_measure(b, &b->measures[i]) && ok;
	if (!b->flags.json)
		print_two(b);
	return ok ? 0 : 1;
}

static void set_effort(struct bench *b, unsigned runs, unsigned slices, unsigned packets)
{
	b->options = (struct core_options_measure){ runs, slices, packets };
}

static const char *name_of(unsigned i)
{
	return core_cases[i].name;
}

static int read_arguments(struct bench *b, int argc, char **argv)
{
	int rc = flags_read(&b->flags, argc, argv);

	for (unsigned i = 0; i < core_n_cases && !rc; i++)
		if (b->flags.wanted[i])
			take(b, &core_cases[i]);
	if (b->flags.check)
		set_effort(b, 1, 1, 1024);
	else if (b->flags.quick)
		set_effort(b, 5, 8, PACKETS);
	return rc;
}

static struct core_bed *bed_of(
	struct bench *b, const struct core_measure *m, unsigned which, int *rc, struct err *e)
{
	enum bench_site site = bench_case_find(m->of->of)->site;
	struct core_bed *bed = &b->beds[site][which];

	if (!bed->workers)
		*rc = core_bed_open(bed, site, which == BED_TWO ? 2 : 1, e);
	return bed;
}

/* Opens the beds that the cases need, each once. */
static int open_beds(struct bench *b, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < b->n && !rc; i++) {
		struct core_measure *m = &b->measures[i];

		m->bed = bed_of(b, m, m->of->workers == 2 ? BED_TWO : BED_ONE, &rc, e);
		if (!rc && m->of->apart)
			m->beside = bed_of(b, m, BED_BESIDE, &rc, e);
	}
	return rc;
}

static void close_beds(struct bench *b)
{
	for (unsigned site = 0; site < SITE_COUNT; site++)
		for (unsigned i = 0; i < BED_COUNT; i++)
			if (b->beds[site][i].workers)
				core_bed_close(&b->beds[site][i]);
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.flags = { .program = "bench_core", .name = name_of },
		.options = { MEASURE_RUNS_MAX, MEASURE_SLICES_MAX, PACKETS },
	};
	struct err e;
	int rc;

	log_set_level(LOG_LEVEL_WARN);
	b.flags.n = core_n_cases;
	rc = read_arguments(&b, argc, argv);
	if (rc)
		return rc;
	rc = open_beds(&b, &e);
	if (!rc)
		rc = core_measure_all(b.measures, b.n, &b.options, &e);
	if (rc) {
		fprintf(stderr, "%s\n", e.text);
		rc = 3;
	} else if (!b.flags.check) {
		rc = print_all(&b);
	}
	close_beds(&b);
	return rc;
}
