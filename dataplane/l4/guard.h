/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who may send what to a service: looked at between the service and its ring, where the service has a guard. */
#pragma once
#include "dataplane/l4/rate.h"
#include "dataplane/l4/sources.h"
#include "dataplane/l4/verdict.h"

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

L4_INLINE bool l4_flags_are_valid(uint32_t flags)
{
	return L4_FLAGS_VALID >> (flags & L4_TCP_JUDGED) & 1;
}

/* Sources that no packet on its way between networks has (RFC 6890, section 2.2; RFC 3927, section 2.7): "this network",
 * loopback, link-local, multicast and reserved ones. Private and documentation networks are no bogons. */
L4_INLINE bool l4_is_bogon4(uint32_t source)
{
	uint32_t first = source >> 24;

	return first == 0 || first == 127 || first >= 224 || source >> 16 == 0xa9fe;
}

/* Unspecified, loopback, IPv4-mapped, link-local (RFC 4291, section 2.5.6) and multicast ones. */
L4_INLINE bool l4_is_bogon6(uint64_t high, uint64_t low)
{
	if (!high)
		return low <= 1 || low >> 32 == 0xffff;
	return high >> 56 == 0xff || high >> 54 == 0xfe80 >> 6;
}

L4_INLINE bool l4_is_bogon(struct l4_guarded p)
{
	if (p.what & L4_GUARDED_ITSELF)
		return true;
	return p.what & L4_GUARDED_IS6 ? l4_is_bogon6(p.high, p.low)
				       : l4_is_bogon4((uint32_t)p.low);
}

/* Decides about a packet of a service with this guard: L4_V_FORWARDED when it may go on, or why it is dropped. */
L4_INLINE enum l4_verdict l4_guard(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	if (g->checks & L4_GUARD_FLAGS && p.what & L4_GUARDED_TCP && !l4_flags_are_valid(p.what))
		return L4_V_INVALID_FLAGS;
	if (g->checks & L4_GUARD_LAND && p.what & L4_GUARDED_ITSELF &&
		p.what & L4_GUARDED_SAME_PORT)
		return L4_V_LAND;
	if (g->checks & L4_GUARD_BOGONS && l4_is_bogon(p))
		return L4_V_BOGON_SOURCE;
	if (g->checks & L4_GUARD_SOURCES && !l4_guard_admits(t, g, p))
		return L4_V_DENIED;
	return g->checks & L4_GUARD_RATES ? l4_tables_rate(t, g, p) : L4_V_FORWARDED;
}

/* Whether a list lets an ICMP error pass. One that denies whom it does not name says who may be a client. */
L4_INLINE bool l4_list_admits_error(const struct l4_tables *t, const struct l4_guard *g,
	enum l4_guard_whose whose, struct l4_guarded p)
{
	if (p.what & L4_GUARDED_ROUTER && g->denies[whose])
		return true;
	return !l4_list_denies(t, g->lists[whose], g->denies[whose], p);
}

/* The same for an ICMP error about a flow of the service, in two steps, each of which must let it pass.
 *
 * Whom it comes from may be any router on the path, of which no allow list knows; but whoever is denied has nothing to say
 * about a flow either, and no router sends from a bogon (RFC 1812, section 5.3.7; RFC 4443, section 2.2). And the
 * client whose flow it quotes must be one that the guard lets in: else there is no such flow, and the quote is forged.
 * TCP flags are not known, of eight quoted bytes. Rates do not count errors: by routers they would hold back what those
 * tell of all clients behind them, and by clients whoever forges a quote would use up another's. */
L4_INLINE enum l4_verdict l4_guard_error(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p)
{
	if (g->checks & L4_GUARD_BOGONS && l4_is_bogon(p))
		return L4_V_BOGON_SOURCE;
	if (!(g->checks & L4_GUARD_SOURCES))
		return L4_V_FORWARDED;
	if (!l4_list_admits_error(t, g, L4_GUARD_ALL, p) ||
		!l4_list_admits_error(t, g, L4_GUARD_OWN, p))
		return L4_V_DENIED;
	return L4_V_FORWARDED;
}

/* The body's way to l4_guard(). */
static enum l4_verdict l4_tables_guard(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p);
