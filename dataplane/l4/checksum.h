/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The Internet checksum, kept up incrementally: RFC 1624, equation 3. */
#pragma once
#include "dataplane/l4/wire.h"

/* What a change adds to the sum under a checksum: ~m + m' for each 16-bit word m that became m'. Words are
 * summed as they lie in memory; ones' complement addition does not mind the byte order (RFC 1071). */
typedef uint64_t l4_delta;

L4_INLINE l4_delta l4_delta16(l4_delta d, be16 from, be16 to)
{
	return d + (uint16_t)~from + to;
}

L4_INLINE l4_delta l4_delta32(l4_delta d, uint32_t from, uint32_t to)
{
	return d + (uint32_t)~from + (uint64_t)to;
}

L4_INLINE uint16_t l4_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The checksum after the change. */
L4_INLINE be16 l4_checksum_update(be16 checksum, l4_delta d)
{
	return (be16)~l4_fold((uint16_t)~checksum + d);
}

/* The same for UDP, where 0 means "none" and stays, and a result of 0 is sent as 0xffff (RFC 768). */
L4_INLINE be16 l4_checksum_update_udp(be16 checksum, l4_delta d)
{
	be16 to = l4_checksum_update(checksum, d);

	if (!checksum)
		return 0;
	return to ? to : 0xffff;
}
