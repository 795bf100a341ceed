/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Copies of packets as they come in and leave, for the control plane. */
#pragma once
#include <stddef.h>
#include "bpf/frame.bpf.h"
#include "bpf/maps.h"
#include "dataplane/l4/parse.h"
#include "dataplane/l4/verdict.h"

/* n, from 1 to L4_CAPTURE_BYTES, so that Linux 6.1 knows that of it: by a mask and no comparison. */
static __always_inline uint32_t capture_size(uint32_t n)
{
	n--;
	__asm__("" : "+r"(n));
	return (n & (L4_CAPTURE_BYTES - 1)) + 1;
}

/* Copies the frame as it is now into the record in hand. */
static __always_inline void capture_frame(
	struct xdp_md *ctx, struct l4_captured *c, enum l4_leg leg, uint32_t ifindex)
{
	uint64_t len = (uint64_t)(ctx->data_end - ctx->data);
	uint32_t n = len < L4_CAPTURE_BYTES ? (uint32_t)len : L4_CAPTURE_BYTES;

	c->leg = leg;
	c->ifindex = ifindex;
	c->len = (uint32_t)len;
	c->captured = 0;
	if (!n)
		return;
	n = capture_size(n);
	if (!bpf_xdp_load_bytes(ctx, 0, c->bytes, n))
		c->captured = n;
}

static __always_inline void capture_send(struct l4_captured *c)
{
	uint32_t n = c->captured ? capture_size(c->captured) : 0, zero = 0;
	uint64_t *lost;

	if (!bpf_ringbuf_output(&captures, c, offsetof(struct l4_captured, bytes) + n, 0))
		return;
	lost = bpf_map_lookup_elem(&captures_lost, &zero);
	if (lost)
		++*lost;
}

/* Whether the frame's source is the server that is looked for. */
static __always_inline bool is_from_server(
	const struct xdp_md *ctx, const struct l4_capture_filter *filter)
{
	struct l4_packet p = { 0 };
	struct l4_frame f;

	frame_set(&f, ctx);
	if (!filter->server_id || !l4_parse_link(&f, &p))
		return false;
	if (filter->is6 ? p.ethertype != L4_ETH_IP6 || !l4_parse_ip6(&f, &p)
			: p.ethertype != L4_ETH_IP4 || !l4_parse_ip4(&f, &p))
		return false;
	return p.flow.src[0] == filter->address[0] && p.flow.src[1] == filter->address[1] &&
	       p.flow.src[2] == filter->address[2] && p.flow.src[3] == filter->address[3];
}

/* The first leg waits in `captured` until it is known what the packet was. */
__noinline int capture_in(struct xdp_md *ctx)
{
	uint32_t zero = 0;
	const struct l4_capture_filter *filter = bpf_map_lookup_elem(&capture_filter, &zero);
	struct l4_captured *c = bpf_map_lookup_elem(&captured, &zero);

	if (!c || !filter)
		return 0;
	c->time_ns = bpf_ktime_get_ns();
	c->end.verdict = L4_V_COUNT;
	capture_frame(ctx, c, L4_LEG_IN, ctx->ingress_ifindex);
	return is_from_server(ctx, filter);
}

__noinline int capture_out(struct xdp_md *ctx, int from_server)
{
	uint32_t zero = 0;
	const struct l4_capture_filter *filter = bpf_map_lookup_elem(&capture_filter, &zero);
	struct l4_captured *c = bpf_map_lookup_elem(&captured, &zero);
	bool of_vip, of_server;

	if (!c || !filter)
		return 0;
	of_vip = filter->vip_id && filter->vip_id == c->end.vip_id;
	of_server = filter->server_id &&
		    (filter->server_id == c->end.server_id || (from_server && c->end.vip_id));
	if (!of_vip && !of_server)
		return 0;
	capture_send(c);
	if (c->end.verdict < L4_V_FORWARDED || c->end.verdict >= L4_V_MALFORMED)
		return 0;
	capture_frame(ctx, c, L4_LEG_OUT, c->end.ifindex);
	capture_send(c);
	return 0;
}
