/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Answers for our own addresses, made in place from the question: ARP, neighbour discovery, ping. */
#pragma once
#include "dataplane/l4/checksum.h"
#include "dataplane/l4/mac.h"
#include "dataplane/l4/parse.h"
#include "dataplane/l4/tables.h"

enum { L4_ANSWER_TTL = 64, L4_ND_HOP_LIMIT = 255 };

/* Sends a frame back to where it came from. */
L4_INLINE void l4_eth_return(struct l4_eth *eth, const uint8_t mac[6])
{
	l4_mac_copy(eth->dst, eth->src);
	l4_mac_copy(eth->src, mac);
}

/* Whether the ARP message is one for IPv4 over Ethernet. */
L4_INLINE bool l4_arp_is_ip4(const struct l4_arp *a)
{
	return a->hardware == L4_BE16(1) && a->protocol == L4_BE16(L4_ETH_IP4) &&
	       a->hardware_len == 6 && a->protocol_len == 4;
}

/* Turns a request for an address of ours into its reply (RFC 826, "Packet Reception"). */
L4_INLINE void l4_arp_answer(struct l4_eth *eth, struct l4_arp *a, const uint8_t mac[6])
{
	const be16 ours[2] = { a->target[0], a->target[1] };

	l4_eth_return(eth, mac);
	a->op = L4_BE16(2);
	l4_mac_copy(a->target_mac, a->sender_mac);
	a->target[0] = a->sender[0];
	a->target[1] = a->sender[1];
	l4_mac_copy(a->sender_mac, mac);
	a->sender[0] = ours[0];
	a->sender[1] = ours[1];
}

/* Whether a solicitation for an address of ours is valid (RFC 4861, section 7.1.1, and never from a group; its checksum is not
 * looked at: a damaged one could at worst be answered). */
L4_INLINE bool l4_nd_is_valid(const struct l4_frame *f, const struct l4_packet *p,
	const struct l4_ip6 *ip, const struct l4_nd *ns)
{
	uint32_t payload = __builtin_bswap16(ip->payload_len);

	if (ip->hop_limit != L4_ND_HOP_LIMIT || ns->code || (uint8_t)ip->src[0] == 0xff ||
		payload < sizeof *ns || p->l3 + sizeof *ip + payload > f->len)
		return false;
	if (ip->src[0] | ip->src[1] | ip->src[2] | ip->src[3])
		return true;
	return ip->dst[0] == L4_BE32(0xff020000) && !ip->dst[1] && ip->dst[2] == L4_BE32(1) &&
	       ip->dst[3] == (ns->target[3] | L4_BE32(0xff000000));
}

enum {
	L4_ND_ANSWER_LEN = sizeof(struct l4_ip6) + sizeof(struct l4_nd) + sizeof(struct l4_nd_tlla)
};

/* Turns a solicitation into an advertisement (RFC 4861, section 7.2.4). The frame has been given exactly
 * L4_ND_ANSWER_LEN bytes behind its Ethernet header and tags; flags is the address' row's nd_flags. */
L4_INLINE void l4_nd_answer(struct l4_eth *eth, struct l4_ip6 *ip, struct l4_nd *nd,
	struct l4_nd_tlla *tlla, const uint8_t mac[6], uint32_t flags)
{
	bool to_all = !(ip->src[0] | ip->src[1] | ip->src[2] | ip->src[3]);
	uint16_t option[4];
	uint64_t sum = L4_BE16(L4_ND_ANSWER_LEN - sizeof *ip) + L4_BE16(L4_PROTO_ICMP6);

	l4_eth_return(eth, mac);
	if (to_all) {
		static const uint8_t all_nodes[6] = { 0x33, 0x33, 0, 0, 0, 1 };

		l4_mac_copy(eth->dst, all_nodes);
		ip->dst[0] = L4_BE32(0xff020000);
		ip->dst[1] = ip->dst[2] = 0;
		ip->dst[3] = L4_BE32(1);
	} else {
		flags |= L4_BE32(0x40000000); /* solicited */
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++)
			ip->dst[i] = ip->src[i];
	}
	ip->version_class_label = L4_BE32(0x60000000);
	ip->payload_len = L4_BE16(L4_ND_ANSWER_LEN - sizeof *ip);
	ip->hop_limit = L4_ND_HOP_LIMIT;
	nd->type = L4_ICMP6_NA;
	nd->checksum = 0;
	nd->flags = flags;
	tlla->type = 2;
	tlla->len = 1;
	l4_mac_copy(tlla->mac, mac);
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		ip->src[i] = nd->target[i];
		/* The target stands in the message and, as the source, in the pseudo-header. */
		sum += (uint64_t)ip->dst[i] + 2 * (uint64_t)nd->target[i];
	}
	__builtin_memcpy(option, tlla, sizeof option);
	sum += (uint64_t)option[0] + option[1] + option[2] + option[3];
	sum += (uint64_t)flags + nd->type; /* type is the low byte of its word in memory, code 0 */
	nd->checksum = (be16)~l4_fold(sum);
}

/* A ping that claims to come from nowhere or from everywhere is not answered. */
L4_INLINE bool l4_echo_source_is_valid(const struct l4_flow *flow)
{
	uint8_t first = (uint8_t)flow->src[0];

	if (flow->is6)
		return first != 0xff && (flow->src[0] | flow->src[1] | flow->src[2] | flow->src[3]);
	return flow->src[0] && first < 224;
}

L4_INLINE bool l4_is_echo(const struct l4_icmp *icmp, bool is6)
{
	return icmp->type == (is6 ? L4_ICMP6_ECHO : L4_ICMP_ECHO) && !icmp->code;
}

/* Turns an IPv4 echo request into its reply. A reply whose every word is zero needs the checksum 0xffff
 * (RFC 1624, section 3), which is as good where the sum of its words merely comes out as zero. */
L4_INLINE void l4_echo4_answer(
	struct l4_eth *eth, struct l4_ip4 *ip, struct l4_icmp *icmp, const uint8_t mac[6])
{
	uint32_t client = ip->src;
	be16 was, is;

	l4_eth_return(eth, mac);
	ip->src = ip->dst;
	ip->dst = client;
	__builtin_memcpy(&was, &ip->ttl, sizeof was);
	ip->ttl = L4_ANSWER_TTL;
	__builtin_memcpy(&is, &ip->ttl, sizeof is);
	ip->checksum = l4_checksum_update(ip->checksum, l4_delta16(0, was, is));
	icmp->type = L4_ICMP_ECHO_REPLY;
	is = l4_checksum_update(icmp->checksum, l4_delta16(0, L4_ICMP_ECHO, L4_ICMP_ECHO_REPLY));
	icmp->checksum = is ? is : 0xffff;
}

L4_INLINE void l4_echo6_answer(
	struct l4_eth *eth, struct l4_ip6 *ip, struct l4_icmp *icmp, const uint8_t mac[6])
{
	l4_eth_return(eth, mac);
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		uint32_t client = ip->src[i];

		ip->src[i] = ip->dst[i];
		ip->dst[i] = client;
	}
	ip->hop_limit = L4_ANSWER_TTL;
	icmp->type = L4_ICMP6_ECHO_REPLY;
	icmp->checksum = l4_checksum_update(
		icmp->checksum, l4_delta16(0, L4_ICMP6_ECHO, L4_ICMP6_ECHO_REPLY));
}
