/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of packets as they come in and leave, for the control plane: as the XDP engine's (bpf/capture.bpf.h). */
#pragma once
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <string.h>
#include <time.h>
#include "dataplane/l4/capture.h"
#include "dataplane/l4/parse.h"
#include "dataplane/l4/verdict.h"

struct capture {
	struct l4_capture_filter filter;
	struct rte_ring *legs; /* of struct l4_captured, from all workers */
};

/* One leg of a packet in hand. */
static inline void capture_leg(
	struct l4_captured *c, const struct rte_mbuf *m, enum l4_leg leg, uint32_t ifindex)
{
	c->leg = leg;
	c->ifindex = ifindex;
	c->len = m->data_len;
	c->captured = c->len < L4_CAPTURE_BYTES ? c->len : L4_CAPTURE_BYTES;
	memcpy(c->bytes, rte_pktmbuf_mtod(m, void *), c->captured);
}

/* Keeps a packet as it came until it is known what it was. */
static inline void capture_in(struct l4_captured *c, const struct rte_mbuf *m, uint32_t ifindex)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	c->time_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	capture_leg(c, m, L4_LEG_IN, ifindex);
}

/* Whether its source is the server that is looked for. */
static inline bool capture_is_from_server(
	const struct l4_capture_filter *filter, const struct l4_captured *c)
{
	const struct l4_frame f = { (uint8_t *)c->bytes, (uint8_t *)c->bytes + c->captured,
		c->captured };
	struct l4_packet p = { 0 };

	if (!filter->server_id || !l4_parse_link(&f, &p))
		return false;
	if (filter->is6 ? p.ethertype != L4_ETH_IP6 || !l4_parse_ip6(&f, &p)
			: p.ethertype != L4_ETH_IP4 || !l4_parse_ip4(&f, &p))
		return false;
	return !memcmp(p.flow.src, filter->address, sizeof p.flow.src);
}

/* Tells both legs of a packet that the filter wants, which came to c->end. Returns how many found no room. */
static inline unsigned capture_out(
	const struct capture *to, struct l4_captured *c, const struct rte_mbuf *m)
{
	const struct l4_capture_filter *f = &to->filter;
	bool of_vip = f->vip_id && f->vip_id == c->end.vip_id;
	bool of_server = f->server_id && (f->server_id == c->end.server_id ||
						 (c->end.vip_id && capture_is_from_server(f, c)));
	unsigned lost;

	if (!of_vip && !of_server)
		return 0;
	lost = rte_ring_mp_enqueue_elem(to->legs, c, sizeof *c) != 0;
	if (c->end.verdict < L4_V_FORWARDED || c->end.verdict >= L4_V_MALFORMED)
		return lost;
	capture_leg(c, m, L4_LEG_OUT, c->end.ifindex);
	return lost + (rte_ring_mp_enqueue_elem(to->legs, c, sizeof *c) != 0);
}
