/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The engine as functions, compiled once: what the attached program calls, and what the benchmark measures. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "dataplane/l4/verdict.h"

/* What tandem_packet() returns besides an enum xdp_action. */
enum {
	TANDEM_NEXT = 0x100,	/* added to L4_NEXT_...: another function goes on */
	TANDEM_RECORD = 0x1000, /* or-ed: a record is to be written */
	TANDEM_HOST = 0x2000,	/* or-ed: the host is to take notice of the frame */
};

/* Takes a packet through the stages that most packets need. */
int tandem_packet(struct xdp_md *ctx);

/* Finds the ports of a fragment that tandem_packet() has left, or returns an enum xdp_action. */
int tandem_fragment(struct xdp_md *ctx);

/* To be called once tandem_packet() has taken the fragment up again. */
int tandem_fragment_end(void);

/* Looks at a segment that tandem_packet() has left since SYN cookies may concern it; as that returns. */
int tandem_synproxy(struct xdp_md *ctx);

/* To be called once tandem_packet() has taken the segment up again. */
int tandem_synproxy_end(void);

/* Does what tandem_packet() has left to be done, and returns an enum xdp_action. */
int tandem_more(struct xdp_md *ctx, int action);

static __always_inline int tandem_run(struct xdp_md *ctx)
{
	int action = tandem_packet(ctx);
	bool part = action == TANDEM_NEXT + L4_NEXT_FRAGMENT;

	if (action < TANDEM_NEXT)
		return action;
	if (part)
		action = tandem_fragment(ctx);
	if (action == TANDEM_NEXT + L4_NEXT_PORTS)
		action = tandem_packet(ctx);
	if (action == TANDEM_NEXT + L4_NEXT_SYNPROXY)
		action = tandem_synproxy(ctx);
	if (action == TANDEM_NEXT + L4_NEXT_AGAIN) {
		action = tandem_packet(ctx);
		tandem_synproxy_end();
	}
	if (part)
		tandem_fragment_end();
	return action < TANDEM_NEXT ? action : tandem_more(ctx, action);
}
