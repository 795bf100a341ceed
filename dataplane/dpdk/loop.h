/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker's thread does.
 *
 * A worker that is adaptive and finds nothing for a while sleeps. Where each of its ports has a descriptor that says when frames have
 * come, it sleeps until one does or somebody rings its bell; else for a bounded time, again and again (polling.h). The
 * latter costs a few percent of a CPU: a timer that ends some 20 us of sleep takes as long itself. */
#pragma once
#include <poll.h>
#include "dataplane/dpdk/polling.h"
#include "dataplane/dpdk/worker.h"

struct loop {
	struct worker *worker;
	struct polling polling;
	bool stop; /* set by another thread */
	bool naps; /* some port has no such descriptor */
	unsigned n_fds;
	struct pollfd fds[1 + WORKER_PORTS]; /* the bell's first */
};

/* Returns 0 or a negative errno. loop_close() when the thread has ended. */
int loop_open(struct loop *l, struct worker *w, bool adaptive);
void loop_close(struct loop *l);

/* A port's descriptor, which poll(2) finds readable while frames wait there; -1: it has none. For each port that the worker receives
 * by, before it runs. */
void loop_add_port(struct loop *l, int fd);

/* Polls until it is told to stop, and tells in the worker's times how its own went. Of lcore_function_t. Returns 0. */
int loop_run(void *loop);
void loop_stop(struct loop *l);
