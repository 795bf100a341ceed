/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the server side of tunnels keeps in maps: one definition for its programs and their loader. */
#pragma once
#include <stdint.h>

/* X(symbol, name, help), in the order of counters. */
#define DECAP_COUNTERS(X)                                                                         \
	X(PASSED, "passed", "no tunnel to an address of this host")                               \
	X(UNWRAPPED, "unwrapped", "from a prefix given by --from, for an address given by --vip") \
	X(REFUSED_SOURCE, "refused_source", "a tunnel from outside of the prefixes: dropped")     \
	X(REFUSED_INNER, "refused_inner", "carries no whole packet for a VIP: dropped")           \
	X(REFUSED_KIND, "refused_kind",                                                           \
		"a tunnel of another kind, with options or in fragments: dropped")                \
	X(REFUSED_ECN, "refused_ecn",                                                             \
		"met congestion, which its sender could not be told (RFC 6040): dropped")         \
	X(CLAMPED, "clamped", "a SYN-ACK sent whose MSS was made smaller")

enum decap_counter {
#define X(symbol, name, help) DECAP_##symbol,
	DECAP_COUNTERS(X)
#undef X
		DECAP_COUNTERS_MAX
};

struct decap_settings {
	uint16_t mss4, mss6; /* the largest MSS that SYN-ACKs may offer, by family; 0: any */
	uint16_t gue_port;   /* of UDP that is a tunnel (GUE), host order; 0: none is */
	uint16_t pad;
};

/* An address, network order, IPv4 in the first word. */
struct decap_address {
	uint32_t words[4];
	uint32_t is6;
};

struct decap_prefix4 {
	uint32_t plen;
	uint32_t words[1];
};

struct decap_prefix6 {
	uint32_t plen;
	uint32_t words[4];
};

enum { DECAP_MAX_PREFIXES = 1024, DECAP_MAX_ADDRESSES = 4096 };
