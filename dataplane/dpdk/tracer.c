/* SPDX-License-Identifier: BSD-2-Clause */
/* The stages once more, which tell their way. */
#define LOOKUPS_TRACES true
#include "dataplane/dpdk/worker_body.h"

void worker_trace(struct worker *w, uint32_t ifindex, struct rte_mbuf *frame, struct l4_way *way)
{
	struct l4_traced traced = { 0 };
	struct l4_result r = { 0 };
	enum l4_verdict v = L4_V_NOT_OURS;
	struct l4_frame f;
	uint32_t bytes;

	w->frame = frame;
	take_frame(&f, frame);
	if (worker_look_up(w)) {
		w->tables.traced = &traced;
		v = stages_run(&w->tables, &f, ifindex, &r, &bytes);
		w->tables.traced = NULL;
	}
	*way = traced.way;
	way->end = (struct l4_trace){ v, r.ifindex, r.vip_id, r.service_id, r.server_id };
}
