/* SPDX-License-Identifier: BSD-2-Clause */
/* Measures the XDP engine: tools/bench xdp. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/bench/flags.h"
#include "tests/bench/xdp/measure.h"

enum { CASES_MAX = FLAGS_CASES };

struct bench {
	struct flags flags;
	struct measure_options options;
	struct measure measures[CASES_MAX];
	unsigned n;
	struct bed beds[SITE_COUNT];
	bool needed[SITE_COUNT];
};

/* What is printed of a case, or NULL. */
static const struct measure *measured(const struct bench *b, const char *name)
{
	for (unsigned i = 0; i < b->n; i++)
		if (!b->measures[i].is_base && !strcmp(b->measures[i].of->name, name))
			return &b->measures[i];
	return NULL;
}

/* Which slices say what a case takes: half of them are quicker; one in twenty is, which nothing else disturbs. */
enum { MEDIAN = 50, CALM = 5 };

/* 0: the case has no limit. */
static double limit_of(const struct bench *b, const struct measure *m, unsigned percent)
{
	const struct bench_limit *l = &m->of->limit;
	double limit = l->ns;

	if (m->base)
		limit += l->times * measure_percentile(m->base, percent);
	if (l->loads)
		limit += l->loads * measure_percentile(measured(b, "random load"), percent);
	return limit;
}

static bool is_within(const struct bench *b, const struct measure *m, unsigned percent)
{
	double limit = limit_of(b, m, percent);

	return !limit || measure_percentile(m, percent) <= limit;
}

static bool print_measure(const struct bench *b, const struct measure *m)
{
	double ns = measure_percentile(m, MEDIAN), calm = measure_percentile(m, CALM);
	double limit = limit_of(b, m, MEDIAN);
	bool ok = is_within(b, m, MEDIAN), calm_ok = is_within(b, m, CALM);

	if (b->flags.json) {
		printf("{\"case\": \"%s\", \"ns\": %.1f, \"calm\": %.1f, \"limit\": ", m->of->name,
			ns, calm);
		printf(limit ? "%.1f" : "null", limit);
		printf(", \"ok\": %s, \"calm_ok\": %s}\n", ok ? "true" : "false",
			calm_ok ? "true" : "false");
	} else {
		printf("%-18s %6.1f %6.1f ", m->of->name, ns, calm);
		printf(limit ? "%6.1f  %s\n" : "     -\n", limit,
			ok	  ? "ok"
			: calm_ok ? "noisy"
				  : "MISSED");
	}
	return ok;
}

static int print_all(const struct bench *b)
{
	bool ok = true;

	if (!b->flags.json)
		printf("%-18s %6s %6s %6s\n", "case", "ns", "calm", "limit");
	for (unsigned i = 0; i < b->n; i++)
		if (!b->measures[i].is_base)
			ok = print_measure(b, &b->measures[i]) && ok;
	return ok ? 0 : 1;
}

static struct measure *add(struct bench *b, const struct bench_case *c)
{
	struct measure *m = &b->measures[b->n];

	m->is_first = true;
	for (unsigned i = 0; i < b->n; i++)
		m->is_first = m->is_first && b->measures[i].of != c;
	m->of = c;
	b->needed[c->site] = true;
	b->n++;
	return m;
}

/* Takes the case, and before it what its limit is made from: of two things that are compared, both meet the same
 * moods of the machine. */
static void take(struct bench *b, const struct bench_case *c)
{
	struct measure *base = NULL;

	if (measured(b, c->name) || b->n + 3 > CASES_MAX)
		return;
	if (c->limit.loads)
		take(b, bench_case_find("random load"));
	if (c->limit.of) {
		base = add(b, bench_case_find(c->limit.of));
		base->is_base = true;
	}
	add(b, c)->base = base;
}

static void set_effort(struct bench *b, unsigned runs, uint32_t slices)
{
	b->options.runs = runs;
	b->options.slices = slices;
}

static const char *name_of(unsigned i)
{
	return bench_cases[i].name;
}

static int read_arguments(struct bench *b, int argc, char **argv)
{
	int rc = flags_read(&b->flags, argc, argv);

	for (unsigned i = 0; i < bench_n_cases && !rc; i++)
		if (b->flags.wanted[i])
			take(b, &bench_cases[i]);
	b->options.flows = b->flags.flows;
	if (b->flags.check)
		set_effort(b, 1, 1);
	else if (b->flags.quick)
		set_effort(b, 3, 64);
	return rc;
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.flags = { .program = "bench_xdp", .name = name_of, .has_flows = true },
		.options = { .runs = MEASURE_RUNS_MAX, .slices = BENCH_SLICES },
	};
	struct err e;
	int rc;

	b.flags.n = bench_n_cases;
	rc = read_arguments(&b, argc, argv);
	if (rc)
		return rc;
	rc = bed_make_links(&e);
	for (unsigned i = 0; i < SITE_COUNT && !rc; i++)
		if (b.needed[i])
			rc = bed_open(&b.beds[i], i, &e);
	if (!rc)
		rc = measure_all(b.measures, b.n, b.beds, &b.options, &e);
	if (rc) {
		fprintf(stderr, "%s\n", e.text);
		rc = 3;
	} else if (!b.flags.check) {
		rc = print_all(&b);
	}
	for (unsigned i = 0; i < SITE_COUNT; i++)
		bed_close(&b.beds[i]);
	return rc;
}
