// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The server side of tunnels: takes the outer header off what comes from the appliance, refuses every other tunnel to
 * this host, and keeps clients' segments small enough for the way through the tunnel. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "bpf/decap.bpf.h"
#include "dataplane/l4/answer.h"

#define PREFIXES(name, type_)                            \
	struct {                                         \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);     \
		__uint(map_flags, BPF_F_NO_PREALLOC);    \
		__uint(max_entries, DECAP_MAX_PREFIXES); \
		__type(key, struct type_);               \
		__type(value, uint8_t);                  \
	} name SEC(".maps")

#define ADDRESSES(name)                                   \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_HASH);          \
		__uint(max_entries, DECAP_MAX_ADDRESSES); \
		__type(key, struct decap_address);        \
		__type(value, uint8_t);                   \
	} name SEC(".maps")

PREFIXES(from4, decap_prefix4);
PREFIXES(from6, decap_prefix6);
ADDRESSES(vips);
ADDRESSES(locals); /* of this host: where tunnels are none of ours, they pass */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct decap_settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DECAP_COUNTERS_MAX);
	__type(key, uint32_t);
	__type(value, uint64_t);
} counters SEC(".maps");

enum { ECN_MASK = 3, ECN_NONE = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };
enum { ECN_AT6 = 20 }; /* in the first word of an IPv6 header */

static __always_inline void count(enum decap_counter which)
{
	uint32_t row = which;
	uint64_t *n = bpf_map_lookup_elem(&counters, &row);

	if (n)
		++*n;
}

static __always_inline bool has4(void *map, uint32_t address)
{
	struct decap_address key = { { address }, 0 };

	return bpf_map_lookup_elem(map, &key);
}

static __always_inline bool has6(void *map, const be32 address[4])
{
	struct decap_address key = { { address[0], address[1], address[2], address[3] }, 1 };

	return bpf_map_lookup_elem(map, &key);
}

static __always_inline bool is_tunnel(uint8_t protocol)
{
	return protocol == L4_PROTO_IP4 || protocol == L4_PROTO_IP6;
}

/* Whether the UDP packet at `at` is a tunnel. */
static __always_inline bool is_gue(const struct l4_frame *f, uint32_t at)
{
	uint32_t zero = 0;
	const struct decap_settings *s = bpf_map_lookup_elem(&settings, &zero);
	const struct l4_udp *u = l4_at(f, at, sizeof *u);

	return s && u && s->gue_port && u->dport == L4_BE16(s->gue_port);
}

/* The protocol behind the extension headers of an IPv6 packet, fragments' too; a tunnel where they are too many. */
static __always_inline uint8_t protocol6(const struct l4_frame *f, uint32_t off, uint8_t next)
{
#pragma GCC unroll 7
	for (int i = 0; i <= L4_MAX_EXTENSIONS; i++) {
		const struct l4_ip6_ext *ext;

		if (next != L4_PROTO_HOPOPTS && next != L4_PROTO_DSTOPTS &&
			next != L4_PROTO_ROUTING && next != L4_PROTO_FRAGMENT)
			return next;
		ext = l4_at(f, off, sizeof *ext);
		if (!ext)
			return next;
		off += next == L4_PROTO_FRAGMENT ? 8 : (ext->len + 1u) * 8u;
		next = ext->next_header;
	}
	return L4_PROTO_IP6;
}

/* The ECN field of the packet that was inside (RFC 6040, section 4.2); -1: it must be dropped. */
static __always_inline int ecn_out(uint8_t outer, uint8_t inner)
{
	if (inner == ECN_NONE)
		return outer == ECN_CE ? -1 : ECN_NONE;
	if (outer == ECN_CE)
		return ECN_CE;
	return inner == ECN_ECT0 && outer == ECN_ECT1 ? ECN_ECT1 : inner;
}

/* A tunnel as its outer headers describe it. */
struct tunnel {
	uint32_t room; /* bytes of these */
	uint32_t left; /* bytes behind them, by what they say */
	uint8_t protocol, ecn;
};

/* Reads the outer header: UNWRAPPED as far as that goes, else why not. */
static __always_inline enum decap_counter outer4(
	const struct l4_frame *f, uint32_t l3, struct tunnel *t)
{
	const struct l4_ip4 *ip = l4_at(f, l3, sizeof *ip);
	struct decap_prefix4 from = { 32, { 0 } };
	uint32_t len;

	if (!ip)
		return DECAP_PASSED;
	from.words[0] = ip->src;
	if (!bpf_map_lookup_elem(&from4, &from))
		return DECAP_REFUSED_SOURCE;
	if (ip->version_ihl != 0x45 || ip->frag & L4_BE16(L4_IP4_MORE_OR_OFFSET))
		return DECAP_REFUSED_KIND;
	len = __builtin_bswap16(ip->total_len);
	if (len < sizeof *ip || l3 + len > f->len)
		return DECAP_REFUSED_INNER;
	t->room = sizeof *ip;
	t->left = len - (uint32_t)sizeof *ip;
	t->protocol = ip->protocol;
	t->ecn = ip->tos & ECN_MASK;
	return DECAP_UNWRAPPED;
}

static __always_inline enum decap_counter outer6(
	const struct l4_frame *f, uint32_t l3, struct tunnel *t)
{
	const struct l4_ip6 *ip = l4_at(f, l3, sizeof *ip);
	struct decap_prefix6 from = { 128, { 0 } };

	if (!ip)
		return DECAP_PASSED;
	for (int i = 0; i < 4; i++)
		from.words[i] = ip->src[i];
	if (!bpf_map_lookup_elem(&from6, &from))
		return DECAP_REFUSED_SOURCE;
	t->room = sizeof *ip;
	t->left = __builtin_bswap16(ip->payload_len);
	t->protocol = ip->next_header;
	t->ecn = __builtin_bswap32(ip->version_class_label) >> ECN_AT6 & ECN_MASK;
	return l3 + sizeof *ip + t->left > f->len ? DECAP_REFUSED_INNER : DECAP_UNWRAPPED;
}

/* Reads the UDP header of a GUE tunnel, variant 1 (draft-ietf-intarea-gue, section 4): the packet inside says by its first
 * bits what it is. Ours have no checksum. */
static __always_inline enum decap_counter outer_gue(
	const struct l4_frame *f, uint32_t l3, struct tunnel *t)
{
	const struct l4_udp *u = l4_at(f, l3 + t->room, sizeof *u);
	const uint8_t *inner = l4_at(f, l3 + t->room + sizeof *u, 1);
	uint32_t len;

	if (!u || !inner)
		return DECAP_REFUSED_INNER;
	len = __builtin_bswap16(u->len);
	if (len < sizeof *u || len > t->left)
		return DECAP_REFUSED_INNER;
	if (u->checksum || (*inner >> 4 != 4 && *inner >> 4 != 6))
		return DECAP_REFUSED_KIND;
	t->protocol = *inner >> 4 == 6 ? L4_PROTO_IP6 : L4_PROTO_IP4;
	t->room += sizeof *u;
	t->left = len - (uint32_t)sizeof *u;
	return DECAP_UNWRAPPED;
}

/* Whether the packet at `at` may come out, and with the ECN field that it is to have; else why not. */
static __always_inline enum decap_counter inner4(
	const struct l4_frame *f, uint32_t at, const struct tunnel *t)
{
	struct l4_ip4 *ip = l4_at(f, at, sizeof *ip);
	uint32_t len;
	be16 was, is;
	int ecn;

	if (!ip || ip->version_ihl >> 4 != 4)
		return DECAP_REFUSED_INNER;
	len = __builtin_bswap16(ip->total_len);
	if (len < sizeof *ip || len > t->left || !has4(&vips, ip->dst))
		return DECAP_REFUSED_INNER;
	ecn = ecn_out(t->ecn, ip->tos & ECN_MASK);
	if (ecn < 0)
		return DECAP_REFUSED_ECN;
	__builtin_memcpy(&was, ip, sizeof was);
	ip->tos = (uint8_t)((ip->tos & ~ECN_MASK) | ecn);
	__builtin_memcpy(&is, ip, sizeof is);
	ip->checksum = l4_checksum_update(ip->checksum, l4_delta16(0, was, is));
	return DECAP_UNWRAPPED;
}

static __always_inline enum decap_counter inner6(
	const struct l4_frame *f, uint32_t at, const struct tunnel *t)
{
	struct l4_ip6 *ip = l4_at(f, at, sizeof *ip);
	uint32_t first;
	int ecn;

	if (!ip)
		return DECAP_REFUSED_INNER;
	first = __builtin_bswap32(ip->version_class_label);
	if (first >> 28 != 6 || sizeof *ip + __builtin_bswap16(ip->payload_len) > t->left ||
		!has6(&vips, ip->dst))
		return DECAP_REFUSED_INNER;
	ecn = ecn_out(t->ecn, first >> ECN_AT6 & ECN_MASK);
	if (ecn < 0)
		return DECAP_REFUSED_ECN;
	first = (first & ~((uint32_t)ECN_MASK << ECN_AT6)) | (uint32_t)ecn << ECN_AT6;
	ip->version_class_label = __builtin_bswap32(first);
	return DECAP_UNWRAPPED;
}

/* Whether the tunnel is to be unwrapped; else why not. */
static __always_inline enum decap_counter judge(
	const struct l4_frame *f, uint32_t l3, bool is6, struct tunnel *t)
{
	enum decap_counter v = is6 ? outer6(f, l3, t) : outer4(f, l3, t);

	if (v == DECAP_UNWRAPPED && t->protocol == L4_PROTO_UDP)
		v = outer_gue(f, l3, t);
	if (v != DECAP_UNWRAPPED)
		return v;
	switch (t->protocol) {
	case L4_PROTO_IP4:
		return inner4(f, l3 + t->room, t);
	case L4_PROTO_IP6:
		return inner6(f, l3 + t->room, t);
	default:
		return DECAP_REFUSED_KIND;
	}
}

/* Takes `room` bytes out behind the Ethernet header and its tags, which move up to the packet and learn its type. */
static __always_inline bool strip(
	struct xdp_md *ctx, const struct l4_frame *f, uint32_t l3, uint32_t room, uint16_t type)
{
	enum { WORDS = (sizeof(struct l4_eth) + L4_MAX_TAGS * sizeof(struct l4_vlan)) / 2 };

#pragma GCC unroll 11
	for (int i = WORDS - 1; i >= 0; i--) {
		const be16 *from = l4_at(f, (uint32_t)i * 2, sizeof *from);
		be16 *to = l4_at(f, (uint32_t)i * 2 + room, sizeof *to);

		if ((uint32_t)i * 2 >= l3)
			continue;
		if (!from || !to)
			return false;
		*to = (uint32_t)i * 2 + sizeof type == l3 ? L4_BE16(type) : *from;
	}
	return !bpf_xdp_adjust_head(ctx, (int)room);
}

static __always_inline bool is_ours4(const struct l4_frame *f, uint32_t l3)
{
	const struct l4_ip4 *ip = l4_at(f, l3, sizeof *ip);

	if (!ip || !has4(&locals, ip->dst))
		return false;
	if (ip->protocol == L4_PROTO_UDP && !(ip->frag & L4_BE16(L4_IP4_OFFSET)))
		return is_gue(f, l3 + (ip->version_ihl & 15) * 4u);
	return is_tunnel(ip->protocol);
}

static __always_inline bool is_ours6(const struct l4_frame *f, uint32_t l3)
{
	const struct l4_ip6 *ip = l4_at(f, l3, sizeof *ip);

	if (!ip || !has6(&locals, ip->dst))
		return false;
	if (ip->next_header == L4_PROTO_UDP)
		return is_gue(f, l3 + sizeof *ip);
	return is_tunnel(protocol6(f, l3 + sizeof *ip, ip->next_header));
}

SEC("xdp")
int decap(struct xdp_md *ctx)
{
	struct l4_frame f = { (uint8_t *)(long)ctx->data, (uint8_t *)(long)ctx->data_end, 0 };
	enum decap_counter v = DECAP_PASSED;
	struct tunnel t = { 0 };
	struct l4_packet p;
	bool is6;

	f.len = (uint32_t)(f.end - f.data);
	if (!l4_parse_link(&f, &p))
		return XDP_PASS;
	is6 = p.ethertype == L4_ETH_IP6;
	if ((p.ethertype == L4_ETH_IP4 && is_ours4(&f, p.l3)) || (is6 && is_ours6(&f, p.l3)))
		v = judge(&f, p.l3, is6, &t);
	count(v);
	if (v == DECAP_PASSED)
		return XDP_PASS;
	if (v != DECAP_UNWRAPPED)
		return XDP_DROP;
	return strip(ctx, &f, p.l3, t.room, t.protocol == L4_PROTO_IP6 ? L4_ETH_IP6 : L4_ETH_IP4)
		       ? XDP_PASS
		       : XDP_ABORTED;
}

enum { TCP_SYN_ACK = 0x12, TCP_OPTIONS_MAX = 40, OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2 };

/* Where among the segment's options the value of the MSS is, or 0. Options are walked by counting bytes, so that the
 * verifier sees fixed offsets. */
static __always_inline uint32_t find_mss(const struct l4_frame *f, uint32_t options, uint32_t n)
{
	uint32_t skip = 0;

	for (uint32_t i = 0; i + 4 <= TCP_OPTIONS_MAX; i++) {
		const uint8_t *o = l4_at(f, options + i, 2);

		if (!o || i + 4 > n || (!skip && o[0] == OPTION_END))
			return 0;
		if (skip) {
			skip--;
			continue;
		}
		if (o[0] == OPTION_NOP)
			continue;
		if (o[0] == OPTION_MSS && o[1] == 4)
			return i + 2;
		if (o[1] < 2)
			return 0;
		skip = o[1] - 1;
	}
	return 0;
}

/* A checksum that is not there yet, but left to the device, does not cover options so far: the helper knows. The value's
 * bytes change places in the sum where it begins at an odd byte (RFC 1071). */
static __always_inline void put_mss(
	struct __sk_buff *skb, uint32_t l4, uint32_t at, uint16_t was, uint16_t is)
{
	bool odd = at & 1;

	bpf_l4_csum_replace(skb, l4 + offsetof(struct l4_tcp, checksum),
		odd ? __builtin_bswap16(was) : was, odd ? __builtin_bswap16(is) : is, sizeof is);
	bpf_skb_store_bytes(skb, l4 + sizeof(struct l4_tcp) + at, &is, sizeof is, 0);
	count(DECAP_CLAMPED);
}

static __always_inline void clamp_tcp(
	struct __sk_buff *skb, const struct l4_frame *f, uint32_t l4, uint16_t most)
{
	const struct l4_tcp *tcp = l4_at(f, l4, sizeof *tcp);
	uint32_t at;
	be16 *mss;

	if (!most || !tcp || (tcp->flags & TCP_SYN_ACK) != TCP_SYN_ACK)
		return;
	at = find_mss(f, l4 + sizeof *tcp, (tcp->offset >> 4) * 4u - sizeof *tcp);
	if (!at)
		return;
	mss = l4_at(f, l4 + sizeof *tcp + (at & 63), sizeof *mss);
	if (mss && __builtin_bswap16(*mss) > most)
		put_mss(skb, l4, at, *mss, L4_BE16(most));
}

SEC("tc")
int clamp(struct __sk_buff *skb)
{
	struct l4_frame f = { (uint8_t *)(long)skb->data, (uint8_t *)(long)skb->data_end, 0 };
	uint32_t zero = 0;
	const struct decap_settings *s = bpf_map_lookup_elem(&settings, &zero);
	const struct l4_ip4 *ip4;
	const struct l4_ip6 *ip6;
	struct l4_packet p;

	f.len = (uint32_t)(f.end - f.data);
	if (!s || !l4_parse_link(&f, &p))
		return TC_ACT_UNSPEC;
	ip4 = l4_at(&f, p.l3, sizeof *ip4);
	ip6 = l4_at(&f, p.l3, sizeof *ip6);
	if (p.ethertype == L4_ETH_IP4 && ip4 && ip4->protocol == L4_PROTO_TCP &&
		!(ip4->frag & L4_BE16(L4_IP4_MORE_OR_OFFSET)) && has4(&vips, ip4->src))
		clamp_tcp(skb, &f, p.l3 + (ip4->version_ihl & 15) * 4u, s->mss4);
	else if (p.ethertype == L4_ETH_IP6 && ip6 && ip6->next_header == L4_PROTO_TCP &&
		 has6(&vips, ip6->src))
		clamp_tcp(skb, &f, p.l3 + sizeof *ip6, s->mss6);
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "Dual BSD/GPL";
