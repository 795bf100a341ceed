/* SPDX-License-Identifier: BSD-2-Clause */
/* A worker of the DPDK engine, between ports that are rings in memory. */
#include <errno.h>
#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/body_engine.h"
#include "tests/packets/rig.h"

enum { RING_SIZE = 64 };

/* A port's two ends, and what is for the host's stack. */
struct wire {
	struct rte_ring *in, *out, *host;
	int ethdev; /* -1: none */
};

struct body {
	struct rig rig; /* first: body_engine.h */
	struct wire wires[WORKER_PORTS];
	unsigned n_wires;
};

static struct worker *worker_of(const struct body *b)
{
	return b->rig.core.workers[0];
}

static struct rte_ring *new_ring(const char *what, unsigned number)
{
	char name[32];

	snprintf(name, sizeof name, "%s%u", what, number);
	return rte_ring_create(name, RING_SIZE, SOCKET_ID_ANY, 0);
}

static int start(uint16_t ethdev, struct rte_mempool *frames)
{
	const struct rte_eth_conf conf = { 0 };

	return rte_eth_dev_configure(ethdev, 1, 1, &conf) ||
	       rte_eth_rx_queue_setup(ethdev, 0, RING_SIZE, SOCKET_ID_ANY, NULL, frames) ||
	       rte_eth_tx_queue_setup(ethdev, 0, RING_SIZE, SOCKET_ID_ANY, NULL) ||
	       rte_eth_dev_start(ethdev);
}

static int add_wire(struct body *b, const struct protocol_port *port)
{
	unsigned number = b->n_wires++;
	struct wire *wire = &b->wires[number];
	struct worker *w = worker_of(b);
	char name[32];

	*wire = (struct wire){ new_ring("in", number), new_ring("out", number),
		new_ring("host", number), -1 };
	if (!wire->in || !wire->out || !wire->host)
		return -ENOMEM;
	snprintf(name, sizeof name, "wire%u", number);
	wire->ethdev = rte_eth_from_rings(name, &wire->in, 1, &wire->out, 1, SOCKET_ID_ANY);
	if (wire->ethdev < 0 || start((uint16_t)wire->ethdev, b->rig.frames))
		return -ENOMEM;
	w->ports[w->n_ports++] = (struct worker_port){
		.ifindex = port->ifindex,
		.ethdev = (uint16_t)wire->ethdev,
		.to_host = wire->host,
	};
	return 0;
}

static void remove_wire(const struct wire *wire)
{
	struct rte_eth_dev_info info;

	if (wire->ethdev >= 0 && !rte_eth_dev_info_get((uint16_t)wire->ethdev, &info)) {
		rte_eth_dev_stop((uint16_t)wire->ethdev);
		rte_eth_dev_close((uint16_t)wire->ethdev);
		rte_dev_remove(info.device);
	}
	rte_ring_free(wire->in);
	rte_ring_free(wire->out);
	rte_ring_free(wire->host);
}

static void dpdk_close(struct body *b)
{
	for (unsigned i = 0; i < b->n_wires; i++)
		remove_wire(&b->wires[i]);
	rig_close(&b->rig);
	free(b);
}

static int dpdk_open(struct body **out, const struct world *w, struct err *e)
{
	struct body *b = calloc(1, sizeof *b);
	int rc = b ? rig_open(&b->rig, w, 1, e) : err_set(e, -ENOMEM, "out of memory");

	for (unsigned i = 0; !rc && i < b->rig.core.n_ports; i++)
		if (add_wire(b, &b->rig.core.ports[i]))
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
				ifindex = worker_of(b)->ports[i].ifindex;
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
		if (worker_of(b)->ports[i].ifindex == ifindex)
			return &b->wires[i];
	return NULL;
}

/* One more user of the frame than the worker, so that what has become of it can be looked at. */
static struct rte_mbuf *frame_of(struct body *b, const uint8_t *bytes, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(b->rig.frames);
	char *room = m ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;

	if (!room)
		return NULL;
	memcpy(room, bytes, len);
	rte_mbuf_refcnt_update(m, 1);
	return m;
}

static int dpdk_inject(
	struct body *b, uint32_t ifindex, const uint8_t *frame, size_t len, struct body_result *r)
{
	const struct wire *wire = wire_of(b, ifindex);
	uint64_t was[L4_V_COUNT];
	struct rte_mbuf *m;

	if (!wire || len > BODY_FRAME_MAX)
		return wire ? -EMSGSIZE : -ENODEV;
	m = frame_of(b, frame, len);
	if (!m || rte_ring_enqueue(wire->in, m))
		return -ENOMEM;
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
