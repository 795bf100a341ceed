/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/core/feed.h"
#include <errno.h>
#include <rte_bus_vdev.h>
#include <rte_ethdev.h>
#include <string.h>

/* A bijection of 32-bit words (C. Wellons, "Prospecting for hash functions", 2018): the n-th frame's flow. */
static inline uint32_t scatter(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

/* Puts a flow's number into the header: 24 bits into the source address, the rest into the source port. */
static inline void write_flow(const struct feed *f, uint8_t *at, uint32_t flow)
{
	uint32_t address;
	uint16_t port;

	memcpy(&address, f->frame + f->source, sizeof address);
	address |= rte_cpu_to_be_32(flow & 0xffffff);
	memcpy(at + f->source, &address, sizeof address);
	memcpy(&port, f->frame + f->ports, sizeof port);
	port = (uint16_t)(port + rte_cpu_to_be_16((uint16_t)(flow >> 24)));
	memcpy(at + f->ports, &port, sizeof port);
}

static inline void write_frame(struct feed *f, struct rte_mbuf *m)
{
	uint8_t *at;

	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = (uint16_t)f->len;
	m->pkt_len = f->len;
	m->ol_flags = 0;
	at = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(at, f->frame, FRAMES_MAX);
	write_flow(f, at, scatter((uint32_t)f->n) & f->mask);
	if (f->services) {
		uint16_t port = rte_cpu_to_be_16((uint16_t)(f->first_port + f->n % f->services));

		memcpy(at + f->ports + 2, &port, sizeof port);
	}
	f->n++;
}

static uint16_t receive(void *queue, struct rte_mbuf **out, uint16_t n)
{
	struct feed *f = queue;

	for (unsigned i = 0; i < n; i++) {
		out[i] = f->ring[f->n % FEED_FRAMES];
		write_frame(f, out[i]);
	}
	return n;
}

static uint16_t transmit(void *queue, struct rte_mbuf **frames, uint16_t n)
{
	struct feed *f = queue;

	(void)frames;
	f->sent += n;
	return n;
}

/* The functions that ethdev calls, exchanged for these; a driver may do the same at any time. */
static void take_over(struct feed *f)
{
	static void *queues[RTE_MAX_ETHPORTS][1];
	struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[f->ethdev];

	queues[f->ethdev][0] = f;
	ops->rx_pkt_burst = receive;
	ops->tx_pkt_burst = transmit;
	ops->rxq.data = queues[f->ethdev];
	ops->txq.data = queues[f->ethdev];
}

int feed_open(struct feed *f, const char *name, struct rte_mempool *frames)
{
	const struct rte_eth_conf conf = { 0 };

	memset(f, 0, sizeof *f);
	if (rte_vdev_init(name, "") || rte_eth_dev_get_port_by_name(name, &f->ethdev))
		return -ENODEV;
	f->is_open = true;
	if (rte_eth_dev_configure(f->ethdev, 1, 1, &conf) ||
		rte_eth_rx_queue_setup(f->ethdev, 0, 64, SOCKET_ID_ANY, NULL, frames) ||
		rte_eth_tx_queue_setup(f->ethdev, 0, 64, SOCKET_ID_ANY, NULL) ||
		rte_eth_dev_start(f->ethdev))
		return -EIO;
	for (unsigned i = 0; i < FEED_FRAMES; i++) {
		f->ring[i] = rte_pktmbuf_alloc(frames);
		if (!f->ring[i])
			return -ENOMEM;
	}
	take_over(f);
	return 0;
}

static uint16_t receive_nothing(void *queue, struct rte_mbuf **out, uint16_t n)
{
	(void)queue;
	(void)out;
	(void)n;
	return 0;
}

void feed_silence(struct feed *f)
{
	rte_eth_fp_ops[f->ethdev].rx_pkt_burst = receive_nothing;
}

void feed_close(struct feed *f)
{
	if (!f->is_open)
		return;
	for (unsigned i = 0; i < FEED_FRAMES; i++)
		rte_pktmbuf_free(f->ring[i]);
	rte_eth_dev_stop(f->ethdev);
	rte_eth_dev_close(f->ethdev);
}

void feed_set(struct feed *f, const struct site_world *w, const struct bench_case *c,
	uint64_t flows, unsigned lane)
{
	uint32_t ifindex;

	f->len = (uint32_t)frames_make(f->frame, &ifindex, w, c);
	/* The last four bytes of the source, and the transport header's first two. */
	f->source = c->family == 6 ? 14 + 8 + 12 : 14 + 12;
	f->ports = c->family == 6 ? 14 + 40 : 14 + 20;
	f->frame[f->ports] = (uint8_t)(f->frame[f->ports] + lane);
	f->mask = (uint32_t)(flows - 1);
	f->services = c->traffic == TRAFFIC_SPREAD ? SITE_SPREAD_SERVICES : 0;
	f->first_port = SITE_FIRST_PORT;
}
