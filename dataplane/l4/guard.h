/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who may send what to a service: looked at between the service and its ring, where the service has a guard. */
#pragma once
#include "dataplane/l4/flow.h"
#include "dataplane/l4/tables.h"
#include "dataplane/l4/verdict.h"

/* What is known of a packet. */
struct l4_guarded {
	struct l4_flow flow;
	uint8_t tcp_flags; /* 0 of other protocols */
	uint8_t pad[3];
};

/* PSH, ECE and CWR go with every other flag. */
enum { L4_TCP_JUDGED = L4_TCP_FIN | L4_TCP_SYN | L4_TCP_RST | L4_TCP_ACK | L4_TCP_URG };

#define L4_FLAGS_BIT(flags) (1ull << (flags))

/* Which sets of flags a connection can send. RFC 9293, section 3.10.7: all but a
 * first SYN and a reset carry an ACK, and SYN, FIN and RST exclude each other. It is the list of Linux' connection
 * tracking (tcp_valid_flags). */
#define L4_FLAGS_VALID                                                                          \
	(L4_FLAGS_BIT(L4_TCP_SYN) | L4_FLAGS_BIT(L4_TCP_SYN | L4_TCP_URG) |                     \
		L4_FLAGS_BIT(L4_TCP_SYN | L4_TCP_ACK) | L4_FLAGS_BIT(L4_TCP_RST) |              \
		L4_FLAGS_BIT(L4_TCP_RST | L4_TCP_ACK) | L4_FLAGS_BIT(L4_TCP_FIN | L4_TCP_ACK) | \
		L4_FLAGS_BIT(L4_TCP_FIN | L4_TCP_ACK | L4_TCP_URG) | L4_FLAGS_BIT(L4_TCP_ACK) | \
		L4_FLAGS_BIT(L4_TCP_ACK | L4_TCP_URG))

L4_INLINE bool l4_flags_are_valid(uint8_t flags)
{
	return L4_FLAGS_VALID >> (flags & L4_TCP_JUDGED) & 1;
}

/* Sources that no packet on its way between networks has (RFC 6890, section 2.2; RFC 3927, section 2.7): "this network",
 * loopback, link-local, multicast and reserved ones. Private and documentation networks are no bogons. */
L4_INLINE bool l4_is_bogon4(uint32_t source)
{
	uint8_t first = (uint8_t)source;

	return first == 0 || first == 127 || first >= 224 ||
	       (source & L4_BE32(0xffff0000)) == L4_BE32(0xa9fe0000);
}

/* Unspecified, loopback, IPv4-mapped, link-local (RFC 4291, section 2.5.6) and multicast ones. */
L4_INLINE bool l4_is_bogon6(const uint32_t source[4])
{
	if (!(source[0] | source[1]))
		return source[2] == L4_BE32(0xffff) ||
		       (!source[2] && (!source[3] || source[3] == L4_BE32(1)));
	return (source[0] & L4_BE32(0xff000000)) == L4_BE32(0xff000000) ||
	       (source[0] & L4_BE32(0xffc00000)) == L4_BE32(0xfe800000);
}

L4_INLINE bool l4_is_from_itself(const struct l4_flow *f)
{
	return f->src[0] == f->dst[0] && f->src[1] == f->dst[1] && f->src[2] == f->dst[2] &&
	       f->src[3] == f->dst[3];
}

/* Decides about a packet of a service with this guard: L4_V_FORWARDED when it may go on, or why it is dropped. */
L4_INLINE enum l4_verdict l4_guard(const struct l4_guard *g, const struct l4_guarded *p)
{
	const struct l4_flow *f = &p->flow;
	bool itself = l4_is_from_itself(f);

	if (g->checks & L4_GUARD_FLAGS && f->protocol == L4_PROTO_TCP &&
		!l4_flags_are_valid(p->tcp_flags))
		return L4_V_INVALID_FLAGS;
	if (g->checks & L4_GUARD_LAND && itself && f->sport == f->dport)
		return L4_V_LAND;
	if (g->checks & L4_GUARD_BOGONS &&
		(itself || (f->is6 ? l4_is_bogon6(f->src) : l4_is_bogon4(f->src[0]))))
		return L4_V_BOGON_SOURCE;
	return L4_V_FORWARDED;
}

/* The body's way to it. */
static enum l4_verdict l4_tables_guard(
	const struct l4_tables *t, const struct l4_guard *g, const struct l4_guarded *p);
