/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads that forward packets: all run, or none. */
#pragma once
#include "apps/tandem-dpdk/front.h"
#include "dataplane/dpdk/core.h"
#include "dataplane/dpdk/loop.h"

struct workers {
	unsigned n; /* that there are; the rest is zero before the first start */
	unsigned running;
	struct loop loops[STORE_MAX_WORKERS];
};

/* Has all of them run, on the ports that interfaces have. Returns 0, or a negative errno and a sentence: none runs. */
int workers_start(struct workers *w, const struct core *c, const struct front *fronts,
	unsigned n_fronts, bool adaptive, struct err *e);
/* Waits until all have ended; to stop them twice is the same as once. */
void workers_stop(struct workers *w);
