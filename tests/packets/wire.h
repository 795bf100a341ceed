/* SPDX-License-Identifier: BSD-2-Clause */
/* A port of a worker that is rings in memory, and what lies at its ends. */
#pragma once
#include "dataplane/dpdk/worker.h"

enum { WIRE_FRAMES = 63 }; /* that each way holds */

struct wire {
	struct rte_ring *in, *out, *host;
	uint32_t ifindex;
	int ethdev; /* -1: none */
};

/* Gives the worker one more port. Returns 0 or -ENOMEM; to be removed in either case. */
int wire_add(struct wire *wire, struct worker *w, uint32_t ifindex, struct rte_mempool *frames);
/* The worker may not be polled any more. */
void wire_remove(const struct wire *wire);

/* A frame of these bytes; NULL: there is no room for it. */
struct rte_mbuf *wire_frame(struct rte_mempool *frames, const void *bytes, size_t len);
