/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* SYN cookies (D. J. Bernstein, 1996; RFC 4987, section 3.6): an initial sequence number that says what the client's SYN
 * said, so that nothing need be kept until the client has shown, by acknowledging it, that it is where it claims to be.
 *
 * The upper 24 bits are SipHash-1-3 of flow, client's initial sequence number and period; the lower ones are, from the lowest
 * on, mss:2 sack:1 scale:4 period:1. A cookie is good in the period in which it was made and in the next. */
#pragma once
#include "dataplane/l4/flow.h"
#include "dataplane/l4/limit.h"

/* Coarse time shifted by this is the period: 69 seconds. */
enum { L4_COOKIE_PERIOD_SHIFT = 6, L4_COOKIE_PERIODS = 1 << (16 - L4_COOKIE_PERIOD_SHIFT) };

/* As a window scale: the client does not scale windows (RFC 7323, section 2). */
enum { L4_TCP_UNSCALED = 15, L4_TCP_MAX_SCALE = 14 };

/* What a SYN says of its sender. */
struct l4_syn {
	uint16_t mss;  /* largest segment that it takes */
	uint8_t scale; /* of its windows, or L4_TCP_UNSCALED */
	bool sack;     /* it takes selective acknowledgements */
};

enum {
	L4_COOKIE_MSS = 3,
	L4_COOKIE_SACK = 1 << 2,
	L4_COOKIE_SCALE_AT = 3,
	L4_COOKIE_ODD = 1 << 7, /* the period's lowest bit */
	L4_COOKIE_SAYS = 0xff,
};

/* The sizes of segments that a cookie can tell: the smallest, those of common tunnels, and that of Ethernet; of IPv6 that of jumbo
 * frames as well. */
L4_INLINE uint16_t l4_cookie_mss(bool is6, uint32_t index)
{
	switch (index & L4_COOKIE_MSS) {
	case 0:
		return is6 ? 1220 : 536;
	case 1:
		return is6 ? 1420 : 1300;
	case 2:
		return 1440;
	default:
		return is6 ? 8940 : 1460;
	}
}

/* The largest of them that is no larger than `mss`, if one is. */
L4_INLINE uint32_t l4_cookie_mss_index(bool is6, uint16_t mss)
{
	uint32_t index = 0;

#pragma GCC unroll 3
	for (uint32_t i = 1; i <= L4_COOKIE_MSS; i++)
		if (mss >= l4_cookie_mss(is6, i))
			index = i;
	return index;
}

/* Over the bytes src, dst, sport, dport in network order, isn, period, protocol in host order: 19 for IPv4, 43 for IPv6, lengths that no other message has
 * (flow.h). */
L4_INLINE uint32_t l4_cookie_hash(
	const uint64_t key[2], const struct l4_flow *f, uint32_t isn, uint32_t period)
{
	struct l4_sip s = l4_sip_init(key);
	uint64_t last = period | (uint64_t)f->protocol << 16;

	if (f->is6) {
		l4_sip_word(&s, (uint64_t)f->src[1] << 32 | f->src[0]);
		l4_sip_word(&s, (uint64_t)f->src[3] << 32 | f->src[2]);
		l4_sip_word(&s, (uint64_t)f->dst[1] << 32 | f->dst[0]);
		l4_sip_word(&s, (uint64_t)f->dst[3] << 32 | f->dst[2]);
	} else {
		l4_sip_word(&s, (uint64_t)f->dst[0] << 32 | f->src[0]);
	}
	l4_sip_word(&s, (uint64_t)isn << 32 | (uint32_t)f->dport << 16 | f->sport);
	l4_sip_word(&s, (f->is6 ? 43ull : 19ull) << 56 | last);
	return (uint32_t)(l4_sip_end(&s) >> 32) & ~(uint32_t)L4_COOKIE_SAYS;
}

/* The cookie for a SYN of the flow with this sequence number, host order, that says *syn. */
L4_INLINE uint32_t l4_cookie_make(const uint64_t key[2], const struct l4_flow *f, uint32_t isn,
	const struct l4_syn *syn, uint16_t now)
{
	uint32_t period = now >> L4_COOKIE_PERIOD_SHIFT;

	return l4_cookie_hash(key, f, isn, period) | l4_cookie_mss_index(f->is6, syn->mss) |
	       (syn->sack ? L4_COOKIE_SACK : 0) | (uint32_t)syn->scale << L4_COOKIE_SCALE_AT |
	       (period & 1 ? L4_COOKIE_ODD : 0);
}

/* Whether that is a cookie for such a SYN, and still good. */
L4_INLINE bool l4_cookie_is_good(
	const uint64_t key[2], const struct l4_flow *f, uint32_t isn, uint32_t cookie, uint16_t now)
{
	uint32_t period = now >> L4_COOKIE_PERIOD_SHIFT;

	if (!(cookie & L4_COOKIE_ODD) != !(period & 1))
		period = (period - 1) & (L4_COOKIE_PERIODS - 1);
	return !((l4_cookie_hash(key, f, isn, period) ^ cookie) & ~(uint32_t)L4_COOKIE_SAYS);
}

/* What the SYN had said. */
L4_INLINE struct l4_syn l4_cookie_says(bool is6, uint32_t cookie)
{
	return (struct l4_syn){
		l4_cookie_mss(is6, cookie),
		cookie >> L4_COOKIE_SCALE_AT & 15,
		cookie & L4_COOKIE_SACK,
	};
}
