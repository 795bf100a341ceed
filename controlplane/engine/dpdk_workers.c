/* SPDX-License-Identifier: BSD-2-Clause */
/* How the DPDK engine's workers spend their time: it tells once a second what they have spent since they began. */
#include <string.h>
#include "controlplane/engine/dpdk_body.h"

static int share(const struct engine_worker *before, const struct protocol_worker *now)
{
	uint64_t busy = now->busy_cycles - before->busy_cycles;
	uint64_t all = busy + now->idle_cycles - before->idle_cycles;

	return all ? (int)((double)busy * 1000 / (double)all + 0.5) : before->busy_permille;
}

void dpdk_workers_take(struct dpdk *d, const struct protocol_status *s, size_t size)
{
	struct dpdk_workers *w = &d->workers;
	bool are_new = !w->n;

	if (size < offsetof(struct protocol_status, workers) || s->n_workers > PROTOCOL_WORKERS ||
		size < offsetof(struct protocol_status, workers[s->n_workers]))
		return;
	for (unsigned i = 0; i < s->n_workers; i++) {
		const struct protocol_worker *now = &s->workers[i];

		w->list[i] = (struct engine_worker){
			.cpu = now->cpu,
			.busy_cycles = now->busy_cycles,
			.idle_cycles = now->idle_cycles,
			.sleeps = now->sleeps,
			.busy_permille = are_new ? -1 : share(&w->list[i], now),
		};
	}
	w->n = s->n_workers;
	w->cycles_per_second = s->cycles_per_second;
}

void dpdk_workers_forget(struct dpdk *d)
{
	d->workers = (struct dpdk_workers){ .n = 0 };
}

void dpdk_report(const struct engine *en, struct engine_report *out)
{
	const struct dpdk *d = en->own;

	out->gaps = d->gaps;
	out->last_gap_ms = d->last_gap_ms;
	out->cycles_per_second = d->workers.cycles_per_second;
	out->workers = d->workers.list;
	out->n_workers = d->workers.n;
}
