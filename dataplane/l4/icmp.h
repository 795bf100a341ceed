/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ICMP errors, made from the packet that they are about: it stays where it is, as the quote, and headers are put
 * before it. */
#pragma once
#include "dataplane/l4/tunnel.h"

/* How long an error may be: RFC 1812, section 4.3.2.3; RFC 4443, section 2.4(c). */
enum { L4_ICMP_MAX4 = 576, L4_ICMP_MAX6 = 1280 };

enum {
	L4_ICMP_ROOM4 = sizeof(struct l4_ip4) + sizeof(struct l4_icmp),
	L4_ICMP_ROOM6 = sizeof(struct l4_ip6) + sizeof(struct l4_icmp),
};

/* Type and code; `tell` is the second word of the header (RFC 792; RFC 1191, section 4; RFC 4443, section 3). */
struct l4_icmp_kind {
	uint8_t type, code;
	uint32_t tell; /* network order */
};

L4_INLINE struct l4_icmp_kind l4_icmp_too_big(bool is6, uint32_t mtu)
{
	return is6 ? (struct l4_icmp_kind){ L4_ICMP6_TOO_BIG, 0, L4_BE32(mtu) }
		   : (struct l4_icmp_kind){ L4_ICMP_UNREACHABLE, 4, L4_BE32(mtu & 0xffff) };
}

L4_INLINE struct l4_icmp_kind l4_icmp_expired(bool is6)
{
	return (struct l4_icmp_kind){ is6 ? L4_ICMP6_TIME_EXCEEDED : L4_ICMP_TIME_EXCEEDED, 0, 0 };
}

L4_INLINE struct l4_icmp_kind l4_icmp_no_port(bool is6)
{
	return is6 ? (struct l4_icmp_kind){ L4_ICMP6_UNREACHABLE, 4, 0 }
		   : (struct l4_icmp_kind){ L4_ICMP_UNREACHABLE, 3, 0 };
}

/* Whether the source is that of one host, who alone may get an answer (RFC 1122, sections 3.2.2 and 4.2.3.10; RFC 4443,
 * section 2.4(e.6)). The rest of what those sections forbid is no packet of a service. */
L4_INLINE bool l4_source_is_host(const struct l4_frame *f, uint32_t l3, bool is6)
{
	const struct l4_ip4 *ip4 = l4_at(f, l3, sizeof *ip4);
	const struct l4_ip6 *ip6;
	uint8_t first;

	if (!is6) {
		first = ip4 ? (uint8_t)ip4->src : 0;
		return first && first != 127 && first < 224;
	}
	ip6 = l4_at(f, l3, sizeof *ip6);
	return ip6 && (uint8_t)ip6->src[0] != 0xff &&
	       (ip6->src[0] | ip6->src[1] | ip6->src[2] | (ip6->src[3] & ~L4_BE32(1)));
}

/* How much of a packet of that length is quoted. */
L4_INLINE uint32_t l4_icmp_quote(bool is6, uint32_t ip_len)
{
	uint32_t most = is6 ? L4_ICMP_MAX6 - L4_ICMP_ROOM6 : L4_ICMP_MAX4 - L4_ICMP_ROOM4;

	return ip_len < most ? ip_len : most;
}

/* The sum of the quote's 16-bit words, an odd last byte followed by a zero (RFC 1071). The count of words is kept
 * apart from len, or the verifier would look at what follows once for every count. */
L4_INLINE uint64_t l4_icmp_sum(const struct l4_frame *f, uint32_t off, uint32_t len)
{
	enum { WORDS = (L4_ICMP_MAX6 - L4_ICMP_ROOM6) / 4 };
	uint32_t n = len / 4, whole = len & ~3u;
	const uint8_t *last;
	const be16 *half;
	uint64_t sum = 0;

	__asm__("" : "+r"(n));
	for (uint32_t i = 0; i < WORDS; i++) {
		const be32 *word = l4_at(f, off + 4 * i, sizeof *word);

		if (i >= n || !word)
			break;
		sum += *word;
	}
	half = l4_at(f, off + whole, sizeof *half);
	if (len & 2 && half)
		sum += *half;
	last = l4_at(f, off + (len & ~1u), sizeof *last);
	if (len & 1 && last)
		sum += *last;
	return sum;
}

/* Sends the frame back: its MAC addresses, which are `room` bytes from its start, swapped in front. */
L4_INLINE bool l4_icmp_link(const struct l4_frame *f, uint32_t l3, uint32_t room)
{
	const struct l4_eth *was = l4_at(f, room, sizeof *was);
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);

	if (!was || !eth || !l4_tunnel_link(f, l3, room))
		return false;
	l4_mac_copy(eth->dst, was->src);
	l4_mac_copy(eth->src, was->dst);
	return true;
}

/* Writes the header of an error and its checksum; `sum` is that of all else that the checksum covers. */
L4_INLINE void l4_icmp_header(struct l4_icmp *icmp, struct l4_icmp_kind kind, uint64_t sum)
{
	be16 tell[2];

	__builtin_memcpy(tell, &kind.tell, sizeof tell);
	icmp->type = kind.type;
	icmp->code = kind.code;
	icmp->id = tell[0];
	icmp->seq = tell[1];
	sum += (uint32_t)kind.type | (uint32_t)kind.code << 8;
	icmp->checksum = (be16)~l4_fold(sum + kind.tell);
}

/* Fills in the headers of an error from `from` about the packet that is quoted behind them, `quote` bytes of the given
 * sum. The frame has been given L4_ICMP_ROOM4 bytes in front and ends with the quote. The precedence is that of
 * network control (RFC 1812, section 4.3.2.5). False when a header is not in the frame. */
L4_INLINE bool l4_icmp4_error(const struct l4_frame *f, uint32_t l3, uint32_t quote, uint64_t sum,
	struct l4_icmp_kind kind, const uint32_t from[4])
{
	const struct l4_ip4 *about = l4_at(f, l3 + L4_ICMP_ROOM4, sizeof *about);
	struct l4_icmp *icmp = l4_at(f, l3 + sizeof(struct l4_ip4), sizeof *icmp);
	struct l4_ip4 *ip = l4_at(f, l3, sizeof *ip);

	if (!about || !icmp || !ip || !l4_icmp_link(f, l3, L4_ICMP_ROOM4))
		return false;
	ip->version_ihl = 0x45;
	ip->tos = 0xc0;
	ip->total_len = L4_BE16(L4_ICMP_ROOM4 + quote);
	ip->id = 0;
	ip->frag = L4_BE16(L4_IP4_DF);
	ip->ttl = L4_ANSWER_TTL;
	ip->protocol = L4_PROTO_ICMP;
	ip->checksum = 0;
	ip->src = from[0] ? from[0] : about->dst;
	ip->dst = about->src;
	ip->checksum = l4_ip4_checksum(ip);
	l4_icmp_header(icmp, kind, sum);
	return true;
}

/* The same for IPv6 and L4_ICMP_ROOM6 bytes; the checksum covers a pseudo-header (RFC 4443, section 2.3). */
L4_INLINE bool l4_icmp6_error(const struct l4_frame *f, uint32_t l3, uint32_t quote, uint64_t sum,
	struct l4_icmp_kind kind, const uint32_t from[4])
{
	const struct l4_ip6 *about = l4_at(f, l3 + L4_ICMP_ROOM6, sizeof *about);
	struct l4_icmp *icmp = l4_at(f, l3 + sizeof(struct l4_ip6), sizeof *icmp);
	struct l4_ip6 *ip = l4_at(f, l3, sizeof *ip);
	be16 payload = L4_BE16(sizeof *icmp + quote);

	bool ours = from[0] | from[1] | from[2] | from[3];

	sum += (uint64_t)payload + L4_BE16(L4_PROTO_ICMP6);
	if (!about || !icmp || !ip || !l4_icmp_link(f, l3, L4_ICMP_ROOM6))
		return false;
	ip->version_class_label = L4_BE32(0x60000000);
	ip->payload_len = payload;
	ip->next_header = L4_PROTO_ICMP6;
	ip->hop_limit = L4_ANSWER_TTL;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		ip->src[i] = ours ? from[i] : about->dst[i];
		ip->dst[i] = about->src[i];
		sum += (uint64_t)ip->src[i] + about->src[i];
	}
	l4_icmp_header(icmp, kind, sum);
	return true;
}
