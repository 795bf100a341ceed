/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The answer to a packet of a service, or of its server, that cannot go on: back out of the port that it came in by.
 *
 * The body has defined these before it includes this file:
 *
 *   bool l4_tables_resize(const struct l4_tables *t, struct l4_frame *f, uint32_t len);
 *   bool l4_tables_grow(const struct l4_tables *t, struct l4_frame *f, uint32_t n);
 *   uint16_t l4_tables_now(const struct l4_tables *t);
 *   struct l4_limit *l4_tables_limit(const struct l4_tables *t);
 *
 * (packet.h says what they do.) It needs nothing else of the packet's way, so that a body may keep it apart: it is long
 * and rarely run. */
#pragma once
#include "dataplane/l4/limit.h"
#include "dataplane/l4/reject.h"

enum l4_refusal_kind { L4_REFUSE_NONE, L4_REFUSE_TOO_BIG, L4_REFUSE_NO_PORT, L4_REFUSE_RESET };

/* Small, since it lies on the stack of the packet's way; without padding, since the kernel's verifier lets no function
 * have bytes that were never written. */
struct l4_refusal {
	uint8_t kind; /* enum l4_refusal_kind */
	uint8_t is6;
	uint16_t mtu;	 /* TOO_BIG: what would have fitted */
	uint16_t l3, l4; /* as in struct l4_packet, as is ip_len */
	uint32_t ip_len;
	uint32_t budget;  /* answers that this processor may give in one unit of coarse time */
	uint32_t from[4]; /* the address of ours that answers; zero: the packet's destination */
};

_Static_assert(sizeof(struct l4_refusal) == 32, "no padding");

enum l4_refused {
	L4_REFUSED_SILENTLY, /* nothing may be sent, and nothing was changed */
	L4_REFUSED_ALOUD,    /* the frame is the answer */
	L4_REFUSED_FAULT,    /* the frame could not be given the room, and is to be dropped */
};

/* Offsets are below these in every packet that was parsed; the masks say so where that is out of sight. */
enum { L4_REFUSAL_L3_MASK = 0x1f, L4_REFUSAL_L4_MASK = 0x3fff };

L4_INLINE bool l4_refuse_icmp(
	const struct l4_tables *t, struct l4_frame *f, const struct l4_refusal *r)
{
	uint32_t l3 = r->l3 & L4_REFUSAL_L3_MASK, room = r->is6 ? L4_ICMP_ROOM6 : L4_ICMP_ROOM4;
	uint32_t quote = l4_icmp_quote(r->is6, r->ip_len);
	uint64_t sum = l4_icmp_sum(f, l3, quote);
	struct l4_icmp_kind kind = r->kind == L4_REFUSE_TOO_BIG ? l4_icmp_too_big(r->is6, r->mtu)
								: l4_icmp_no_port(r->is6);

	if (!l4_tables_grow(t, f, room) || !l4_tables_resize(t, f, l3 + room + quote))
		return false;
	return r->is6 ? l4_icmp6_error(f, l3, quote, sum, kind, r->from)
		      : l4_icmp4_error(f, l3, quote, sum, kind, r->from);
}

L4_INLINE bool l4_refuse_reset(const struct l4_tables *t, struct l4_frame *f,
	const struct l4_refusal *r, const struct l4_tcp *tcp)
{
	uint32_t l3 = r->l3 & L4_REFUSAL_L3_MASK;
	struct l4_tcp reset = l4_reset_tcp(tcp, r->ip_len - (r->l4 - r->l3));
	struct l4_eth *eth;
	uint8_t ours[6];

	if (!l4_tables_resize(t, f, l3 + (r->is6 ? L4_RESET_LEN6 : L4_RESET_LEN4)))
		return false;
	eth = l4_at(f, 0, sizeof *eth);
	if (!eth)
		return false;
	l4_mac_copy(ours, eth->dst);
	l4_eth_return(eth, ours);
	return r->is6 ? l4_reset6(f, l3, reset) : l4_reset4(f, l3, reset);
}

/* Turns the frame into the answer, if one may be given now. */
L4_INLINE enum l4_refused l4_refusal_make(
	const struct l4_tables *t, struct l4_frame *f, const struct l4_refusal *r)
{
	const struct l4_tcp *tcp = l4_at(f, r->l4 & L4_REFUSAL_L4_MASK, sizeof *tcp);
	struct l4_limit *limit = l4_tables_limit(t);

	if (!l4_icmp_source_is_host(f, r->l3 & L4_REFUSAL_L3_MASK, r->is6))
		return L4_REFUSED_SILENTLY;
	if (r->kind == L4_REFUSE_RESET && (!tcp || tcp->flags & L4_TCP_RST))
		return L4_REFUSED_SILENTLY;
	if (!limit || !l4_limit_take(limit, l4_tables_now(t), r->budget))
		return L4_REFUSED_SILENTLY;
	if (r->kind != L4_REFUSE_RESET)
		return l4_refuse_icmp(t, f, r) ? L4_REFUSED_ALOUD : L4_REFUSED_FAULT;
	return tcp && l4_refuse_reset(t, f, r, tcp) ? L4_REFUSED_ALOUD : L4_REFUSED_FAULT;
}
