/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The answer to a packet of a service, or of its server, that cannot go on: back out of the port that it came in by.
 * packet.h notes what there is to answer, and the body calls this next: from a place of its own, if it likes, since nothing
 * else of the packet's way is needed. */
#pragma once
#include "dataplane/l4/limit.h"
#include "dataplane/l4/reject.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/l4/walk.h"

L4_INLINE struct l4_icmp_kind l4_refusal_icmp(const struct l4_refusal *r)
{
	switch (r->kind) {
	case L4_REFUSE_TOO_BIG:
		return l4_icmp_too_big(r->is6, r->mtu);
	case L4_REFUSE_EXPIRED:
		return l4_icmp_expired(r->is6);
	default:
		return l4_icmp_no_port(r->is6);
	}
}

/* What an answered packet counts as. */
L4_INLINE enum l4_verdict l4_refusal_verdict(uint32_t kind)
{
	switch (kind) {
	case L4_REFUSE_TOO_BIG:
		return L4_V_TOO_BIG_ANSWERED;
	case L4_REFUSE_EXPIRED:
		return L4_V_TTL_EXCEEDED_ANSWERED;
	default:
		return L4_V_REJECTED;
	}
}

L4_INLINE bool l4_refuse_icmp(
	const struct l4_tables *t, struct l4_frame *f, const struct l4_refusal *r)
{
	uint32_t l3 = r->l3 & L4_L3_MASK, room = r->is6 ? L4_ICMP_ROOM6 : L4_ICMP_ROOM4;
	uint32_t quote = l4_icmp_quote(r->is6, r->ip_len);
	uint64_t sum = l4_icmp_sum(f, l3, quote);
	struct l4_icmp_kind kind = l4_refusal_icmp(r);

	if (!l4_tables_grow(t, f, (int)room) || !l4_tables_resize(t, f, l3 + room + quote))
		return false;
	return r->is6 ? l4_icmp6_error(f, l3, quote, sum, kind, r->from)
		      : l4_icmp4_error(f, l3, quote, sum, kind, r->from);
}

L4_INLINE bool l4_refuse_reset(const struct l4_tables *t, struct l4_frame *f,
	const struct l4_refusal *r, const struct l4_tcp *tcp)
{
	uint32_t l3 = r->l3 & L4_L3_MASK;
	struct l4_segment reset = { .tcp = l4_reset_tcp(tcp, r->ip_len - (r->l4 - r->l3)) };

	return l4_tables_resize(t, f, l4_segment_end(l3, r->is6, sizeof reset.tcp)) &&
	       l4_segment_answer(f, l3, r->is6, &reset, sizeof reset.tcp);
}

/* Turns the frame into the answer, if one may be given now. Returns what became of the packet and fills *out. */
L4_INLINE enum l4_verdict l4_refusal_answer(const struct l4_tables *t, struct l4_frame *f,
	const struct l4_note *note, struct l4_result *out)
{
	const struct l4_refusal *r = &note->refusal;
	struct l4_limit *limit = l4_tables_limit(t);
	const struct l4_tcp *tcp;

	*out = (struct l4_result){ r->ifindex, note->vip_id, note->service_id, 0 };
	if (!l4_source_is_host(f, r->l3 & L4_L3_MASK, r->is6))
		return note->why;
	tcp = l4_at(f, r->l4 & L4_PAYLOAD_MASK, sizeof *tcp);
	if (r->kind == L4_REFUSE_RESET && (!tcp || tcp->flags & L4_TCP_RST))
		return note->why;
	if (!limit || !l4_limit_take(limit, l4_tables_now(t), r->budget))
		return note->why;
	if (r->kind == L4_REFUSE_RESET)
		return tcp && l4_refuse_reset(t, f, r, tcp) ? L4_V_REJECTED : L4_V_ENGINE_FAULT;
	if (!l4_refuse_icmp(t, f, r))
		return L4_V_ENGINE_FAULT;
	return l4_refusal_verdict(r->kind);
}
