/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#pragma once
#include "dataplane/l4/wire.h"

/* What of a packet a guard looks at: few enough bytes to be handed on in registers. */
struct l4_guarded {
	uint64_t high, low; /* of the source, host order; an IPv4 one is low */
	uint32_t what;	    /* TCP flags, or'ed with the following */
};

enum {
	L4_GUARDED_TCP = 0x100,
	L4_GUARDED_IS6 = 0x200,
	L4_GUARDED_ITSELF = 0x400,    /* from the address that it is sent to */
	L4_GUARDED_SAME_PORT = 0x800, /* from the port likewise */
	L4_GUARDED_LISTED = 0x1000,   /* a list may name the source */
	L4_GUARDED_ROUTER = 0x2000,   /* the source of an ICMP error, who need be no client */
};
