/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the filters keep a prefix: the same for who fills them and who asks them (tables.h). */
#pragma once
#include "dataplane/l4/tables.h"

/* MurmurHash3's finalizer, of the first `bits` bits of an address that begins at the highest one. Whoever finds a collision
 * makes his packets dearer, and changes nothing of what becomes of them. */
L4_INLINE uint64_t l4_filter_hash(uint64_t first, uint32_t bits)
{
	uint64_t h = (first & ~0ull << (64 - bits)) + bits;

	h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

/* The number of a stem in the coarse table: that of an IPv4 one is itself, others are hashed by multiplication (Knuth,
 * The Art of Computer Programming, volume 3, section 6.4), which is soon done. */
L4_INLINE uint32_t l4_filter_coarse4(uint64_t first)
{
	return (uint32_t)(first >> (64 - L4_STEM4_BITS));
}

L4_INLINE uint32_t l4_filter_coarse6(uint64_t first, uint32_t bits, uint32_t shift)
{
	return (uint32_t)((first & ~0ull << (64 - bits)) * 0x9e3779b97f4a7c15 >> shift);
}

/* A prefix has two bits in each of three words of its line, which may be the same ones. */
enum { L4_FILTER_WORDS = 3 };

L4_INLINE uint32_t l4_filter_word(uint64_t hash, int i)
{
	return (uint32_t)(hash >> (48 + 3 * i)) & 7;
}

L4_INLINE uint64_t l4_filter_bits(uint64_t hash, int i)
{
	return 1ull << (hash >> 12 * i & 63) | 1ull << (hash >> (12 * i + 6) & 63);
}
