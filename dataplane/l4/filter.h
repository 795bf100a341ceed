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

/* Of a prefix: which bits of the fine table. */
L4_INLINE uint64_t l4_prefix_hash(uint64_t first, uint32_t bits)
{
	return (first >> (64 - bits)) * 0xff51afd7ed558ccd;
}

/* Which of n words of the coarse table is a stem's. */
L4_INLINE uint32_t l4_coarse_word(uint64_t stem_hash, uint32_t n)
{
	return (uint32_t)((stem_hash >> 32) * n >> 32);
}

/* Which bits of a word a prefix sets: four, that lie ready, since every packet would have to gather them (bit patterns: Putze,
 * Sanders and Singler, Cache-, Hash- and Space-Efficient Bloom Filters). */
#define L4_PATTERN_HASH(n) (((n) + 1ull) * 0xff51afd7ed558ccd)
#define L4_PATTERN(n)                                                                   \
	(1ull << (L4_PATTERN_HASH(n) >> 58) | 1ull << (L4_PATTERN_HASH(n) >> 52 & 63) | \
		1ull << (L4_PATTERN_HASH(n) >> 46 & 63) | 1ull << (L4_PATTERN_HASH(n) >> 40 & 63))
#define L4_PATTERNS_4(n) \
	L4_PATTERN(n), L4_PATTERN((n) + 1), L4_PATTERN((n) + 2), L4_PATTERN((n) + 3)
#define L4_PATTERNS_16(n) \
	L4_PATTERNS_4(n), L4_PATTERNS_4((n) + 4), L4_PATTERNS_4((n) + 8), L4_PATTERNS_4((n) + 12)
#define L4_PATTERNS_64(n)                                                      \
	L4_PATTERNS_16(n), L4_PATTERNS_16((n) + 16), L4_PATTERNS_16((n) + 32), \
		L4_PATTERNS_16((n) + 48)
#define L4_PATTERNS_256(n)                                                      \
	L4_PATTERNS_64(n), L4_PATTERNS_64((n) + 64), L4_PATTERNS_64((n) + 128), \
		L4_PATTERNS_64((n) + 192)

enum { L4_N_PATTERNS = 1024 };

static const uint64_t l4_patterns[L4_N_PATTERNS] = { L4_PATTERNS_256(0), L4_PATTERNS_256(256),
	L4_PATTERNS_256(512), L4_PATTERNS_256(768) };

/* By bits of the stem's hash that do not say which word it is, and by what else tells prefixes with that stem apart. A sum, since
 * Linux 6.1 does not know the bounds of an exclusive or. */
L4_INLINE uint64_t l4_coarse_bits(uint64_t stem_hash, uint32_t rest)
{
	return l4_patterns[((stem_hash >> 20) + rest) & (L4_N_PATTERNS - 1)];
}

/* Of a long IPv4 prefix: the bits behind its stem, and one that shorter ones do not have. */
L4_INLINE uint32_t l4_coarse_rest4(uint64_t first)
{
	return ((uint32_t)(first >> (64 - L4_STEM4_LONG_BITS)) & 0xf) | 0x10;
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
