/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of cases: runs of BPF_PROG_TEST_RUN, all cases in turn, so that the machine's moods meet all alike. */
#pragma once
#include "tests/bench/xdp/bed.h"

enum { MEASURE_RUNS_MAX = 101 };

struct measure_options {
	unsigned
		runs; /* odd, at most MEASURE_RUNS_MAX; one more goes before them and does not count */
	uint32_t packets; /* of a run */
	uint64_t flows;	  /* instead of the case's own; 0: those */
};

/* Nanoseconds per packet. */
struct measure {
	const struct bench_case *of;
	double runs[MEASURE_RUNS_MAX]; /* in ascending order */
	unsigned n_runs;
};

/* beds: one per site that a case needs. Fails when a packet of a case comes to another verdict than the case is
 * about. Returns 0 or a negative errno and a sentence. */
int measure_all(struct measure *m, unsigned n, const struct bed beds[SITE_COUNT],
	const struct measure_options *o, struct err *e);

double measure_median(const struct measure *m);
double measure_min(const struct measure *m);
double measure_max(const struct measure *m);
