/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The reset that a TCP segment gets where there is no connection (RFC 9293, section 3.10.7.1). */
#pragma once
#include "dataplane/l4/segment.h"

/* What answers the segment with that header and so much behind the IP header. The segment's checksum is not looked
 * at: a damaged one could at worst be reset. */
L4_INLINE struct l4_tcp l4_reset_tcp(const struct l4_tcp *t, uint32_t payload)
{
	uint32_t len = payload - (t->offset >> 4) * 4u + !!(t->flags & L4_TCP_SYN) +
		       !!(t->flags & L4_TCP_FIN);
	struct l4_tcp out = { .sport = t->dport, .dport = t->sport, .offset = 5 << 4 };

	if (t->flags & L4_TCP_ACK) {
		out.flags = L4_TCP_RST;
		out.seq = t->ack;
	} else {
		out.flags = L4_TCP_RST | L4_TCP_ACK;
		out.ack = L4_BE32(__builtin_bswap32(t->seq) + len);
	}
	return out;
}
