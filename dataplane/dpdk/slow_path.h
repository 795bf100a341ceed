/* SPDX-License-Identifier: BSD-2-Clause */
/* The way between workers and the host's own stack, which has an end for each port (host_io.h). Workers put frames for the host into
 * rings, and take what it sends out of others; the core's thread carries them over, a bounded number a turn.
 *
 * What finds no room is dropped by name: frames for the host as host_busy, frames of the host's as link_busy. */
#pragma once
#include <poll.h>
#include "dataplane/dpdk/core.h"
#include "dataplane/dpdk/host_io.h"

struct slow_path;

/* The core must outlive it. Returns 0 or -ENOMEM. */
int slow_path_open(struct slow_path **out, struct core *c);
/* No worker may run any more. NULL: nothing is done. */
void slow_path_close(struct slow_path *s);

/* Joins port number `port` of all workers, which have it by now and do not run yet, with the host's end, which stays the
 * caller's. Returns 0 or -ENOMEM. */
int slow_path_join(struct slow_path *s, unsigned port, struct host_io *io);

/* Frames that its rings and the host's end may hold for a port. */
unsigned slow_path_frames(unsigned workers);

/* What to wait for in poll(2), one for each port that was joined, in this order; and then, what came of it: takes up to a budget of frames
 * from each end that has some. A tap that somebody has removed (POLLERR) is not waited for any more. */
unsigned slow_path_fds(const struct slow_path *s, struct pollfd fds[WORKER_PORTS]);
void slow_path_from_host(struct slow_path *s, const struct pollfd fds[WORKER_PORTS]);

/* Gives the host up to a budget of frames from each port's rings. */
void slow_path_to_host(struct slow_path *s);
/* Whether there are frames for it, or from it that have been left. */
bool slow_path_has_frames(const struct slow_path *s);
