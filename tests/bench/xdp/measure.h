/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of cases: runs of BPF_PROG_TEST_RUN, all cases in turn, so that the machine's moods meet all alike. */
#pragma once
#include "bpf/bench.bpf.h"
#include "tests/bench/xdp/bed.h"

enum { MEASURE_RUNS_MAX = 11 };

struct measure_options {
	unsigned runs; /* at most MEASURE_RUNS_MAX; one more goes before them and does not count */
	uint32_t slices; /* of a run, at most BENCH_SLICES */
	uint64_t flows;	 /* instead of the case's own; 0: those */
};

/* Nanoseconds per packet. */
struct measure {
	const struct bench_case *of;
	/* What its limit is made from, if that is another case: measured right before it, and printed nowhere. */
	const struct measure *base;
	bool is_base, is_first; /* is_first: no measure before it is of the same case */
	double slices[MEASURE_RUNS_MAX * BENCH_SLICES]; /* of all runs, in ascending order */
	unsigned n;
};

/* beds: one per site that a case needs. Fails when a packet of a case comes to another verdict than the case is
 * about. Returns 0 or a negative errno and a sentence. */
int measure_all(struct measure *m, unsigned n, const struct bed beds[SITE_COUNT],
	const struct measure_options *o, struct err *e);

/* percent: less than 100. */
double measure_percentile(const struct measure *m, unsigned percent);
