/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* TCP segments that are written whole: an answer with an IP header of its own, or what takes the place of a segment. */
#pragma once
#include "dataplane/l4/icmp.h"

/* Words of options that a segment may have here. */
enum { L4_SEGMENT_OPTIONS = 5 };

/* A segment; what is not used of the options is zero. checksum and offset are filled in by who writes it. */
struct l4_segment {
	struct l4_tcp tcp;
	be32 options[L4_SEGMENT_OPTIONS];
};

enum { L4_SEGMENT_MAX = sizeof(struct l4_segment) };

/* The checksum of its first `len` bytes, a constant; what is behind them is zero. `sum` is that of its pseudo-header's
 * addresses. */
L4_INLINE be16 l4_segment_checksum(const struct l4_segment *s, uint32_t len, uint64_t sum)
{
	uint32_t words[L4_SEGMENT_MAX / 4];

	__builtin_memcpy(words, s, sizeof words);
#pragma GCC unroll 10
	for (uint32_t i = 0; i < L4_SEGMENT_MAX / 4; i++)
		sum += words[i];
	return (be16)~l4_fold(sum + L4_BE16(len) + L4_BE16(L4_PROTO_TCP));
}

/* Turns a frame that ends 20 + len bytes behind its link header into an answer with this segment, of len bytes, a constant: what
 * the client's had there is overwritten, options included. False when a header is not in the frame. */
L4_INLINE bool l4_segment_answer4(
	const struct l4_frame *f, uint32_t l3, struct l4_segment *s, uint32_t len)
{
	struct l4_ip4 *ip = l4_at(f, l3, sizeof *ip);
	void *tcp = l4_at(f, l3 + sizeof *ip, len);
	uint32_t client;

	if (!ip || !tcp)
		return false;
	client = ip->src;
	ip->src = ip->dst;
	ip->dst = client;
	s->tcp.checksum = l4_segment_checksum(s, len, (uint64_t)ip->src + ip->dst);
	ip->version_ihl = 0x45;
	ip->tos = 0;
	ip->total_len = L4_BE16(sizeof *ip + len);
	ip->id = 0;
	ip->frag = L4_BE16(L4_IP4_DF);
	ip->ttl = L4_ANSWER_TTL;
	ip->protocol = L4_PROTO_TCP;
	ip->checksum = 0;
	ip->checksum = l4_ip4_checksum(ip);
	__builtin_memcpy(tcp, s, len);
	return true;
}

/* The same for IPv6 and 40 + len bytes. */
L4_INLINE bool l4_segment_answer6(
	const struct l4_frame *f, uint32_t l3, struct l4_segment *s, uint32_t len)
{
	struct l4_ip6 *ip = l4_at(f, l3, sizeof *ip);
	void *tcp = l4_at(f, l3 + sizeof *ip, len);
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
	s->tcp.checksum = l4_segment_checksum(s, len, sum);
	ip->version_class_label = L4_BE32(0x60000000);
	ip->payload_len = L4_BE16(len);
	ip->next_header = L4_PROTO_TCP;
	ip->hop_limit = L4_ANSWER_TTL;
	__builtin_memcpy(tcp, s, len);
	return true;
}

/* Sends such an answer back by the link that the frame came in by. f ends where the answer does. */
L4_INLINE bool l4_segment_answer(
	const struct l4_frame *f, uint32_t l3, bool is6, struct l4_segment *s, uint32_t len)
{
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);
	uint8_t ours[6];

	if (!eth)
		return false;
	l4_mac_copy(ours, eth->dst);
	l4_eth_return(eth, ours);
	return is6 ? l4_segment_answer6(f, l3, s, len) : l4_segment_answer4(f, l3, s, len);
}

/* Where an answer of len bytes ends in its frame. */
L4_INLINE uint32_t l4_segment_end(uint32_t l3, bool is6, uint32_t len)
{
	return l3 + (is6 ? (uint32_t)sizeof(struct l4_ip6) : (uint32_t)sizeof(struct l4_ip4)) + len;
}

/* Writes a segment of len bytes, a constant, where one of another length was, at l4 behind the IPv4 header at l3. f ends
 * where the segment does. */
L4_INLINE bool l4_segment_replace4(
	const struct l4_frame *f, uint32_t l3, uint32_t l4, struct l4_segment *s, uint32_t len)
{
	struct l4_ip4 *ip = l4_at(f, l3, sizeof *ip);
	void *tcp = l4_at(f, l4, len);
	be16 total = L4_BE16(l4 - l3 + len);

	if (!ip || !tcp)
		return false;
	ip->checksum = l4_checksum_update(ip->checksum, l4_delta16(0, ip->total_len, total));
	ip->total_len = total;
	s->tcp.checksum = l4_segment_checksum(s, len, (uint64_t)ip->src + ip->dst);
	__builtin_memcpy(tcp, s, len);
	return true;
}

/* The same behind an IPv6 header. */
L4_INLINE bool l4_segment_replace6(
	const struct l4_frame *f, uint32_t l3, uint32_t l4, struct l4_segment *s, uint32_t len)
{
	struct l4_ip6 *ip = l4_at(f, l3, sizeof *ip);
	void *tcp = l4_at(f, l4, len);
	uint64_t sum = 0;

	if (!ip || !tcp)
		return false;
	ip->payload_len = L4_BE16(l4 - l3 - sizeof *ip + len);
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		sum += (uint64_t)ip->src[i] + ip->dst[i];
	s->tcp.checksum = l4_segment_checksum(s, len, sum);
	__builtin_memcpy(tcp, s, len);
	return true;
}
