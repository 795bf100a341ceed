/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A flow's canonical key and its hash. */
#pragma once
#include "dataplane/l4/hash.h"

/* Addresses and ports in network order as the client's packets have them; IPv4 in the first word, the
 * others zero. */
struct l4_flow {
	uint32_t src[4], dst[4];
	uint16_t sport, dport;
	uint8_t protocol;
	bool is6;
};

/* The message of a flow's hash, in words: how many there are, and how many bytes they hold. */
enum { L4_FLOW_WORDS4 = 2, L4_FLOW_WORDS6 = 5, L4_FLOW_BYTES4 = 13, L4_FLOW_BYTES6 = 37 };

L4_INLINE uint64_t l4_flow_first4(const struct l4_flow *f)
{
	return (uint64_t)f->dst[0] << 32 | f->src[0];
}

/* Word i of the first four of IPv6. */
L4_INLINE uint64_t l4_flow_word6(const struct l4_flow *f, unsigned i)
{
	const uint32_t *side = i < 2 ? f->src : f->dst;

	return (uint64_t)side[i % 2 * 2 + 1] << 32 | side[i % 2 * 2];
}

/* bytes: of the whole. */
L4_INLINE uint64_t l4_flow_last(const struct l4_flow *f, uint32_t bytes)
{
	return (uint64_t)bytes << 56 | (uint64_t)f->protocol << 32 | (uint32_t)f->dport << 16 |
	       f->sport;
}

/* SipHash-1-3 over the bytes src, dst, sport, dport, protocol in network order: 13 for IPv4, 37 for IPv6.
 * One 64-bit result serves slot (low bits), and record bucket and fingerprint (high bits). */
L4_INLINE uint64_t l4_flow_hash(const uint64_t key[2], const struct l4_flow *f)
{
	struct l4_sip s = l4_sip_init(key);

	if (f->is6) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < L4_FLOW_WORDS6 - 1; i++)
			l4_sip_word(&s, l4_flow_word6(f, i));
		l4_sip_word(&s, l4_flow_last(f, L4_FLOW_BYTES6));
	} else {
		l4_sip_word(&s, l4_flow_first4(f));
		l4_sip_word(&s, l4_flow_last(f, L4_FLOW_BYTES4));
	}
	return l4_sip_end(&s);
}

/* The hash of a client, for services that keep a client on one server: the same construction over the source
 * address and the pool's id, 6 bytes for IPv4, 18 for IPv6. */
L4_INLINE uint64_t l4_client_hash(const uint64_t key[2], const struct l4_flow *f, uint16_t pool)
{
	struct l4_sip s = l4_sip_init(key);

	if (f->is6) {
		l4_sip_word(&s, (uint64_t)f->src[1] << 32 | f->src[0]);
		l4_sip_word(&s, (uint64_t)f->src[3] << 32 | f->src[2]);
		l4_sip_word(&s, 18ull << 56 | pool);
	} else {
		l4_sip_word(&s, 6ull << 56 | (uint64_t)pool << 32 | f->src[0]);
	}
	return l4_sip_end(&s);
}
