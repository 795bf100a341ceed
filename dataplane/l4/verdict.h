/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What becomes of a packet, and why: the one list that engines, counters, API, CLI and manual share. */
#pragma once

enum l4_action {
	L4_PASS, /* to the host's stack */
	L4_SEND, /* out of an interface */
	L4_DROP,
};

/* X(symbol, name, action, help). The order is the index of counters that outlive a program: append
 * only, or raise TABLES_VERSION. */
#define L4_VERDICTS(X)                                                                             \
	X(NOT_OURS, "not_ours", L4_PASS,                                                           \
		"neither sent to one of our addresses nor a reply to be translated")               \
	X(UNREADABLE, "unreadable", L4_PASS,                                                       \
		"the destination cannot be read: truncated or unknown headers")                    \
	X(OWN, "own", L4_PASS, "from a server of a nat service to an address of this host itself") \
	X(ELSEWHERE, "elsewhere", L4_PASS,                                                         \
		"ARP or ND for one of our addresses on another interface, or nothing to answer")   \
	X(LOCAL, "local", L4_PASS, "for a service of this host's own stack, which gets it")        \
	X(FORWARDED, "forwarded", L4_SEND, "sent to a server")                                     \
	X(REPLIED, "replied", L4_SEND, "a server's reply, translated back and sent to the client") \
	X(ARP_ANSWERED, "arp_answered", L4_SEND, "ARP request for one of our addresses, answered") \
	X(ND_ANSWERED, "nd_answered", L4_SEND,                                                     \
		"neighbour solicitation for one of our addresses, answered")                       \
	X(ECHO_ANSWERED, "echo_answered", L4_SEND, "ping of one of our addresses, answered")       \
	X(TOO_BIG_ANSWERED, "too_big_answered", L4_SEND,                                           \
		"larger than the MTU towards the next hop; its sender was told the MTU that fits") \
	X(TTL_EXCEEDED_ANSWERED, "ttl_exceeded_answered", L4_SEND,                                 \
		"TTL or hop limit is used up; its sender was told")                                \
	X(REJECTED, "rejected", L4_SEND,                                                           \
		"no server may take the packet; answered with a reset or port unreachable")        \
	X(SYN_COOKIE, "syn_cookie", L4_SEND,                                                       \
		"a TCP SYN to a service in a flood of them; answered with a SYN cookie")           \
	X(MALFORMED, "malformed", L4_DROP,                                                         \
		"a header that contradicts itself or the length of the packet")                    \
	X(FRAGMENT, "fragment", L4_DROP,                                                           \
		"a fragment of a protocol without ports, by which it could follow its first one")  \
	X(FRAGMENT_ORPHAN, "fragment_orphan", L4_DROP,                                             \
		"a later fragment whose first one has not come in the last two seconds")           \
	X(FRAGMENT_OVERLAP, "fragment_overlap", L4_DROP,                                           \
		"a fragment that came before, overlaps another, or lies behind its packet's end")  \
	X(FRAGMENT_TINY, "fragment_tiny", L4_DROP,                                                 \
		"a first fragment in which not all headers up to the transport's are")             \
	X(EXTENSION, "extension", L4_DROP,                                                         \
		"IPv6 extension headers that cannot be followed: too many, ESP, source routing")   \
	X(NO_SERVICE, "no_service", L4_DROP,                                                       \
		"one of our addresses, but no service on this protocol and port")                  \
	X(ICMP_UNHANDLED, "icmp_unhandled", L4_DROP,                                               \
		"an ICMP message to one of our addresses that is neither echo request nor error")  \
	X(ICMP_NO_FLOW, "icmp_no_flow", L4_DROP,                                                   \
		"an ICMP error to one of our addresses that quotes no packet of a service")        \
	X(INVALID_FLAGS, "invalid_flags", L4_DROP,                                                 \
		"TCP flags that no connection sends together, or none at all")                     \
	X(LAND, "land", L4_DROP, "sent from the service's own address and port")                   \
	X(BOGON_SOURCE, "bogon_source", L4_DROP,                                                   \
		"from an address that no client can have: loopback, multicast, reserved, our own") \
	X(DENIED, "denied", L4_DROP, "from a source on a deny list, or not on the allow list")     \
	X(SOURCE_RATE, "source_rate", L4_DROP,                                                     \
		"the source has sent the service as many packets as it may for now")               \
	X(SOURCE_SYN_RATE, "source_syn_rate", L4_DROP,                                             \
		"the source has begun as many connections to the service as it may for now")       \
	X(PROXIED_FULL, "proxied_full", L4_DROP,                                                   \
		"a SYN cookie came back, but there is no room for one more such connection")       \
	X(NO_SERVER, "no_server", L4_DROP,                                                         \
		"the service's pool has no server that may take the packet")                       \
	X(NO_ROUTE, "no_route", L4_DROP,                                                           \
		"no route to the next hop over an interface of the engine")                        \
	X(NO_NEIGHBOUR, "no_neighbour", L4_DROP,                                                   \
		"the next hop's MAC address is not known yet; it is being asked for")              \
	X(TTL_EXCEEDED, "ttl_exceeded", L4_DROP,                                                   \
		"TTL or hop limit is used up; its sender could not be told now")                   \
	X(TOO_BIG, "too_big", L4_DROP,                                                             \
		"larger than the MTU towards the next hop; its sender could not be told now")      \
	X(ENGINE_FAULT, "engine_fault", L4_DROP,                                                   \
		"the engine could not complete the step: no snapshot or no headroom")              \
	X(HOST_BUSY, "host_busy", L4_DROP,                                                         \
		"for the host's own stack, which takes packets slower than they come (dpdk)")      \
	X(LINK_BUSY, "link_busy", L4_DROP,                                                         \
		"the interface to leave by sends slower than packets come (dpdk)")                 \
	X(WORKER_BUSY, "worker_busy", L4_DROP,                                                     \
		"the worker that has the flow's record takes packets slower than they come (dpdk)")

enum l4_verdict {
#define X(symbol, name, action, help) L4_V_##symbol,
	L4_VERDICTS(X)
#undef X
		L4_V_COUNT,
	L4_V_OF_ENGINES = L4_V_ENGINE_FAULT, /* no packet by itself comes to these */
	/* Instead of a verdict: who goes on with the packet, which is as it came (but for L4_NEXT_TAGS). */
	L4_NEXT_RARE = L4_V_COUNT, /* l4_rare() decides about it */
	L4_NEXT_FRAGMENT,	   /* one of several: l4_fragment() finds its ports */
	L4_NEXT_PORTS,		   /* they are noted: l4_process() takes it up again */
	L4_NEXT_SYNPROXY,  /* a segment that SYN cookies may concern: l4_synproxy() looks at it */
	L4_NEXT_AGAIN,	   /* that has: l4_process() takes it up again */
	L4_NEXT_ERROR_IN,  /* an ICMP error for a server: l4_error_in() does */
	L4_NEXT_ERROR_OUT, /* perhaps one for a client: l4_error_out() does */
	L4_NEXT_REFUSAL,   /* it is refused; l4_refusal_answer() may answer it */
	L4_NEXT_WANT, /* it is dropped or passed, as noted; the control plane is to learn what it wants or tells */
	L4_NEXT_WRAP, /* it goes into a tunnel that is more than a header of its own family: l4_wrap() decides about it */
	L4_NEXT_LOCAL, /* it is for this host's own stack: l4_local() gets it there */
	L4_NEXT_TAGS,  /* it leaves once l4_vlan_leave() has given it the tags of its way out */
};
