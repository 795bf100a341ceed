/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What an ICMP error quotes: the start of a packet that a service or its server had sent or got (RFC 792; RFC 4443,
 * section 2.4(c)), of which 8 bytes behind its IP header suffice. */
#pragma once
#include "dataplane/l4/shift.h"
#include "dataplane/l4/tunnel.h"

/* Whether an ICMP message is an error, which quotes a packet. Redirects are advice to hosts on the link. */
L4_INLINE bool l4_icmp_is_error(uint8_t type, bool is6)
{
	if (is6)
		return type >= L4_ICMP6_UNREACHABLE && type <= L4_ICMP6_PARAMETER;
	return type == L4_ICMP_UNREACHABLE || type == L4_ICMP_TIME_EXCEEDED ||
	       type == L4_ICMP_PARAMETER;
}

/* The IPv4 packet that is quoted from q->l3 on, in a message that ends at `end`: not a later fragment. */
L4_INLINE bool l4_quote_ip4(const struct l4_frame *f, uint32_t end, struct l4_packet *q)
{
	const struct l4_ip4 *ip = l4_at(f, q->l3, sizeof *ip);
	uint32_t header;

	if (!ip || !l4_parse_ip4(f, q))
		return false;
	header = (ip->version_ihl & 15) * 4u;
	q->l4 = q->l3 + header;
	return header >= sizeof *ip && q->l4 <= end && !(ip->frag & L4_BE16(L4_IP4_OFFSET));
}

/* The same for IPv6. */
L4_INLINE bool l4_quote_ip6(const struct l4_frame *f, uint32_t end, struct l4_packet *q)
{
	uint32_t payload = q->l3 + sizeof(struct l4_ip6);

	if (!l4_parse_ip6(f, q))
		return false;
	q->l4 = payload;
	return q->flow.protocol == L4_PROTO_ESP ||
	       l4_parse_extensions(f, q, payload, end, L4_BE16(L4_IP6_OFFSET)) == L4_PARSED_OTHER;
}

/* Whether it is an IP packet in another. */
L4_INLINE bool l4_is_tunnel(const struct l4_packet *p)
{
	return p->flow.protocol == L4_PROTO_IP4 || p->flow.protocol == L4_PROTO_IP6;
}

/* Whether it is a tunnel of our making, or could be. */
L4_INLINE bool l4_may_be_tunnel(const struct l4_packet *p)
{
	return l4_is_tunnel(p) ||
	       (p->flow.protocol == L4_PROTO_UDP &&
		       (p->flow.sport & L4_BE16(L4_GUE_SOURCES)) == L4_BE16(L4_GUE_SOURCES));
}

/* How large packets may be by an ICMP error, host order; 0: it is about something else (RFC 1191, section 4; RFC 4443,
 * section 3.2). */
L4_INLINE uint32_t l4_icmp_mtu(const struct l4_icmp *icmp, bool is6)
{
	uint32_t mtu = __builtin_bswap16(icmp->seq);

	if (is6)
		return icmp->type == L4_ICMP6_TOO_BIG
			       ? mtu | (uint32_t)__builtin_bswap16(icmp->id) << 16
			       : 0;
	return icmp->type == L4_ICMP_UNREACHABLE && icmp->code == 4 ? mtu : 0;
}

/* Reads the packet that the ICMP message of packet p quotes: addresses, protocol and ports as they stand there (0 of
 * protocols that have none), and where its headers are. False when it is ICMP itself, or too little of it is quoted. */
L4_INLINE bool l4_parse_quote(
	const struct l4_frame *f, const struct l4_packet *p, struct l4_packet *q)
{
	uint32_t end = p->l3 + p->ip_len;
	const struct l4_udp *u; /* where TCP and SCTP have their ports too */

	q->l3 = p->l4 + sizeof(struct l4_icmp);
	if (!(p->flow.is6 ? l4_quote_ip6(f, end, q) : l4_quote_ip4(f, end, q)))
		return false;
	u = l4_at(f, q->l4, sizeof *u);
	if (!u || q->l4 + sizeof *u > end)
		return false;
	q->flow.sport = q->flow.dport = 0;
	if (q->flow.protocol == L4_PROTO_TCP || q->flow.protocol == L4_PROTO_UDP ||
		q->flow.protocol == L4_PROTO_SCTP) {
		q->flow.sport = u->sport;
		q->flow.dport = u->dport;
	}
	return q->flow.protocol != (q->flow.is6 ? L4_PROTO_ICMP6 : L4_PROTO_ICMP);
}

/* Gives the quoted packet a new port and brings its checksum, if it is quoted, up to date with that and with
 * `addresses`. Returns what all that adds to the sum over the quote. */
L4_INLINE l4_delta l4_quote_transport(const struct l4_frame *f, const struct l4_packet *q,
	uint32_t end, bool source, uint16_t port, l4_delta addresses)
{
	enum { UP_TO_CHECKSUM = offsetof(struct l4_tcp, urgent) };
	struct l4_udp *u = l4_at(f, q->l4, sizeof *u);
	struct l4_tcp *t;
	l4_delta d;
	be16 *where, was;

	if (!u || q->flow.protocol == L4_PROTO_SCTP)
		return 0;
	where = source ? &u->sport : &u->dport;
	d = l4_delta16(0, *where, port);
	*where = port;
	if (q->flow.protocol == L4_PROTO_UDP) {
		was = u->checksum;
		u->checksum = l4_checksum_update_udp(was, addresses + d);
		return l4_delta16(d, was, u->checksum);
	}
	t = l4_at(f, q->l4, UP_TO_CHECKSUM);
	if (!t || q->l4 + UP_TO_CHECKSUM > end)
		return d;
	was = t->checksum;
	t->checksum = l4_checksum_update(was, addresses + d);
	return l4_delta16(d, was, t->checksum);
}

/* Translates an ICMP error and what it quotes, whose one end became the other's way back: with `source` the error comes
 * from `to` about a packet to it, else it goes to `to` about a packet from it (RFC 5508, section 4.2; RFC 3022, section
 * 4.3). False when a header is not in the frame; then nothing was changed. */
L4_INLINE bool l4_translate_error4(const struct l4_frame *f, const struct l4_packet *p,
	const struct l4_packet *q, bool source, const struct l4_end *to)
{
	struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip), *quoted = l4_at(f, q->l3, sizeof *quoted);
	struct l4_icmp *icmp = l4_at(f, p->l4, sizeof *icmp);
	be32 *outer, *inner;
	l4_delta d, sum;
	be16 was;

	if (!ip || !icmp || !quoted)
		return false;
	outer = source ? &ip->src : &ip->dst;
	inner = source ? &quoted->dst : &quoted->src;
	ip->checksum = l4_checksum_update(ip->checksum, l4_delta32(0, *outer, to->address[0]));
	*outer = to->address[0];
	d = l4_delta32(0, *inner, to->address[0]);
	*inner = to->address[0];
	was = quoted->checksum;
	quoted->checksum = l4_checksum_update(was, d);
	sum = l4_delta16(d, was, quoted->checksum) +
	      l4_quote_transport(f, q, p->l3 + p->ip_len, !source, to->port, d);
	icmp->checksum = l4_checksum_update(icmp->checksum, sum);
	return true;
}

/* The same for IPv6, where the message's checksum covers its own addresses as well. */
L4_INLINE bool l4_translate_error6(const struct l4_frame *f, const struct l4_packet *p,
	const struct l4_packet *q, bool source, const struct l4_end *to)
{
	struct l4_ip6 *ip = l4_at(f, p->l3, sizeof *ip), *quoted = l4_at(f, q->l3, sizeof *quoted);
	struct l4_icmp *icmp = l4_at(f, p->l4, sizeof *icmp);
	be32 *outer, *inner;
	l4_delta d = 0, sum = 0;

	if (!ip || !icmp || !quoted)
		return false;
	outer = source ? ip->src : ip->dst;
	inner = source ? quoted->dst : quoted->src;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		sum = l4_delta32(sum, outer[i], to->address[i]);
		d = l4_delta32(d, inner[i], to->address[i]);
		outer[i] = inner[i] = to->address[i];
	}
	sum += d + l4_quote_transport(f, q, p->l3 + p->ip_len, !source, to->port, d);
	icmp->checksum = l4_checksum_update(icmp->checksum, sum);
	return true;
}

/* Adds to the sequence number of the TCP segment that the ICMP message of packet p quotes, which its server knows another one of:
 * that and the message's checksum, and the segment's, if it is quoted. False when a header is not in the frame. */
L4_INLINE bool l4_shift_quote(
	const struct l4_frame *f, const struct l4_packet *p, const struct l4_packet *q, uint32_t by)
{
	enum {
		UP_TO_ACK = offsetof(struct l4_tcp, ack),
		UP_TO_CHECKSUM = offsetof(struct l4_tcp, urgent)
	};
	struct l4_icmp *icmp = l4_at(f, p->l4, sizeof *icmp);
	struct l4_tcp *t = l4_at(f, q->l4, UP_TO_ACK);
	struct l4_shifts d = { 0 };
	be16 was;

	if (!icmp || !t)
		return false;
	l4_shift_field(&t->seq, by, &d);
	t = l4_at(f, q->l4, UP_TO_CHECKSUM);
	if (t && q->l4 + UP_TO_CHECKSUM <= p->l3 + p->ip_len) {
		was = t->checksum;
		t->checksum = l4_shift_checksum(was, d);
		d.even = l4_delta16(d.even, was, t->checksum);
	}
	icmp->checksum = l4_shift_checksum(icmp->checksum, d);
	return true;
}
