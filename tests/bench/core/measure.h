/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of cases: slices of polls of workers, each beside one of the same feed whose frames are sent on as they came, in turn with those of
 * all other cases, so that the machine's moods meet all alike. */
#pragma once
#include "tests/bench/core/cases.h"
#include "tests/bench/core/feed.h"
#include "tests/packets/rig.h"

enum { MEASURE_RUNS_MAX = 11, MEASURE_SLICES_MAX = 32, MEASURE_WORKERS = 2 };

struct core_options_measure {
	unsigned runs; /* at most MEASURE_RUNS_MAX; one more goes before them and does not count */
	unsigned slices;  /* of a run, at most MEASURE_SLICES_MAX */
	unsigned packets; /* of a slice, a multiple of WORKER_BURST */
};

/* The engine of a configuration, between two feeds for each worker. */
struct core_bed {
	struct site_world *site;
	struct rig rig;
	unsigned workers;
	struct feed feeds[MEASURE_WORKERS], others[MEASURE_WORKERS];
};

enum { MEASURE_SAMPLES_MAX = MEASURE_RUNS_MAX * MEASURE_SLICES_MAX };

/* Nanoseconds of a worker's time on its CPU, per packet; of two that run at once the slower one's. */
struct core_measure {
	const struct core_case *of;
	struct core_bed *bed;
	struct core_bed *beside;	    /* another that runs at the same time; NULL: none */
	double slices[MEASURE_SAMPLES_MAX]; /* of the engine and the feed */
	double floors[MEASURE_SAMPLES_MAX]; /* of the feed alone */
	double pairs[MEASURE_SAMPLES_MAX];  /* of two at once: processors_pair() between them */
	unsigned n;
};

/* Returns 0 or a negative errno and a sentence. */
int core_bed_open(struct core_bed *b, enum bench_site site, unsigned workers, struct err *e);
void core_bed_close(struct core_bed *b);

/* Fails when a packet of a case comes to another verdict than it is about. Returns 0 or a negative errno and a sentence. */
int core_measure_all(
	struct core_measure *m, unsigned n, const struct core_options_measure *o, struct err *e);

/* How many workers run at once. */
unsigned core_measure_workers(const struct core_measure *m);

/* What a packet takes net of the feed, at a percentile of the slices (less than 100). */
double core_measure_net(const struct core_measure *m, unsigned percent);
double core_measure_floor(const struct core_measure *m, unsigned percent);

/* How many times the work of one processor two did meanwhile, at a percentile; 0: the case runs on one. */
double core_measure_pair(const struct core_measure *m, unsigned percent);
