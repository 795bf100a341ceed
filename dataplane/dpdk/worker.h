/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker of the DPDK engine: takes bursts of frames from its queue of every port, each through the stages (stages.h), and sends
 * them on. One thread runs it; nobody else touches it while that does. It waits for nobody, and makes no system call but to wake
 * the core's thread. */
#pragma once
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include "dataplane/dpdk/bell.h"
#include "dataplane/dpdk/capture.h"
#include "dataplane/dpdk/flow_hashes.h"
#include "dataplane/dpdk/generation.h"
#include "dataplane/dpdk/tables.h"
#include "dataplane/dpdk/store.h"
#include "dataplane/l4/verdict.h"

enum { WORKER_BURST = FLOW_HASHES, WORKER_PORTS = 64 };

struct l4_way;

/* A port as one worker sees it. */
struct worker_port {
	uint32_t ifindex;	/* by which tables know the device */
	uint16_t ethdev, queue; /* the worker's own, of both directions */
	bool sends_only;	/* the device has fewer queues to receive than there are workers */
	/* Frames for the host's own stack, and what that sends by the port. Rings of one producer and one consumer; NULL: there is no
	 * such way for this worker. */
	struct rte_ring *to_host, *from_host;
};

/* What the workers of an engine share. They read it; one other thread writes it. */
struct worker_common {
	const struct generation *generation; /* packets go by it; NULL: none yet */
	const struct route_table
		*routes[STORE_BANKS]; /* of that bank of neighbours; NULL: none yet */
	uint32_t now;		      /* coarse time (dataplane/l4/limit.h) */
	unsigned n_workers;
	/* worker i's number is i. Whoever takes something out of use waits until all have passed a quiescent state. */
	struct rte_rcu_qsbr *grace;
	/* Frames whose records another worker keeps: to worker i, from all. NULL where there is one. */
	struct rte_ring *handed_over[STORE_MAX_WORKERS];
	struct bell *bells[STORE_MAX_WORKERS]; /* of their threads */
	/* Of struct l4_want: what is to be told to the control plane, from all workers; or NULL. */
	const struct capture *capture; /* NULL: there is none */
	struct rte_ring *wants;
	uint64_t
		want_cycles; /* of the time stamp counter: within so many nothing is wanted twice */
	/* Of whoever takes what workers put into `wants`, to_host and captures; NULL: it looks by itself. */
	struct bell *bell;
};

struct worker_out {
	struct rte_mbuf *frames[2 * WORKER_BURST];
	unsigned n;
};

enum { WORKER_ASKED = 1024 };

/* How a worker spends its time since it began, in cycles of the time stamp counter: in polls that found frames, and in others and
 * asleep. */
struct worker_times {
	uint64_t busy_cycles, idle_cycles, sleeps;
	uint32_t cpu;
};

struct worker {
	struct l4_tables tables; /* first: worker_of() */
	struct lookups_own own;
	struct rte_mbuf *frame; /* in hand */
	flow_hashes_fn *hash_flows;
	const struct worker_common *common;
	const struct store *store;
	struct neighbour_index neighbour_index;
	unsigned number;
	/* In this poll: something to the core's thread, and frames to other workers, a bit for each. */
	bool has_told;
	uint64_t has_handed_over[STORE_MAX_WORKERS / 64];
	unsigned n_ports;
	struct worker_port ports[WORKER_PORTS];
	struct worker_out out[WORKER_PORTS];
	/* Counters, of which the worker alone writes these, and how many ids there are. */
	uint64_t *verdicts;
	struct l4_counter *services, *servers;
	uint64_t (*vip_drops)[L4_V_COUNT], (*service_drops)[L4_V_COUNT];
	uint32_t n_services, n_servers, n_vip_drops, n_service_drops;
	struct worker_times times;    /* written by who calls worker_poll() */
	struct l4_captured leg;	      /* of the packet in hand */
	uint64_t capture_lost;	      /* legs that found no room, ever */
	uint64_t asked[WORKER_ASKED]; /* when something of such a hash was wanted last */
	struct bell bell; /* of the thread that runs it, for those who put frames into its rings */
} __rte_cache_aligned;

/* Makes the worker ready to run on the engine's tables. Ports are entered afterwards. */
void worker_init(struct worker *w, const struct worker_common *common, const struct store *s,
	unsigned number);

/* Has the worker go by what was published last; false: nothing was. Every worker does it for each burst. */
bool worker_look_up(struct worker *w);

/* What would become of a frame that came in by the interface, told to `way`: the frame is as it would leave, but nothing is sent, counted or
 * changed. The worker may have no ports. */
void worker_trace(struct worker *w, uint32_t ifindex, struct rte_mbuf *frame, struct l4_way *way);

/* Whether frames lie in its rings, from other threads. */
bool worker_has_frames(const struct worker *w);

/* Takes what has come, a burst from each port at most, and sends what is to leave. Returns how many frames there were. */
unsigned worker_poll(struct worker *w);
