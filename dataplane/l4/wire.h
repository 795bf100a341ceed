/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Headers as they stand on the wire. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Builds with sanitizers leave it to the compiler: code that is all in line, and five times as much by their checks, would take it
 * minutes. */
#ifndef L4_INLINE
#define L4_INLINE static inline __attribute__((always_inline))
#endif

/* Fields in network order. In a frame they are aligned to 2 bytes only (Ethernet is 14 bytes long); the
 * BPF back end would read such fields in halves, and the kernel's verifier allows whole reads wherever the
 * processor does, so there they keep their natural alignment. */
typedef uint16_t be16;
#ifdef __bpf__
typedef uint32_t be32;
#else
typedef uint32_t be32 __attribute__((aligned(2)));
#endif

/* Constants and single values between host and network order (tandem runs on little-endian hosts). */
#define L4_BE16(x) ((be16)__builtin_bswap16((uint16_t)(x)))
#define L4_BE32(x) (__builtin_bswap32((uint32_t)(x)))
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian hosts only");

/* Eight bytes of an address, of which the words are in network order. */
L4_INLINE uint64_t l4_host64(uint32_t first, uint32_t second)
{
	return (uint64_t)L4_BE32(first) << 32 | L4_BE32(second);
}

enum {
	L4_ETH_IP4 = 0x0800,
	L4_ETH_ARP = 0x0806,
	L4_ETH_VLAN = 0x8100, /* IEEE 802.1Q */
	L4_ETH_IP6 = 0x86dd,
	L4_ETH_QINQ = 0x88a8, /* IEEE 802.1ad */
};

/* IANA protocol numbers; the second half are IPv6 extension headers (RFC 8200, section 4). */
enum {
	L4_PROTO_ICMP = 1,
	L4_PROTO_IP4 = 4, /* IPv4 in IP (RFC 2003) */
	L4_PROTO_TCP = 6,
	L4_PROTO_UDP = 17,
	L4_PROTO_IP6 = 41, /* IPv6 in IP (RFC 2473) */
	L4_PROTO_ICMP6 = 58,
	L4_PROTO_HOPOPTS = 0,
	L4_PROTO_ROUTING = 43,
	L4_PROTO_FRAGMENT = 44,
	L4_PROTO_ESP = 50,
	L4_PROTO_AH = 51,
	L4_PROTO_DSTOPTS = 60,
	L4_PROTO_SCTP = 132,
	L4_PROTO_ANY = 255, /* reserved by IANA: stands for all of them */
};

struct l4_eth {
	uint8_t dst[6], src[6];
	be16 type;
};

struct l4_vlan {
	be16 tci, type;
};

/* Tags that a frame may have (802.1ad: a service tag and a customer tag); the bits of tci that name the VLAN. */
enum { L4_MAX_TAGS = 2, L4_VLAN_ID = 0x0fff };

/* A tag as one number: its protocol, and behind it its VLAN id without the priority. 0: none. */
L4_INLINE uint32_t l4_tag(be16 protocol, be16 tci)
{
	return protocol | (uint32_t)(tci & L4_BE16(L4_VLAN_ID)) << 16;
}

L4_INLINE be16 l4_tag_protocol(uint32_t tag)
{
	return (be16)tag;
}

L4_INLINE be16 l4_tag_id(uint32_t tag)
{
	return (be16)(tag >> 16);
}

struct l4_ip4 {
	uint8_t version_ihl, tos;
	be16 total_len, id, frag; /* frag: 3 flag bits, 13 bits of offset */
	uint8_t ttl, protocol;
	be16 checksum;
	be32 src, dst;
};

#define L4_IP4_MORE_OR_OFFSET 0x3fff /* of frag: set in every fragment (RFC 791) */
#define L4_IP4_OFFSET	      0x1fff /* of frag: set in all of them but the first */
#define L4_IP4_DF	      0x4000 /* of frag: do not fragment */
#define L4_IP4_MORE	      0x2000 /* of frag: set in all of them but the last */

struct l4_ip6 {
	be32 version_class_label;
	be16 payload_len;
	uint8_t next_header, hop_limit;
	be32 src[4], dst[4];
};

/* The first 8 bytes of IPv6 extension headers that may be skipped (RFC 8200). */
struct l4_ip6_ext {
	uint8_t next_header,
		len; /* in units of 8 bytes, the first not counted; not of a fragment header */
	union {
		struct {
			uint8_t type, segments_left; /* routing header */
		};
		be16 offset; /* fragment header: of 8 bytes in the upper 13 bits; in the lowest: more follow */
	};
	be32 id; /* fragment header */
};

#define L4_IP6_MORE_OR_OFFSET 0xfff9 /* of offset: set in every part of a packet */
#define L4_IP6_OFFSET	      0xfff8 /* of offset: set in all of them but the first */
#define L4_IP6_MORE	      0x0001 /* of offset: set in all of them but the last */

struct l4_tcp {
	be16 sport, dport;
	be32 seq, ack;
	uint8_t offset, flags; /* offset: header words in the upper 4 bits */
	be16 window, checksum, urgent;
};

enum {
	L4_TCP_FIN = 0x01,
	L4_TCP_SYN = 0x02,
	L4_TCP_RST = 0x04,
	L4_TCP_ACK = 0x10,
	L4_TCP_URG = 0x20,
};

struct l4_udp {
	be16 sport, dport, len, checksum;
};

/* RFC 9260, section 3.1. The checksum covers this header and what follows, and no address. */
struct l4_sctp {
	be16 sport, dport;
	be32 tag, checksum;
};

/* ICMP and ICMPv6 echo (RFC 792, RFC 4443). */
struct l4_icmp {
	uint8_t type, code;
	be16 checksum, id, seq;
};

enum {
	L4_ICMP_ECHO_REPLY = 0,
	L4_ICMP_UNREACHABLE = 3,
	L4_ICMP_ECHO = 8,
	L4_ICMP_TIME_EXCEEDED = 11,
	L4_ICMP_PARAMETER = 12,
	L4_ICMP6_UNREACHABLE = 1,
	L4_ICMP6_TOO_BIG = 2,
	L4_ICMP6_TIME_EXCEEDED = 3,
	L4_ICMP6_PARAMETER = 4,
	L4_ICMP6_ECHO = 128,
	L4_ICMP6_ECHO_REPLY = 129,
	L4_ICMP6_NS = 135,
	L4_ICMP6_NA = 136,
};

/* ARP for IPv4 over Ethernet (RFC 826). */
struct l4_arp {
	be16 hardware, protocol;
	uint8_t hardware_len, protocol_len;
	be16 op; /* 1 request, 2 reply */
	uint8_t sender_mac[6];
	be16 sender[2];
	uint8_t target_mac[6];
	be16 target[2];
};

/* Neighbour solicitation and advertisement up to the target (RFC 4861, sections 4.3 and 4.4). */
struct l4_nd {
	uint8_t type, code;
	be16 checksum;
	be32 flags; /* advertisement: router, solicited, override in the upper 3 bits */
	be32 target[4];
};

/* The target link-layer address option that an advertisement carries (RFC 4861, section 4.6.1). */
struct l4_nd_tlla {
	uint8_t type, len; /* 2, 1 */
	uint8_t mac[6];
};

_Static_assert(sizeof(struct l4_eth) == 14 && sizeof(struct l4_vlan) == 4, "no padding");
_Static_assert(sizeof(struct l4_ip4) == 20 && sizeof(struct l4_ip6) == 40, "no padding");
_Static_assert(sizeof(struct l4_ip6_ext) == 8, "no padding");
_Static_assert(sizeof(struct l4_tcp) == 20 && sizeof(struct l4_udp) == 8, "no padding");
_Static_assert(sizeof(struct l4_arp) == 28 && sizeof(struct l4_icmp) == 8, "no padding");
_Static_assert(sizeof(struct l4_nd) == 24 && sizeof(struct l4_nd_tlla) == 8, "no padding");
