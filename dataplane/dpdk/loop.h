/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker's thread does. */
#pragma once
#include "dataplane/dpdk/polling.h"
#include "dataplane/dpdk/worker.h"

struct loop {
	struct worker *worker;
	struct polling polling;
	bool stop; /* set by another thread */
};

/* Polls until it is told to stop, and tells in the worker's times how its own went. Of lcore_function_t. Returns 0. */
int loop_run(void *loop);
void loop_stop(struct loop *l);
