/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How the filter of IPv6 sources is found: the same for who fills it and who asks it (tables.h). */
#pragma once
#include "dataplane/l4/wire.h"

/* MurmurHash3's finalizer, of the first `bits` bits of an address. Whoever finds a collision makes his packets
 * dearer, and changes nothing of what becomes of them. */
L4_INLINE uint64_t l4_filter_hash(uint64_t high, uint32_t bits)
{
	uint64_t h = high >> (64 - bits) ^ (uint64_t)bits << 58;

	h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

/* The bits of a hash in its word. */
L4_INLINE uint64_t l4_filter_bits(uint64_t hash)
{
	return 1ull << (hash & 63) | 1ull << (hash >> 6 & 63);
}

L4_INLINE uint32_t l4_filter_word(uint64_t hash, uint32_t mask)
{
	return (uint32_t)(hash >> 12) & mask;
}
