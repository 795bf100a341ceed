/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker of the DPDK engine, between ports that are rings in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/body_dpdk.h"
#include "tests/packets/body_engine.h"
#include "tests/packets/wire.h"

struct body {
	struct rig rig; /* first: body_engine.h */
	struct wire wires[WORKER_PORTS];
	unsigned n_wires;
};

struct rig *body_dpdk_rig(struct body *b)
{
	return &b->rig;
}

static struct worker *worker_of(const struct body *b)
{
	return b->rig.core.workers[0];
}

static void dpdk_close(struct body *b)
{
	for (unsigned i = 0; i < b->n_wires; i++)
		wire_remove(&b->wires[i]);
	rig_close(&b->rig);
	free(b);
}

static int dpdk_open(struct body **out, const struct world *w, struct err *e)
{
	struct body *b = calloc(1, sizeof *b);
	int rc = b ? rig_open(&b->rig, w, 1, e) : err_set(e, -ENOMEM, "out of memory");

	for (unsigned i = 0; !rc && i < b->rig.core.n_ports; i++)
		if (wire_add(&b->wires[b->n_wires++], worker_of(b), b->rig.core.ports[i].ifindex,
			    b->rig.frames))
			rc = err_set(e, -ENOMEM, "no memory for ports");
	if (!rc)
		*out = b;
	else if (b)
		dpdk_close(b);
	return rc;
}

/* The one verdict that was counted since. */
static enum l4_verdict verdict_since(const struct body *b, const uint64_t was[L4_V_COUNT])
{
	enum l4_verdict v = 0;

	while (v < L4_V_COUNT && worker_of(b)->verdicts[v] == was[v])
		v++;
	return v;
}

/* Where the frame has gone; 0: not out of any port. */
static uint32_t left_by(const struct body *b, const struct rte_mbuf *m)
{
	uint32_t ifindex = 0;
	void *got;

	for (unsigned i = 0; i < b->n_wires; i++) {
		while (!rte_ring_dequeue(b->wires[i].out, &got)) {
			if (got == m)
				ifindex = b->wires[i].ifindex;
			rte_pktmbuf_free(got);
		}
		while (!rte_ring_dequeue(b->wires[i].host, &got))
			rte_pktmbuf_free(got);
	}
	return ifindex;
}

static struct wire *wire_of(struct body *b, uint32_t ifindex)
{
	for (unsigned i = 0; i < b->n_wires; i++)
		if (b->wires[i].ifindex == ifindex)
			return &b->wires[i];
	return NULL;
}

static int dpdk_inject(
	struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len, struct body_result *r)
{
	const struct wire *wire = wire_of(b, ifindex);
	uint64_t was[L4_V_COUNT];
	struct rte_mbuf *m;

	if (!wire || len > BODY_FRAME_MAX)
		return wire ? -EMSGSIZE : -ENODEV;
	m = wire_frame(b->rig.frames, frame, len);
	if (!m || rte_ring_enqueue(wire->in, m))
		return -ENOMEM;
	rte_mbuf_refcnt_update(m, 1); /* ours, to see what becomes of it */
	memcpy(was, worker_of(b)->verdicts, sizeof was);
	rig_online(&b->rig, 0, true);
	worker_poll(worker_of(b));
	rig_online(&b->rig, 0, false);
	r->verdict = verdict_since(b, was);
	r->ifindex = left_by(b, m);
	r->len = m->data_len;
	if (r->len > sizeof r->frame)
		return -EMSGSIZE;
	memcpy(r->frame, rte_pktmbuf_mtod(m, void *), r->len);
	rte_pktmbuf_free(m);
	return 0;
}

static int dpdk_set_time(struct body *b, uint16_t now)
{
	core_set_time(&b->rig.core, now);
	return 0;
}

/* As a control plane reads them that starts anew: from what the engine hands over. */
static int dpdk_past_slots(struct body *b, snapshot_slots_fn *fn, void *arg)
{
	const struct core *c = &b->rig.core;
	const struct generation *g = c->generation;

	return snapshot_read_slots(
		g->sealed.image, g->sealed.lines, g->area->chunks, g->area->n_chunks, fn, arg);
}

const struct body_ops body_dpdk = {
	.name = "dpdk",
	.open = dpdk_open,
	.inject = dpdk_inject,
	BODY_ENGINE_OPS,
	.set_time = dpdk_set_time,
	.past_slots = dpdk_past_slots,
	.close = dpdk_close,
};
