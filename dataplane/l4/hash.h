/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hash functions, both published ones: SipHash for what an attacker chooses, a multilinear hash
 * for what the operator chooses. */
#pragma once
#include "dataplane/l4/wire.h"

/* SipHash-c-d (Aumasson and Bernstein, INDOCRYPT 2012) with c = 1, d = 3. */
struct l4_sip {
	uint64_t v0, v1, v2, v3;
};

L4_INLINE uint64_t l4_rotl64(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

L4_INLINE void l4_sip_round(struct l4_sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = l4_rotl64(s->v1, 13) ^ s->v0;
	s->v3 = l4_rotl64(s->v3, 16) ^ s->v2;
	s->v0 = l4_rotl64(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = l4_rotl64(s->v1, 17) ^ s->v2;
	s->v3 = l4_rotl64(s->v3, 21) ^ s->v0;
	s->v2 = l4_rotl64(s->v2, 32);
}

L4_INLINE struct l4_sip l4_sip_init(const uint64_t key[2])
{
	return (struct l4_sip){
		key[0] ^ 0x736f6d6570736575,
		key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261,
		key[1] ^ 0x7465646279746573,
	};
}

/* One message word, little-endian. The last one holds the rest of the message in its low bytes and the
 * message's length modulo 256 in its highest. */
L4_INLINE void l4_sip_word(struct l4_sip *s, uint64_t m)
{
	s->v3 ^= m;
	l4_sip_round(s);
	s->v0 ^= m;
}

L4_INLINE uint64_t l4_sip_end(struct l4_sip *s)
{
	s->v2 ^= 0xff;
	l4_sip_round(s);
	l4_sip_round(s);
	l4_sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast", 2014, section 3):
 * the upper half of k0 + sum of k_i * word_i, in 64 bits. The keys are random and the builder's. */
enum { L4_ML_KEYS = 6 };

/* The part of the sum that an address gives. */
L4_INLINE uint64_t l4_ml_address(const uint64_t k[L4_ML_KEYS], bool is6, const uint32_t a[4])
{
	uint64_t sum = k[1] * a[0];

	if (is6)
		sum += k[2] * a[1] + k[3] * a[2] + k[4] * a[3];
	return sum;
}

/* The whole sum's upper half, never 0, so that 0 can mean "empty". */
L4_INLINE uint32_t l4_ml_end(const uint64_t k[L4_ML_KEYS], uint64_t sum, uint32_t last)
{
	uint32_t h = (uint32_t)((sum + k[0] + k[5] * last) >> 32);

	return h ? h : 1;
}
