/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What changes in a packet on its way: next hop, TTL, and under nat one end's address and port. */
#pragma once
#include "dataplane/l4/answer.h"

/* One end of a flow as it is to be written. */
struct l4_end {
	uint32_t address[4];
	uint16_t port; /* network order */
};

L4_INLINE void l4_forward_link(struct l4_eth *eth, const struct l4_neighbour *n)
{
	l4_mac_copy(eth->dst, n->mac);
	l4_mac_copy(eth->src, n->src_mac);
}

/* Decrements the TTL, 2 or more, and keeps the checksum : what RFC 1624, equation 3, comes to for a byte less. */
L4_INLINE void l4_forward_ttl4(struct l4_ip4 *ip)
{
	uint32_t sum = ip->checksum + L4_BE16(0x0100);

	ip->ttl--;
	ip->checksum = (be16)(sum + (sum >= 0xffff));
}

/* Rewrites one end's port and brings the transport checksum up to date with it and with `addresses`, the
 * change of the pseudo-header. `source` says which end. False when the header is not in the frame, though it should be:
 * later fragments have none, and the first one's checksum covers them all. */
L4_INLINE bool l4_nat_transport(const struct l4_frame *f, const struct l4_packet *p, bool source,
	uint16_t port, l4_delta addresses)
{
	struct l4_udp *u = l4_at(f, p->l4, sizeof *u);
	struct l4_tcp *t;
	be16 *where;
	l4_delta d;

	if (!u)
		return p->l4 == L4_HEADLESS;
	where = source ? &u->sport : &u->dport; /* where TCP has them too */
	d = l4_delta16(addresses, *where, port);
	if (p->flow.protocol == L4_PROTO_UDP) {
		*where = port;
		u->checksum = l4_checksum_update_udp(u->checksum, d);
		return true;
	}
	if (p->flow.protocol == L4_PROTO_SCTP)
		return true; /* the port is the same, and addresses are in no checksum */
	t = l4_at(f, p->l4, sizeof *t);
	if (!t)
		return false;
	*where = port;
	t->checksum = l4_checksum_update(t->checksum, d);
	return true;
}

/* Gives the packet a new source or destination. False when a header is not in the frame; then
 * nothing was changed. */
L4_INLINE bool l4_nat4(
	const struct l4_frame *f, const struct l4_packet *p, bool source, const struct l4_end *to)
{
	struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip);
	l4_delta d;

	if (!ip)
		return false;
	d = l4_delta32(0, source ? ip->src : ip->dst, to->address[0]);
	if (!l4_nat_transport(f, p, source, to->port, d))
		return false;
	ip->checksum = l4_checksum_update(ip->checksum, d);
	if (source)
		ip->src = to->address[0];
	else
		ip->dst = to->address[0];
	return true;
}

L4_INLINE bool l4_nat6(
	const struct l4_frame *f, const struct l4_packet *p, bool source, const struct l4_end *to)
{
	struct l4_ip6 *ip = l4_at(f, p->l3, sizeof *ip);
	be32 *where;
	l4_delta d = 0;

	if (!ip)
		return false;
	where = source ? ip->src : ip->dst;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		d = l4_delta32(d, where[i], to->address[i]);
	if (!l4_nat_transport(f, p, source, to->port, d))
		return false;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		where[i] = to->address[i];
	return true;
}
