/* SPDX-License-Identifier: BSD-2-Clause */
/* Four flows to a vector: a lane does what l4_sip_round() does. The compiler makes of this what it can under each target: a rotation
 * is one instruction with AVX-512VL, three before. Vectors stay at 256 bits, which slow no processor down. */
#include "dataplane/dpdk/flow_hashes.h"

typedef uint64_t lanes __attribute__((vector_size(8 * FLOW_HASHES_LANES), may_alias));

struct sip_lanes {
	lanes v0, v1, v2, v3;
};

#define ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

L4_INLINE void round_of(struct sip_lanes *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = ROTATE(s->v1, 13) ^ s->v0;
	s->v3 = ROTATE(s->v3, 16) ^ s->v2;
	s->v0 = ROTATE(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = ROTATE(s->v1, 17) ^ s->v2;
	s->v3 = ROTATE(s->v3, 21) ^ s->v0;
	s->v2 = ROTATE(s->v2, 32);
}

L4_INLINE void word_of(struct sip_lanes *s, const uint64_t words[FLOW_HASHES_LANES])
{
	const lanes *m = (const lanes *)words;

	s->v3 ^= *m;
	round_of(s);
	s->v0 ^= *m;
}

L4_INLINE void begin_all(struct sip_lanes *s, const uint64_t key[2])
{
	const struct l4_sip begin = l4_sip_init(key);

	for (unsigned i = 0; i < FLOW_HASHES_LANES; i++) {
		s->v0[i] = begin.v0;
		s->v1[i] = begin.v1;
		s->v2[i] = begin.v2;
		s->v3[i] = begin.v3;
	}
}

L4_INLINE void make_family(const struct flow_hashes *h, const struct sip_lanes *begin,
	unsigned words, unsigned n, uint64_t *hash)
{
	for (unsigned i = 0; i < n; i += FLOW_HASHES_LANES) {
		struct sip_lanes s = *begin;

		for (unsigned k = 0; k < words; k++)
			word_of(&s, &h->words[k][i]);
		s.v2 ^= 0xff;
		round_of(&s);
		round_of(&s);
		round_of(&s);
		*(lanes *)(hash + i) = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	}
}

L4_INLINE void make_all(struct flow_hashes *h, const uint64_t key[2], unsigned n)
{
	struct sip_lanes begin;

	begin_all(&begin, key);
	if (h->has4)
		make_family(h, &begin, L4_FLOW_WORDS4, n, h->hash4);
	if (h->has6)
		make_family(h, &begin, L4_FLOW_WORDS6, n, h->hash6);
}

static void make_plain(struct flow_hashes *h, const uint64_t key[2], unsigned n)
{
	make_all(h, key, n);
}

#ifdef __x86_64__
__attribute__((target("avx512vl"))) static void make_avx512vl(
	struct flow_hashes *h, const uint64_t key[2], unsigned n)
{
	make_all(h, key, n);
}

__attribute__((target("avx2"))) static void make_avx2(
	struct flow_hashes *h, const uint64_t key[2], unsigned n)
{
	make_all(h, key, n);
}
#endif

const struct flow_hashes_way flow_hashes_ways[] = {
#ifdef __x86_64__
	{ "avx512vl", make_avx512vl },
	{ "avx2", make_avx2 },
#endif
	{ "plain", make_plain },
	{ NULL, NULL },
};

bool flow_hashes_can(const struct flow_hashes_way *way)
{
#ifdef __x86_64__
	if (way->make == make_avx512vl)
		return __builtin_cpu_supports("avx512vl");
	if (way->make == make_avx2)
		return __builtin_cpu_supports("avx2");
#endif
	return way->make == make_plain;
}

flow_hashes_fn *flow_hashes_best(void)
{
	const struct flow_hashes_way *way = flow_hashes_ways;

	while (!flow_hashes_can(way))
		way++;
	return way->make;
}
