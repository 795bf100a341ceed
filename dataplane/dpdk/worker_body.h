/* SPDX-License-Identifier: BSD-2-Clause */
/* All stages around a worker's tables and the frame in its hand. Who includes it defines LOOKUPS_TRACES (lookups.h). */
#pragma once
#include <rte_cycles.h>
#include "dataplane/dpdk/lookups.h"
#include "dataplane/dpdk/worker.h"

static inline struct worker *worker_of(const struct l4_tables *t)
{
	return (struct worker *)t;
}

static inline void take_frame(struct l4_frame *f, struct rte_mbuf *m)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	*f = (struct l4_frame){ data, data + m->data_len, m->data_len };
}

static inline bool l4_tables_grow(const struct l4_tables *t, struct l4_frame *f, int n)
{
	struct rte_mbuf *m = worker_of(t)->frame;

	if (n > 0 ? !rte_pktmbuf_prepend(m, (uint16_t)n) : !rte_pktmbuf_adj(m, (uint16_t)-n))
		return false;
	take_frame(f, m);
	return true;
}

static inline bool l4_tables_resize(const struct l4_tables *t, struct l4_frame *f, uint32_t len)
{
	struct rte_mbuf *m = worker_of(t)->frame;

	if (len <= f->len) {
		if (rte_pktmbuf_trim(m, (uint16_t)(f->len - len)))
			return false;
	} else {
		uint16_t more = (uint16_t)(len - f->len);
		char *end = rte_pktmbuf_append(m, more);

		if (!end)
			return false;
		memset(end, 0, more);
	}
	take_frame(f, m);
	return true;
}

/* Two that share a row of `asked` may wait for each other's interval; no more is lost. */
static inline void l4_tables_want(const struct l4_tables *t, const struct l4_want *want)
{
	struct worker *w = worker_of(t);
	const struct worker_common *c = w->common;
	uint32_t sum = want->address[0] ^ want->address[1] ^ want->address[2] ^ want->address[3] ^
		       want->mtu;
	uint64_t *last = &w->asked[sum * 0x9e3779b1u >> 22], now = rte_rdtsc();

	if (!c->wants || (*last && now - *last < c->want_cycles))
		return;
	if (rte_ring_mp_enqueue_elem(c->wants, (void *)want, sizeof *want))
		return;
	*last = now;
	w->has_told = true;
}

#include "dataplane/dpdk/stages.h"

_Static_assert(1u << (32 - 22) == WORKER_ASKED, "rows of `asked`");
