/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The reset that a TCP segment gets where there is no connection (RFC 9293, section 3.10.7.1). */
#pragma once
#include "dataplane/l4/icmp.h"

/* What answers the segment with that header and so much behind the IP header. The segment's checksum is not looked
 * at: a damaged one could at worst be reset. */
L4_INLINE struct l4_tcp l4_reset_tcp(const struct l4_tcp *t, uint32_t payload)
{
	uint32_t len = payload - (t->offset >> 4) * 4u + !!(t->flags & L4_TCP_SYN) +
		       !!(t->flags & L4_TCP_FIN);
	struct l4_tcp out = { .sport = t->dport, .dport = t->sport, .offset = 5 << 4 };

	if (t->flags & L4_TCP_ACK) {
		out.flags = L4_TCP_RST;
		out.seq = t->ack;
	} else {
		out.flags = L4_TCP_RST | L4_TCP_ACK;
		out.ack = L4_BE32(__builtin_bswap32(t->seq) + len);
	}
	return out;
}

/* The checksum of a reset; `sum` is that of its pseudo-header's addresses. */
L4_INLINE be16 l4_reset_checksum(const struct l4_tcp *t, uint64_t sum)
{
	uint32_t words[5];

	__builtin_memcpy(words, t, sizeof words);
	sum += (uint64_t)words[0] + words[1] + words[2] + words[3] + words[4];
	return (be16)~l4_fold(sum + L4_BE16(sizeof *t) + L4_BE16(L4_PROTO_TCP));
}

enum {
	L4_RESET_LEN4 = sizeof(struct l4_ip4) + sizeof(struct l4_tcp),
	L4_RESET_LEN6 = sizeof(struct l4_ip6) + sizeof(struct l4_tcp),
};

/* Turns a frame that ends L4_RESET_LEN4 bytes behind its link header into the reset: what the segment had there is
 * overwritten, options included. False when a header is not in the frame. */
L4_INLINE bool l4_reset4(const struct l4_frame *f, uint32_t l3, struct l4_tcp reset)
{
	struct l4_ip4 *ip = l4_at(f, l3, sizeof *ip);
	struct l4_tcp *tcp = l4_at(f, l3 + sizeof *ip, sizeof *tcp);
	uint32_t client;

	if (!ip || !tcp)
		return false;
	client = ip->src;
	ip->src = ip->dst;
	ip->dst = client;
	reset.checksum = l4_reset_checksum(&reset, (uint64_t)ip->src + ip->dst);
	ip->version_ihl = 0x45;
	ip->tos = 0;
	ip->total_len = L4_BE16(L4_RESET_LEN4);
	ip->id = 0;
	ip->frag = L4_BE16(L4_IP4_DF);
	ip->ttl = L4_ANSWER_TTL;
	ip->protocol = L4_PROTO_TCP;
	ip->checksum = 0;
	ip->checksum = l4_ip4_checksum(ip);
	__builtin_memcpy(tcp, &reset, sizeof reset);
	return true;
}

/* The same for IPv6 and L4_RESET_LEN6 bytes. */
L4_INLINE bool l4_reset6(const struct l4_frame *f, uint32_t l3, struct l4_tcp reset)
{
	struct l4_ip6 *ip = l4_at(f, l3, sizeof *ip);
	struct l4_tcp *tcp = l4_at(f, l3 + sizeof *ip, sizeof *tcp);
	uint64_t sum = 0;

	if (!ip || !tcp)
		return false;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		uint32_t client = ip->src[i];

		sum += (uint64_t)ip->src[i] + ip->dst[i];
		ip->src[i] = ip->dst[i];
		ip->dst[i] = client;
	}
	reset.checksum = l4_reset_checksum(&reset, sum);
	ip->version_class_label = L4_BE32(0x60000000);
	ip->payload_len = L4_BE16(sizeof reset);
	ip->next_header = L4_PROTO_TCP;
	ip->hop_limit = L4_ANSWER_TTL;
	__builtin_memcpy(tcp, &reset, sizeof reset);
	return true;
}
