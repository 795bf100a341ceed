/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the filters keep a prefix: the same for who fills them and who asks them (tables.h). */
#pragma once
#include "dataplane/l4/tables.h"

/* Multiplications (Knuth, The Art of Computer Programming, volume 3, section 6.4) of the first `bits` bits of an address that
 * begins at the highest one: their highest bits count. Whoever finds a collision makes his packets dearer, and changes
 * nothing of what becomes of them. */

/* Of a stem: which line of the fine table. */
L4_INLINE uint64_t l4_stem_hash(uint64_t first, uint32_t bits)
{
	return (first >> (64 - bits)) * 0x9e3779b97f4a7c15;
}

/* Of a prefix: which bits of the fine table. */
L4_INLINE uint64_t l4_prefix_hash(uint64_t first, uint32_t bits)
{
	return (first >> (64 - bits)) * 0xff51afd7ed558ccd;
}

/* Where the coarse filter keeps what it knows of a stem: a binary fuse filter (Graf and Lemire, Binary Fuse Filters: Fast and
 * Smaller Than Xor Filters, 2022), whose windows begin anywhere. The entries of a stem, exclusive-ored with each other and
 * with the lowest byte of `check`, give what is kept; of any other stem they give anything. */
struct l4_coarse_place {
	uint32_t first; /* entry, less than `starts` */
	uint32_t second, third;
	uint32_t check;
};

/* stem: the first bits of an address. starts: in how many places a window may begin. window: one less than its entries. */
L4_INLINE struct l4_coarse_place l4_coarse_place(
	uint64_t stem, uint32_t seed, uint32_t starts, uint32_t window)
{
	uint64_t hash = (stem ^ seed) * 0x9e3779b97f4a7c15;
	struct l4_coarse_place p;

	hash = (hash ^ hash >> 32) * 0xff51afd7ed558ccd;
	p.check = (uint32_t)(hash >> 32);
	p.first = (uint32_t)((uint64_t)p.check * starts >> 32);
	p.second = p.first + ((uint32_t)hash & window);
	p.third = p.second + ((uint32_t)hash >> 16 & window);
	return p;
}

/* What is kept of a stem: that there is a prefix of it, or where behind it the only one begins. */
enum { L4_COARSE_ANY = 0 };

/* A long IPv4 prefix: the bits behind its stem, counted from 1. */
L4_INLINE uint32_t l4_coarse_rest4(uint64_t first)
{
	return ((uint32_t)(first >> (64 - L4_STEM4_LONG_BITS)) & 0xf) + 1;
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
