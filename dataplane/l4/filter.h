/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the filters keep a prefix: the same for who fills them and who asks them (tables.h). */
#pragma once
#include "dataplane/l4/tables.h"

/* Multiplications (Knuth, The Art of Computer Programming, volume 3, section 6.4) of the first `bits` bits of an address that
 * begins at the highest one: their highest bits count. Whoever finds a collision makes his packets dearer, and changes
 * nothing of what becomes of them. */

/* Of a stem: which word or line. */
L4_INLINE uint64_t l4_stem_hash(uint64_t first, uint32_t bits)
{
	return (first >> (64 - bits)) * 0x9e3779b97f4a7c15;
}

/* Of a prefix: which bits there. */
L4_INLINE uint64_t l4_prefix_hash(uint64_t first, uint32_t bits)
{
	return (first >> (64 - bits)) * 0xff51afd7ed558ccd;
}

/* Which of n words of the coarse table is a stem's. */
L4_INLINE uint32_t l4_coarse_word(uint64_t stem_hash, uint32_t n)
{
	return (uint32_t)((stem_hash >> 32) * n >> 32);
}

/* Three bits of a word. */
L4_INLINE uint64_t l4_coarse_bits(uint64_t hash)
{
	return 1ull << (hash >> 58) | 1ull << (hash >> 52 & 63) | 1ull << (hash >> 46 & 63);
}

/* What an IPv4 prefix sets in its word by its stem, and beside that by l4_coarse_bits() of its own hash. Which word it is says
 * the upper end of the stem's hash: these are other bits, and are taken where they stand, since compilers make another
 * multiplication of shifting them up. */
L4_INLINE uint64_t l4_coarse_stem_bits(uint64_t stem_hash)
{
	return 1ull << (stem_hash >> 40 & 63) | 1ull << (stem_hash >> 34 & 63) |
	       1ull << (stem_hash >> 28 & 63);
}

/* What an IPv6 prefix sets in its word, which is its stem's alone. */
L4_INLINE uint64_t l4_coarse_bits6(uint64_t hash)
{
	return l4_coarse_bits(hash) | 1ull << (hash >> 40 & 63);
}

/* In the fine table it has two bits in each of three words of its line, which may be the same ones. */
enum { L4_FILTER_WORDS = 3 };

L4_INLINE uint32_t l4_filter_word(uint64_t hash, int i)
{
	return (uint32_t)(hash >> (61 - 3 * i)) & 7;
}

L4_INLINE uint64_t l4_filter_bits(uint64_t hash, int i)
{
	return 1ull << (hash >> (49 - 12 * i) & 63) | 1ull << (hash >> (43 - 12 * i) & 63);
}
