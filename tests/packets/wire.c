/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/wire.h"
#include <errno.h>
#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>

static struct rte_ring *new_ring(const char *what, unsigned number)
{
	char name[32];

	snprintf(name, sizeof name, "%s-%u", what, number);
	return rte_ring_create(name, WIRE_FRAMES + 1, SOCKET_ID_ANY, 0);
}

static int start(uint16_t ethdev, struct rte_mempool *frames)
{
	const struct rte_eth_conf conf = { 0 };

	return rte_eth_dev_configure(ethdev, 1, 1, &conf) ||
	       rte_eth_rx_queue_setup(ethdev, 0, WIRE_FRAMES + 1, SOCKET_ID_ANY, NULL, frames) ||
	       rte_eth_tx_queue_setup(ethdev, 0, WIRE_FRAMES + 1, SOCKET_ID_ANY, NULL) ||
	       rte_eth_dev_start(ethdev);
}

int wire_add(struct wire *wire, struct worker *w, uint32_t ifindex, struct rte_mempool *frames)
{
	static unsigned made; /* names are the process' */
	unsigned number = made++;
	char name[32];

	*wire = (struct wire){ new_ring("in", number), new_ring("out", number),
		new_ring("host", number), ifindex, -1 };
	if (!wire->in || !wire->out || !wire->host)
		return -ENOMEM;
	snprintf(name, sizeof name, "wire-%u", number);
	wire->ethdev = rte_eth_from_rings(name, &wire->in, 1, &wire->out, 1, SOCKET_ID_ANY);
	if (wire->ethdev < 0 || start((uint16_t)wire->ethdev, frames))
		return -ENOMEM;
	w->ports[w->n_ports++] = (struct worker_port){
		.ifindex = ifindex,
		.ethdev = (uint16_t)wire->ethdev,
		.to_host = wire->host,
	};
	return 0;
}

static void empty(struct rte_ring *ring)
{
	void *m;

	while (ring && !rte_ring_dequeue(ring, &m))
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void wire_remove(const struct wire *wire)
{
	struct rte_eth_dev_info info;

	if (wire->ethdev >= 0 && !rte_eth_dev_info_get((uint16_t)wire->ethdev, &info)) {
		rte_eth_dev_stop((uint16_t)wire->ethdev);
		rte_eth_dev_close((uint16_t)wire->ethdev);
		rte_dev_remove(info.device);
	}
	empty(wire->in);
	empty(wire->out);
	empty(wire->host);
}

struct rte_mbuf *wire_frame(struct rte_mempool *frames, const void *bytes, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(frames);
	char *room = m ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;

	if (room)
		memcpy(room, bytes, len);
	else
		rte_pktmbuf_free(m);
	return room ? m : NULL;
}
