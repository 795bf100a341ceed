/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* QUIC packets by the server id in their connection id (draft-ietf-quic-load-balancers, section 5.1, plaintext): a
 * connection stays with its server when the client's address changes. What has no id that is known goes by its flow, as
 * the first packets of every connection do, whose ids clients choose. */
#pragma once
#include "dataplane/l4/walk.h"

enum {
	L4_QUIC_LONG = 0x80,	 /* of the first byte: a long header (RFC 8999, section 5.1) */
	L4_QUIC_LONG_LEN_AT = 5, /* where it says how long the destination connection id is */
	L4_QUIC_UNROUTABLE =
		7, /* of the id's first three bits: it names no server (section 3.1 of the draft) */
	L4_QUIC_NONCE_BYTES = 4, /* at least that many follow the server id (section 5) */
};

/* Where the destination connection id of a UDP datagram's payload begins that holds an id of so many bytes, or 0. The
 * payload is at `at`; `end` is where the datagram ends, in the frame. */
L4_INLINE uint32_t l4_quic_cid(
	const struct l4_frame *f, uint32_t at, uint32_t end, uint32_t id_bytes)
{
	uint32_t need = 1 + id_bytes + L4_QUIC_NONCE_BYTES;
	const uint8_t *first = l4_at(f, at, 1), *len;

	if (!first || at + 1 + need > end)
		return 0;
	if (!(*first & L4_QUIC_LONG))
		return at + 1;
	len = l4_at(f, at + L4_QUIC_LONG_LEN_AT, 1);
	if (!len || *len < need || at + L4_QUIC_LONG_LEN_AT + 1 + *len > end)
		return 0;
	return at + L4_QUIC_LONG_LEN_AT + 1;
}

/* Reads the server id of the packet whose UDP header is at l4. False when it has none. */
L4_INLINE bool l4_quic_id(const struct l4_frame *f, uint32_t l4, uint32_t id_bytes, uint32_t id[4])
{
	const struct l4_udp *u = l4_at(f, l4, sizeof *u);
	uint32_t cid = u ? l4_quic_cid(f, l4 + (uint32_t)sizeof *u, l4 + __builtin_bswap16(u->len),
				   id_bytes)
			 : 0;
	const uint8_t *first = cid ? l4_at(f, cid, 1) : NULL;

	id[0] = id[1] = id[2] = id[3] = 0;
	if (!first || *first >> 5 == L4_QUIC_UNROUTABLE)
		return false;
#pragma GCC unroll 15
	for (uint32_t i = 0; i < L4_QUIC_ID_BYTES; i++) {
		const uint8_t *byte = i < id_bytes ? l4_at(f, cid + 1 + i, 1) : NULL;

		if (byte)
			id[i / 4] |= (uint32_t)*byte << i % 4 * 8;
	}
	return true;
}

/* The stable id of the server that the packet's connection id names in a pool; 0: it names none. */
L4_INLINE uint32_t l4_quic_server(const struct l4_walk *w, const struct l4_frame *f, uint32_t l4,
	uint32_t id_bytes, uint16_t pool)
{
	const struct l4_quic *row;
	uint32_t id[4];

	if (!l4_quic_id(f, l4, id_bytes, id))
		return 0;
	row = l4_find(
		w, id, l4_ml_address(w->keys->k, true, id), l4_key_tail(pool, 0, L4_KIND_QUIC));
	return row ? row->server : 0;
}

/* The body's way to it: by a stable id, since it may look into a later generation. */
static uint32_t l4_tables_quic(const struct l4_tables *t, const struct l4_frame *f, uint32_t l4,
	uint32_t id_bytes, uint16_t pool);
