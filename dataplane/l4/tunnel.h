/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A packet inside another of its own family: IPv4 in IPv4 (RFC 2003), IPv6 in IPv6 (RFC 2473). What is around others
 * (wrap.h) is made of the same headers. */
#pragma once
#include "dataplane/l4/forward.h"

enum {
	L4_TUNNEL_ROOM4 = sizeof(struct l4_ip4),
	L4_TUNNEL_ROOM6 = sizeof(struct l4_ip6),
	L4_TUNNEL_TTL = 64,
	L4_GUE_SOURCES =
		0xc000, /* the lowest of the ports that GUE comes from; the others have its bits too */
};

/* Moves the EtherType and the tags before it to the front of a frame that was given `room` bytes there, at least 20,
 * and whose network header was at l3. MAC addresses are left to the caller. False when they are not in the frame. */
L4_INLINE bool l4_tunnel_link(const struct l4_frame *f, uint32_t l3, uint32_t room)
{
	enum { FIRST = offsetof(struct l4_eth, type), WORDS = 1 + 2 * L4_MAX_TAGS };

#pragma GCC unroll 5
	for (uint32_t i = 0; i < WORDS; i++) {
		uint32_t at = FIRST + 2 * i;
		const be16 *from = l4_at(f, room + at, sizeof *from);
		be16 *to = l4_at(f, at, sizeof *to);

		if (at >= l3)
			break;
		if (!from || !to)
			return false;
		*to = *from;
	}
	return true;
}

/* The flow's share of an address: the upper half of its hash, in the bits that the mask has. Slots are chosen by
 * the lower half. */
L4_INLINE uint32_t l4_tunnel_entropy(uint64_t hash, uint32_t mask)
{
	return L4_BE32((uint32_t)(hash >> 32)) & mask;
}

/* The 20 bits of a flow label, of which zero would mean that there is none (RFC 6437, section 2). */
L4_INLINE uint32_t l4_tunnel_label(uint64_t hash)
{
	uint32_t label = hash >> 32 & 0xfffff;

	return L4_BE32(label ? label : 1);
}

/* Checksum of an IPv4 header without options whose checksum field is zero. */
L4_INLINE be16 l4_ip4_checksum(const struct l4_ip4 *ip)
{
	uint32_t words[5];

	__builtin_memcpy(words, ip, sizeof words);
	return (be16)~l4_fold((uint64_t)words[0] + words[1] + words[2] + words[3] + words[4]);
}

/* Writes an outer header around `len` bytes (RFC 2003, section 3.1; ECN: RFC 6040, normal mode). */
L4_INLINE void l4_outer4(be32 *outer, uint8_t tos, uint32_t len, uint8_t protocol,
	const struct l4_member *m, uint64_t hash)
{
	uint32_t words[5];
	uint64_t sum = 0;

	words[0] = 0x45 | (uint32_t)tos << 8 | (uint32_t)L4_BE16(len + L4_TUNNEL_ROOM4) << 16;
	words[1] = (uint32_t)L4_BE16(L4_IP4_DF) << 16;
	words[2] = L4_TUNNEL_TTL | (uint32_t)protocol << 8;
	words[3] = m->source[0] | l4_tunnel_entropy(hash, m->source_mask);
	words[4] = m->address[0];
#pragma GCC unroll 5
	for (int i = 0; i < 5; i++)
		sum += words[i];
	words[2] |= (uint32_t)(be16)~l4_fold(sum) << 16;
	/* In whole words, and not summed up from there: the processor would wait for stores of smaller parts. */
#pragma GCC unroll 5
	for (int i = 0; i < 5; i++)
		outer[i] = words[i];
}

/* The same (RFC 2473, section 6; the flow label: RFC 6438); `class` is the first word without a label. */
L4_INLINE void l4_outer6(struct l4_ip6 *outer, uint32_t class, uint32_t len, uint8_t next,
	const struct l4_member *m, uint64_t hash)
{
	outer->version_class_label = class | l4_tunnel_label(hash);
	outer->payload_len = L4_BE16(len);
	outer->next_header = next;
	outer->hop_limit = L4_TUNNEL_TTL;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		outer->src[i] = m->source[i];
		outer->dst[i] = m->address[i];
	}
	outer->src[3] |= l4_tunnel_entropy(hash, m->source_mask);
}

/* Writes the outer header before the packet at p->l3, which has moved back by L4_TUNNEL_ROOM4 bytes, and passes the
 * inner one on. False when a header is not in the frame. */
L4_INLINE bool l4_tunnel4(const struct l4_frame *f, const struct l4_packet *p,
	const struct l4_member *m, uint64_t hash)
{
	be32 *outer = l4_at(f, p->l3, sizeof(struct l4_ip4));
	struct l4_ip4 *inner = l4_at(f, p->l3 + L4_TUNNEL_ROOM4, sizeof *inner);

	if (!outer || !inner)
		return false;
	l4_outer4(outer, inner->tos, p->ip_len, L4_PROTO_IP4, m, hash);
	l4_forward_ttl4(inner);
	return true;
}

/* The same by L4_TUNNEL_ROOM6 bytes. */
L4_INLINE bool l4_tunnel6(const struct l4_frame *f, const struct l4_packet *p,
	const struct l4_member *m, uint64_t hash)
{
	struct l4_ip6 *outer = l4_at(f, p->l3, sizeof *outer);
	struct l4_ip6 *inner = l4_at(f, p->l3 + L4_TUNNEL_ROOM6, sizeof *inner);

	if (!outer || !inner)
		return false;
	l4_outer6(outer, inner->version_class_label & L4_BE32(0xfff00000), p->ip_len, L4_PROTO_IP6,
		m, hash);
	inner->hop_limit--;
	return true;
}
