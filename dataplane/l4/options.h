/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* TCP options (RFC 9293, section 3.2; RFC 2018; RFC 7323): found, and written. */
#pragma once
#include "dataplane/l4/cookie.h"
#include "dataplane/l4/parse.h"

enum {
	L4_TCP_OPTION_END,
	L4_TCP_OPTION_NOP,
	L4_TCP_OPTION_MSS,
	L4_TCP_OPTION_SCALE,
	L4_TCP_OPTION_SACK_PERMITTED,
	L4_TCP_OPTION_SACK,
	L4_TCP_OPTION_TIME = 8,
	L4_TCP_OPTION_NOPS = 0x0101, /* two of them */
};

/* RFC 9293, section 3.7.1: without the option. */
enum { L4_TCP_MSS4 = 536, L4_TCP_MSS6 = 1220 };

/* Options that are read of a segment, which can have 40: no stack sends as many as these. */
enum { L4_TCP_OPTIONS_MAX = 16, L4_SACK_BLOCKS = 4 };

/* The options of a segment. */
struct l4_options {
	struct l4_syn syn;
	bool has_time;
	be32 time;	   /* the sender's, if it has */
	uint32_t sack;	   /* where blocks of selective acknowledgements begin */
	uint32_t n_blocks; /* of them */
};

/* Takes note of the option at `off`, of `len` bytes, which are in the frame. */
L4_INLINE void l4_option_take(
	const struct l4_frame *f, uint32_t off, uint32_t kind, uint32_t len, struct l4_options *o)
{
	const uint8_t *b;

	if (kind == L4_TCP_OPTION_SACK_PERMITTED && len == 2)
		o->syn.sack = true;
	if (kind == L4_TCP_OPTION_SACK && len >= 10) {
		o->sack = off + 2;
		o->n_blocks = (len - 2) / 8;
	}
	if (kind == L4_TCP_OPTION_SCALE && len == 3) {
		b = l4_at(f, off, 3);
		if (b)
			o->syn.scale = b[2] < L4_TCP_MAX_SCALE ? b[2] : L4_TCP_MAX_SCALE;
	}
	if (kind == L4_TCP_OPTION_MSS && len == 4) {
		b = l4_at(f, off, 4);
		if (b)
			o->syn.mss = (uint16_t)(b[2] << 8 | b[3]);
	}
	if (kind == L4_TCP_OPTION_TIME && len == 10) {
		b = l4_at(f, off, 10);
		if (b) {
			o->has_time = true;
			__builtin_memcpy(&o->time, b + 2, sizeof o->time);
		}
	}
}

/* Reads the options from `off` to `end`, of a header that is in the frame; what is behind one that cannot be is not read. */
L4_INLINE void l4_options_read(
	const struct l4_frame *f, uint32_t off, uint32_t end, bool is6, struct l4_options *o)
{
	*o = (struct l4_options){ .syn = { is6 ? L4_TCP_MSS6 : L4_TCP_MSS4, L4_TCP_UNSCALED,
					  false } };
	for (int i = 0; i < L4_TCP_OPTIONS_MAX && off < end; i++) {
		const uint8_t *b = l4_at(f, off, 1);
		uint32_t kind, len = 1;

		if (!b || *b == L4_TCP_OPTION_END)
			return;
		kind = *b;
		if (kind != L4_TCP_OPTION_NOP) {
			b = l4_at(f, off, 2);
			if (!b || b[1] < 2 || off + b[1] > end)
				return;
			len = b[1];
			l4_option_take(f, off, kind, len, o);
		}
		off = l4_forget(off + len, L4_PAYLOAD_MASK);
	}
}

L4_INLINE be32 l4_option_mss(const struct l4_syn *syn)
{
	return L4_BE32(L4_TCP_OPTION_MSS << 24 | 4u << 16 | syn->mss);
}

L4_INLINE be32 l4_option_scale(const struct l4_syn *syn)
{
	if (syn->scale == L4_TCP_UNSCALED)
		return L4_BE32(L4_TCP_OPTION_NOPS << 16 | L4_TCP_OPTION_NOPS);
	return L4_BE32(L4_TCP_OPTION_NOP << 24 | L4_TCP_OPTION_SCALE << 16 | 3u << 8 | syn->scale);
}

/* The two bytes that say whether the sender takes selective acknowledgements. */
L4_INLINE uint32_t l4_option_sack(const struct l4_syn *syn)
{
	return syn->sack ? L4_TCP_OPTION_SACK_PERMITTED << 8 | 2u : L4_TCP_OPTION_NOPS;
}

/* The options of a SYN that says *syn. */
L4_INLINE void l4_options_write(be32 out[3], const struct l4_syn *syn)
{
	out[0] = l4_option_mss(syn);
	out[1] = L4_BE32(L4_TCP_OPTION_NOPS << 16 | l4_option_sack(syn));
	out[2] = l4_option_scale(syn);
}

/* The same with time stamps: the sender's, and its peer's, which is in network order. */
L4_INLINE void l4_options_write_times(
	be32 out[5], const struct l4_syn *syn, uint32_t value, be32 echo)
{
	out[0] = l4_option_mss(syn);
	out[1] = L4_BE32(l4_option_sack(syn) << 16 | L4_TCP_OPTION_TIME << 8 | 10u);
	out[2] = L4_BE32(value);
	out[3] = echo;
	out[4] = l4_option_scale(syn);
}
