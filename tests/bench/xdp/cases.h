/* SPDX-License-Identifier: BSD-2-Clause */
/* What `tools/bench xdp` measures, as data: a case is one line of the table in cases.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The configurations that are measured; each has an engine of its own. */
enum bench_site {
	SITE_GUARD4,	   /* as the next one, with a million IPv4 sources denied */
	SITE_GUARD6,	   /* the same of IPv6 */
	SITE_FULL,	   /* a service per case, besides 500 with 500 pools of 8 servers */
	SITE_TEN,	   /* 10 services, 10 servers */
	SITE_10K_SERVICES, /* the same with 10,000 services on its one pool */
	SITE_10K_SERVERS,  /* the same with 10,000 servers in pools of 10 */
	SITE_10K_POOL,	   /* the same with 10,000 servers in the pool that is measured */
	SITE_COUNT,
};

/* What comes in. */
enum bench_traffic {
	TRAFFIC_SERVICE,  /* packets for the case's own service */
	TRAFFIC_SPREAD,	  /* for the 500 services of SITE_FULL */
	TRAFFIC_REPLY,	  /* from the one server of the case's own service */
	TRAFFIC_NOT_OURS, /* routed packets between strangers */
	TRAFFIC_FLOOR,	  /* no engine in it: `program` runs */
};

/* ns + times * (what the case `of` takes) + loads * (one random load); all zero: none. */
struct bench_limit {
	double ns, times, loads;
	const char *of;
};

struct bench_case {
	const char *name;
	enum bench_site site;
	enum bench_traffic traffic;
	const char *service; /* the service's words in the configuration, but for the common ones */
	const char *program; /* of bpf/bench.bpf.c; NULL: the family's */
	uint8_t family;	     /* 4 or 6 */
	uint8_t protocol;
	uint8_t tcp_flags;
	uint64_t flows; /* a power of two, at most 2^32; in random order */
	int32_t grown;	/* bytes that the engine puts in front */
	bool tracked;	/* flows are recorded */
	bool two_cpus;
	unsigned cookie_every; /* every so many-th packet is a SYN that gets a cookie; 0: none */
	struct bench_limit limit;
};

extern const struct bench_case bench_cases[];
extern const unsigned bench_n_cases;

/* The case called so, or NULL. */
const struct bench_case *bench_case_find(const char *name);
