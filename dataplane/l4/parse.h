/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From bytes to a flow. Reading never goes past the frame's end; what a header claims is believed only
 * within the frame. */
#pragma once
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/flow.h"

/* Where a network header can be, behind two tags, and a transport header, behind that and extension headers of 2048 bytes: at no
 * more than these, which as masks say so where it is out of sight. */
enum { L4_MAX_EXTENSIONS = 6, L4_L3_MASK = 0x1f, L4_PAYLOAD_MASK = 0x3fff };

/* Where l4 is of a later fragment, which has no transport header: no frame with fragments is as long, and l4_at() finds
 * nothing there. */
enum { L4_HEADLESS = 0x7fff };

/* What the transport header is good for. It counts once the packet is known to be ours. */
enum l4_parsed {
	L4_PARSED_PORTS,     /* TCP, UDP or SCTP: the flow is complete */
	L4_PARSED_ICMP,	     /* the 8 bytes of an ICMP header of the right family are there */
	L4_PARSED_OTHER,     /* another protocol */
	L4_PARSED_MALFORMED, /* contradicts itself or the frame's length */
	L4_PARSED_FRAGMENT,  /* one of several: fragment.h; of IPv6 its fragment header is at l4 */
	L4_PARSED_EXTENSION, /* extension headers that cannot be followed: addresses are all that is known */
};

struct l4_packet {
	uint32_t l3, l4;    /* offsets of the network and the transport header */
	uint32_t ip_len;    /* bytes of the IP packet, its header included */
	uint16_t ethertype; /* host order, behind the tags */
	uint8_t ttl;
	bool part;		    /* a fragment */
	uint32_t tags[L4_MAX_TAGS]; /* its VLAN, the outer tag first (l4_tag()) */
	struct l4_flow flow;
};

/* Ethernet and up to two VLAN tags: fills ethertype, tags and l3. False when the frame is too short for them. With more tags
 * the ethertype is that of a tag: l4_has_more_tags(). */
L4_INLINE bool l4_parse_link(const struct l4_frame *f, struct l4_packet *p)
{
	const struct l4_eth *eth = l4_at(f, 0, sizeof *eth);
	uint32_t off = sizeof *eth, outer = 0, inner = 0;
	uint16_t type;

	if (!eth)
		return false;
	type = eth->type;
#pragma GCC unroll 2
	for (int i = 0; i < L4_MAX_TAGS; i++) {
		const struct l4_vlan *v;

		if (type != L4_BE16(L4_ETH_VLAN) && type != L4_BE16(L4_ETH_QINQ))
			break;
		v = l4_at(f, off, sizeof *v);
		if (!v)
			return false;
		/* A tag whose VLAN id is 0 carries a priority and nothing else (IEEE 802.1Q, table 9-2). */
		if (v->tci & L4_BE16(L4_VLAN_ID)) {
			inner = outer ? l4_tag(type, v->tci) : 0;
			outer = outer ? outer : l4_tag(type, v->tci);
		}
		type = v->type;
		off += sizeof *v;
	}
	p->l3 = l4_forget(off, L4_L3_MASK);
	p->tags[0] = outer;
	p->tags[1] = inner;
	p->ethertype = __builtin_bswap16(type);
	return true;
}

/* Whether the frame has more tags than l4_parse_link() reads. */
L4_INLINE bool l4_has_more_tags(const struct l4_packet *p)
{
	return p->ethertype == L4_ETH_VLAN || p->ethertype == L4_ETH_QINQ;
}

/* The addresses of an IPv4 header, all 20 bytes of which must be there, and where it says that it ends. */
L4_INLINE bool l4_parse_ip4(const struct l4_frame *f, struct l4_packet *p)
{
	const struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip);

	if (!ip || ip->version_ihl >> 4 != 4)
		return false;
	p->l4 = p->l3 + (ip->version_ihl & 15) * 4u;
	p->flow.src[0] = ip->src;
	p->flow.dst[0] = ip->dst;
	p->flow.src[1] = p->flow.src[2] = p->flow.src[3] = 0;
	p->flow.dst[1] = p->flow.dst[2] = p->flow.dst[3] = 0;
	p->flow.protocol = ip->protocol;
	p->flow.is6 = false;
	p->ttl = ip->ttl;
	p->part = false;
	return true;
}

/* The same for the 40 bytes of IPv6. */
L4_INLINE bool l4_parse_ip6(const struct l4_frame *f, struct l4_packet *p)
{
	const struct l4_ip6 *ip = l4_at(f, p->l3, sizeof *ip);

	if (!ip || (ip->version_class_label & L4_BE32(0xf0000000)) != L4_BE32(0x60000000))
		return false;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		p->flow.src[i] = ip->src[i];
		p->flow.dst[i] = ip->dst[i];
	}
	p->flow.protocol = ip->next_header;
	p->flow.is6 = true;
	p->ttl = ip->hop_limit;
	p->part = false;
	return true;
}

/* Ports of TCP, UDP and SCTP, with `left` bytes of IP payload from p->l4 on, all of them in the frame. */
L4_INLINE enum l4_parsed l4_parse_transport(
	const struct l4_frame *f, struct l4_packet *p, uint32_t left)
{
	if (p->flow.protocol == L4_PROTO_TCP) {
		const struct l4_tcp *t;
		uint32_t header;

		if (left < sizeof *t)
			return L4_PARSED_MALFORMED;
		t = l4_at(f, p->l4, sizeof *t);
		if (!t)
			return L4_PARSED_MALFORMED;
		header = (t->offset >> 4) * 4u;
		if (header < sizeof *t || header > left)
			return L4_PARSED_MALFORMED;
		p->flow.sport = t->sport;
		p->flow.dport = t->dport;
		return L4_PARSED_PORTS;
	}
	if (p->flow.protocol == L4_PROTO_UDP) {
		const struct l4_udp *u;
		uint32_t len;

		if (left < sizeof *u)
			return L4_PARSED_MALFORMED;
		u = l4_at(f, p->l4, sizeof *u);
		if (!u)
			return L4_PARSED_MALFORMED;
		len = __builtin_bswap16(u->len);
		if (len < sizeof *u || len > left)
			return L4_PARSED_MALFORMED;
		p->flow.sport = u->sport;
		p->flow.dport = u->dport;
		return L4_PARSED_PORTS;
	}
	if (p->flow.protocol == L4_PROTO_SCTP) {
		const struct l4_sctp *s;

		if (left < sizeof *s)
			return L4_PARSED_MALFORMED;
		s = l4_at(f, p->l4, sizeof *s);
		if (!s)
			return L4_PARSED_MALFORMED;
		p->flow.sport = s->sport;
		p->flow.dport = s->dport;
		return L4_PARSED_PORTS;
	}
	if (p->flow.protocol == (p->flow.is6 ? L4_PROTO_ICMP6 : L4_PROTO_ICMP))
		return left < sizeof(struct l4_icmp) ? L4_PARSED_MALFORMED : L4_PARSED_ICMP;
	return L4_PARSED_OTHER;
}

/* The rest of an IPv4 header and what is behind it. */
L4_INLINE enum l4_parsed l4_parse_ip4_payload(const struct l4_frame *f, struct l4_packet *p)
{
	const struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip);
	uint32_t header, total;

	if (!ip)
		return L4_PARSED_MALFORMED;
	header = p->l4 - p->l3;
	total = __builtin_bswap16(ip->total_len);
	if (header < sizeof *ip || total < header || p->l3 + total > f->len)
		return L4_PARSED_MALFORMED;
	p->ip_len = total;
	if (ip->frag & L4_BE16(L4_IP4_MORE_OR_OFFSET))
		return L4_PARSED_FRAGMENT;
	return l4_parse_transport(f, p, total - header);
}

/* Skips the extension headers from `off` on, of a packet that ends at `end` and whose first is p->flow.protocol. OTHER: what
 * follows them is at p->l4 and p->flow.protocol. A fragment header is one of them unless it has any of the bits of
 * `part`; without any it stands before a whole packet (RFC 6946, section 4). */
L4_INLINE enum l4_parsed l4_parse_extensions(
	const struct l4_frame *f, struct l4_packet *p, uint32_t off, uint32_t end, be16 part)
{
	uint8_t next = p->flow.protocol;

#pragma GCC unroll 7
	for (int i = 0; i <= L4_MAX_EXTENSIONS; i++) {
		const struct l4_ip6_ext *ext;

		if (next == L4_PROTO_ESP || next == L4_PROTO_AH)
			return L4_PARSED_EXTENSION;
		if (next != L4_PROTO_HOPOPTS && next != L4_PROTO_DSTOPTS &&
			next != L4_PROTO_ROUTING && next != L4_PROTO_FRAGMENT)
			break;
		if (i == L4_MAX_EXTENSIONS)
			return L4_PARSED_EXTENSION;
		ext = l4_at(f, off, sizeof *ext);
		if (!ext || off + sizeof *ext > end)
			return L4_PARSED_MALFORMED;
		if (next == L4_PROTO_FRAGMENT && ext->offset & part) {
			p->l4 = off;
			return L4_PARSED_FRAGMENT;
		}
		off += next == L4_PROTO_FRAGMENT ? 8 : (ext->len + 1u) * 8;
		if (off > end || off > L4_PAYLOAD_MASK)
			return L4_PARSED_MALFORMED;
		off = l4_forget(off, L4_PAYLOAD_MASK);
		if (next == L4_PROTO_ROUTING && ext->segments_left)
			return L4_PARSED_EXTENSION;
		next = ext->next_header;
	}
	p->l4 = off;
	p->flow.protocol = next;
	return L4_PARSED_OTHER;
}

/* The rest of an IPv6 header, the extension headers behind it and what they end in. */
L4_INLINE enum l4_parsed l4_parse_ip6_payload(const struct l4_frame *f, struct l4_packet *p)
{
	const struct l4_ip6 *ip = l4_at(f, p->l3, sizeof *ip);
	enum l4_parsed parsed;
	uint32_t end;

	if (!ip)
		return L4_PARSED_MALFORMED;
	p->ip_len = sizeof *ip + __builtin_bswap16(ip->payload_len);
	end = p->l3 + p->ip_len;
	if (end > f->len)
		return L4_PARSED_MALFORMED;
	p->flow.protocol = ip->next_header;
	parsed = l4_parse_extensions(f, p, p->l3 + sizeof *ip, end, L4_BE16(L4_IP6_MORE_OR_OFFSET));
	return parsed == L4_PARSED_OTHER ? l4_parse_transport(f, p, end - p->l4) : parsed;
}

/* What follows the addresses, of either family. */
L4_INLINE enum l4_parsed l4_parse_payload(const struct l4_frame *f, struct l4_packet *p)
{
	return p->flow.is6 ? l4_parse_ip6_payload(f, p) : l4_parse_ip4_payload(f, p);
}
