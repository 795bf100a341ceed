/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which server a packet of a tracked slot goes to, and what is recorded. Pure.
 *
 * The slot has an owner, which takes what is new, and a base, which had the slot before and keeps what is
 * older. A live record decides. Without one a SYN takes the owner and leaves an embryonic record; any other
 * packet belongs to a flow that is older than the change and takes the base. */
#pragma once
#include "dataplane/l4/record.h"

/* What a packet tells of its connection. */
enum l4_signal {
	L4_SIGNAL_NONE, /* there are no connections to be seen: UDP, or records of whole clients */
	L4_SIGNAL_SYN,
	L4_SIGNAL_DATA,
	L4_SIGNAL_END,	/* FIN or RST */
	L4_SIGNAL_PART, /* a later fragment: it belongs to what the first one was */
};

/* How far behind its SYN a packet still continues the handshake: the first flight of data, of which the
 * beginning may be lost or late (RFC 6928: ten segments). */
enum { L4_HANDSHAKE_WINDOW = 16384 };

/* Server ids; 0 is none. A base that serves no flows has been replaced by the owner. */
struct l4_sides {
	uint16_t owner, base;
};

struct l4_choice {
	uint16_t server;
	uint8_t state; /* of the record, enum l4_record_state */
	bool begins;   /* the record's sequence number is this packet's */
};

L4_INLINE enum l4_signal l4_tcp_signal(uint8_t flags)
{
	enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

	if (flags & (FIN | RST))
		return L4_SIGNAL_END;
	return (flags & (SYN | ACK)) == SYN ? L4_SIGNAL_SYN : L4_SIGNAL_DATA;
}

/* A packet without a live record. */
L4_INLINE struct l4_choice l4_track_new(enum l4_signal signal, struct l4_sides sides)
{
	if (signal == L4_SIGNAL_SYN)
		return (struct l4_choice){ sides.owner, L4_RECORD_EMBRYONIC, true };
	return (struct l4_choice){
		sides.base,
		signal == L4_SIGNAL_END ? L4_RECORD_CLOSING : L4_RECORD_LIVE,
		false,
	};
}

/* Whether an embryonic record, and not an older flow, is what the packet belongs to. */
L4_INLINE bool l4_track_continues(uint64_t who, uint32_t seq)
{
	return seq - (uint32_t)(who >> 32) - 1 < L4_HANDSHAKE_WINDOW;
}

/* A packet with a live record. A SYN follows it, so that forged ones move nobody, unless the connection is
 * closing: then it begins another one. */
L4_INLINE struct l4_choice l4_track_known(
	enum l4_signal signal, uint32_t seq, struct l4_sides sides, uint64_t who, uint64_t what)
{
	uint8_t state = l4_record_state(what);
	struct l4_choice c = { l4_record_server(what), state, false };

	if (signal == L4_SIGNAL_PART)
		return c;
	if (signal == L4_SIGNAL_SYN)
		return state == L4_RECORD_CLOSING ? l4_track_new(signal, sides) : c;
	if (state == L4_RECORD_EMBRYONIC && !l4_track_continues(who, seq))
		return l4_track_new(signal, sides);
	if (signal == L4_SIGNAL_END)
		c.state = L4_RECORD_CLOSING;
	else if (state == L4_RECORD_EMBRYONIC)
		c.state = L4_RECORD_LIVE;
	return c;
}
