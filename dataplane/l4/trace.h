/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the stages tell of a packet's way while it is traced. A traced packet changes nothing: no counter, record,
 * token or neighbour. */
#pragma once
#include "dataplane/l4/parse.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/tables.h"

/* X(symbol, name, what the words a and b hold) in the order in which most packets come by them. */
#define L4_STEPS(X)                                                                                 \
	X(LINK, link, "EtherType; offset of the network header")                                    \
	X(ADDRESSES, addresses, "TTL or hop limit; protocol or first next header")                  \
	X(FILTER, filter, "whether the destination may concern us; whether the source may")         \
	X(PORT, port, "ifindex of the interface, 0: none of ours; enum l4_for")                     \
	X(TRANSPORT, transport, "enum l4_parsed; unused")                                           \
	X(FRAGMENT, fragment, "identification << 32 | offset << 16 | bytes; whether more follow")   \
	X(DATAGRAM, datagram,                                                                       \
		"`what` of its datagram's record, 0: none; of the one that it begins, 0: none")     \
	X(FIND, find, "l4_key_tail() of the key; line of the row, 0: none")                         \
	X(LIST, list, "guard line of a list of sources; whether it denies this one")                \
	X(RATE, rate,                                                                               \
		"packets << 32 | SYNs of the source so far; as many as it may send, 0: any number") \
	X(GUARD, guard, "enum l4_verdict, FORWARDED: it goes on; line of the guard")                \
	X(PROXIED, proxied,                                                                         \
		"`what` of the connection, if a SYN cookie began it, 0: none; shift << 32 | isn")   \
	X(SYNPROXY, synproxy, "enum l4_proxy_act; the cookie, or the shift")                        \
	X(SLOT, slot, "hash of the flow; number of its slot << 16 | the slot")                      \
	X(RECORD, record, "`who` and `what` of the flow's record; 0, 0: none")                      \
	X(SIDES, sides, "id of the slot's owner; of its base")                                      \
	X(CHOICE, choice, "id of the server; enum l4_record_state << 8 | the record decided")       \
	X(WRITE, write, "`what` of the record before; after")                                       \
	X(SERVER, server, "line of the member, 0: there is none; unused")                           \
	X(ROUTE, route, "enum l4_route_kind << 8 | prefix length; interface")                       \
	X(HOP, hop, "row of the neighbour; bytes that a tunnel adds")                               \
	X(TAGS, tags, "the outer tag that it leaves with, 0: none; the inner one (l4_tag())")       \
	X(REFUSAL, refusal, "enum l4_refusal_kind; the size that fits")                             \
	X(RARE, rare, "unused")                                                                     \
	X(QUOTE, quote, "type << 8 | code of an ICMP error; whether a flow can be read of it")      \
	X(PATH_MTU, path_mtu, "what an ICMP error says that fits through a tunnel; unused")         \
	X(HOST, host, "ifindex of the interface under whose own MAC the host gets it; unused")

enum l4_step_kind {
#define X(symbol, name, holds) L4_STEP_##symbol,
	L4_STEPS(X)
#undef X
		L4_STEP_COUNT
};

/* What is done to a segment that SYN cookies concern. */
enum l4_proxy_act {
	L4_PROXY_ANSWERS,    /* a SYN, with a cookie */
	L4_PROXY_ASKS,	     /* the server, whose SYN it becomes */
	L4_PROXY_OPENS,	     /* the client's window: it was the server's SYN-ACK */
	L4_PROXY_FORGETS,    /* the connection: its server does not know of it */
	L4_PROXY_TRANSLATES, /* its sequence numbers */
	L4_PROXY_LEAVES,     /* a SYN to this host's own stack, which takes no cookies yet */
};

struct l4_step {
	uint64_t kind; /* enum l4_step_kind */
	uint64_t a, b;
};

enum { L4_WAY_STEPS = 64 }; /* a power of two, more than any packet takes */

/* What a packet came by, and what it came to. */
struct l4_way {
	struct l4_trace end;
	uint32_t n;		 /* steps */
	struct l4_packet packet; /* as far as it was read */
	struct l4_packet quoted; /* what an ICMP error quotes */
	struct l4_step steps[L4_WAY_STEPS];
};

L4_INLINE void l4_way_add(struct l4_way *w, enum l4_step_kind kind, uint64_t a, uint64_t b)
{
	uint32_t n = w->n;

	w->steps[n & (L4_WAY_STEPS - 1)] = (struct l4_step){ kind, a, b };
	w->n = n + 1;
}
