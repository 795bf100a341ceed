/* SPDX-License-Identifier: BSD-2-Clause */
/* What a worker's thread does.
 *
 * A worker that is adaptive and finds nothing for a while sleeps. Where each of its ports says when frames have come, by a descriptor or
 * an interrupt, it sleeps until one does or somebody rings its bell; else for a bounded time, again and again (polling.h): about
 * 2,100 times a second, each of which costs what a timer and two switches of threads do. */
#pragma once
#include <poll.h>
#include "dataplane/dpdk/polling.h"
#include "dataplane/dpdk/worker.h"

enum { LOOP_BELL, LOOP_INTERRUPTS, LOOP_PORTS }; /* descriptors */

struct loop {
	struct worker *worker;
	struct polling polling;
	bool stop;		/* set by another thread */
	uint64_t cycles_per_us; /* of the time stamp counter */
	bool naps;		/* some port says nothing */
	unsigned n_fds;
	struct pollfd fds[LOOP_PORTS + WORKER_PORTS];
	int interrupts; /* epoll(7) of those below; -1: there are none */
	unsigned n_interrupts;
	struct loop_interrupt {
		uint16_t ethdev, queue;
	} by_interrupt[WORKER_PORTS];
};

/* Returns 0 or a negative errno. loop_close() when the thread has ended. */
int loop_open(struct loop *l, struct worker *w, bool adaptive);
void loop_close(struct loop *l);

/* A port's descriptor, which poll(2) finds readable while frames wait there; -1: it has none. For each port that the worker receives
 * by, before it runs. */
void loop_add_port(struct loop *l, int fd);

/* A port that interrupts when frames come to the queue, once it was started to do so. Returns 0 or a negative errno: it does
 * not. */
int loop_add_interrupt(struct loop *l, uint16_t ethdev, uint16_t queue);

/* Polls until it is told to stop, and tells in the worker's times how its own went. Of lcore_function_t. Returns 0. */
int loop_run(void *loop);
void loop_stop(struct loop *l);
