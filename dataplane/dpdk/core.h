/* SPDX-License-Identifier: BSD-2-Clause */
/* The DPDK engine but for its threads and ports: the tables, the generation that packets go by, the workers. One thread calls these
 * functions, others run worker_poll(). */
#pragma once
#include "dataplane/dpdk/protocol.h"
#include "dataplane/dpdk/worker.h"

struct core_options {
	const char *dir; /* where tables lie (store.h) */
	struct store_sizes sizes;
	struct sealed_limits limits; /* of generations */
	uint32_t routes;	     /* limit of them */
	struct rte_mempool *frames;  /* NULL: core.frames is set with the ports */
};

/* Is told of generations: of `next` before packets go by it, while they go by `now` (NULL: by none); and, with next NULL, of `now` once
 * all do. */
struct core_follower {
	void (*fn)(void *arg, const struct sealed *now, const struct sealed *next);
	void *arg;
};

struct core {
	struct store store;
	struct worker_common common;
	struct worker *workers[STORE_MAX_WORKERS];
	struct worker *tracer; /* for packets that are traced; sends nothing */
	uint64_t *verdicts;    /* of frames that no worker has seen */
	struct sealed_limits limits;
	uint32_t route_limit;
	struct rte_mempool *frames;
	struct generation *generation; /* what common says */
	struct capture capture;	       /* what common points to while there is one */
	uint64_t capture_lost_before;  /* legs that were lost before this one began */
	uint64_t capture_unsent;       /* and those that nobody took */
	int image_fd;		       /* the generation's file; -1: there is none */
	uint64_t started_ns;
	struct protocol_port ports[WORKER_PORTS];
	unsigned n_ports;
	struct core_follower follower; /* without a function: there is none */
};

/* Opens the tables and makes the workers, which have no ports yet. Returns 0, or a negative errno and in *what the table that it is
 * about. core_close() follows an error too. */
int core_open(struct core *c, const struct core_options *o, const char **what);
/* No worker may run any more. */
void core_close(struct core *c);

/* Tells of a port that workers have got. */
void core_add_port(struct core *c, const struct protocol_port *port);

/* Drops frames on their way from worker to worker. No worker may run. */
void core_drop_waiting(struct core *c);

/* Forgets ports, and what the control plane has sent; tables stay. No worker may run, and whoever has joined the ports is gone. */
void core_leave_ports(struct core *c);

/* Coarse time (dataplane/l4/limit.h) for the workers. */
void core_set_time(struct core *c, uint16_t now);

/* A file and what is said of it (PROTOCOL_GENERATION, PROTOCOL_ROUTES). */
struct core_file {
	int fd;
	uint64_t after;
	uint32_t bank; /* less than STORE_BANKS */
};

/* Takes a file of a generation or of routes, and returns once no worker uses the former one. Returns 0; as generation_take() or
 * routes_read(): then all is as it was, and *why says why. */
int core_take_generation(struct core *c, const struct core_file *f, const char **why);
int core_take_routes(struct core *c, const struct core_file *f, const char **why);

/* Begins and ends a capture; there is one at a time. Begin returns 0, -EBUSY or -ENOMEM. */
int core_capture(struct core *c, const struct l4_capture_filter *filter);
void core_capture_end(struct core *c);

/* What the workers have been doing. */
void core_status(const struct core *c, struct protocol_status *out);

/* What would become of a frame; nothing is sent, counted or changed. *len: of the frame, then of what leaves, at most PROTOCOL_FRAME.
 * Returns 0; -EMSGSIZE; -ENOMEM. */
int core_trace(struct core *c, uint32_t ifindex, const uint8_t *frame, struct protocol_traced *out,
	uint32_t len);
