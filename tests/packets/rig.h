/* SPDX-License-Identifier: BSD-2-Clause */
/* The DPDK engine within this process: its tables and workers, its control side in a thread of its own, and the control plane's side
 * of the engine connected to it, as between two processes. Nothing polls the workers but the caller. */
#pragma once
#include <pthread.h>
#include "controlplane/engine/engine.h"
#include "dataplane/dpdk/control_socket.h"
#include "tests/packets/body.h"

struct rig {
	struct engine *engine; /* first: body_engine.h */
	struct core core;
	struct control_socket *control;
	struct rte_mempool *frames;
	pthread_t server;
	bool is_open, serves, stop;
	bool paused;	  /* as the last order was, by another thread */
	uint32_t changes; /* about devices, as told */
	char dir[64];	  /* stands for RUN_DIR */
};

/* Opens all that, and publishes the world. The workers' ports are the caller's to add. Returns 0, or a
 * negative errno and a sentence. */
int rig_open(struct rig *r, const struct world *w, unsigned workers, struct err *e);
void rig_close(struct rig *r);

/* Opens the control plane's side once more, as a process does that starts anew, in the place of the one that was. It publishes
 * nothing yet: body_engine_tell(). */
int rig_reopen(struct rig *r, const struct world *w, struct err *e);

/* Says that a worker may be waited for, or not: while it is polled. */
void rig_online(struct rig *r, unsigned worker, bool online);

/* Ends the control side's thread: what workers put into the core's rings is the caller's to take, and the core's functions the
 * caller's to call. The engine hears nothing any more. */
void rig_serve_no_more(struct rig *r);
