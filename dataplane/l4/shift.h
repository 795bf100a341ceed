/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sequence numbers of a TCP segment in flight, moved by a constant, and its checksum kept up. */
#pragma once
#include "dataplane/l4/checksum.h"
#include "dataplane/l4/options.h"

/* What changes add to the sum under the checksum: of 16-bit words at even offsets in the segment, and of such as straddle them,
 * which count with their bytes exchanged (RFC 1071, section 2 (B)). */
struct l4_shifts {
	l4_delta even, odd;
};

/* The checksum after them. */
L4_INLINE be16 l4_shift_checksum(be16 checksum, struct l4_shifts d)
{
	return l4_checksum_update(checksum, d.even + __builtin_bswap16(l4_fold(d.odd)));
}

/* Adds to a header field. */
L4_INLINE void l4_shift_field(be32 *field, uint32_t by, struct l4_shifts *d)
{
	be32 to = L4_BE32(__builtin_bswap32(*field) + by);

	d->even = l4_delta32(d->even, *field, to);
	*field = to;
}

/* Adds to a number anywhere in a segment that begins at l4. */
L4_INLINE void l4_shift_at(
	const struct l4_frame *f, uint32_t l4, uint32_t off, uint32_t by, struct l4_shifts *d)
{
	uint8_t *at = l4_at(f, off, sizeof(uint32_t));
	uint32_t was, is;

	if (!at)
		return;
	__builtin_memcpy(&was, at, sizeof was);
	is = L4_BE32(__builtin_bswap32(was) + by);
	__builtin_memcpy(at, &is, sizeof is);
	if ((off ^ l4) & 1)
		d->odd = l4_delta32(d->odd, was, is);
	else
		d->even = l4_delta32(d->even, was, is);
}

/* Adds to both ends of all blocks of selective acknowledgements. */
L4_INLINE void l4_shift_sack(const struct l4_frame *f, uint32_t l4, const struct l4_options *o,
	uint32_t by, struct l4_shifts *d)
{
	for (uint32_t i = 0; i < 2 * L4_SACK_BLOCKS; i++) {
		if (i >= 2 * o->n_blocks)
			break;
		l4_shift_at(f, l4, (o->sack + i * 4) & L4_PAYLOAD_MASK, by, d);
	}
}
