/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/xdp/cases.h"
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include "tests/bench/flags.h"
#include "bpf/bench.bpf.h"

enum { FLAG_SYN = 0x02, FLAG_ACK = 0x10 };

#define M1  (1u << 20)
#define M16 (1u << 24)
#define NEW (1ull << 32)

#define DSR    "forward = \"dsr\"; "
#define NAT    "forward = \"nat\"; "
#define TRACK  "forward = \"dsr\"; track = \"all\"; "
#define TUNNEL "forward = \"tunnel\"; "
#define COOKIE NAT "syn_cookies = \"auto\"; syn_threshold = 0; "
#define UDP    "protocol = \"udp\"; "

#define FULL4  .site = SITE_FULL, .family = 4, .protocol = IPPROTO_TCP, .tcp_flags = FLAG_ACK
#define FULL6  .site = SITE_FULL, .family = 6, .protocol = IPPROTO_TCP, .tcp_flags = FLAG_ACK
#define GUARD4 .site = SITE_GUARD4, .family = 4, .protocol = IPPROTO_TCP, .tcp_flags = FLAG_ACK
#define GUARD6 .site = SITE_GUARD6, .family = 6, .protocol = IPPROTO_TCP, .tcp_flags = FLAG_ACK
#define SYN4   .site = SITE_FULL, .family = 4, .protocol = IPPROTO_TCP, .tcp_flags = FLAG_SYN
#define UDP4   .site = SITE_FULL, .family = 4, .protocol = IPPROTO_UDP
#define TEN    .family = 4, .protocol = IPPROTO_TCP, .tcp_flags = FLAG_ACK, .service = DSR
#define FLOOR  .traffic = TRAFFIC_FLOOR, .family = 4, .protocol = IPPROTO_TCP

const struct bench_case bench_cases[] = {
	{ "tunnel-1", FULL4, .service = TUNNEL, .flows = 1, .grown = 20, .limit = { .ns = 50 } },
	{ "tunnel-1M", FULL4, .service = TUNNEL, .flows = M1, .grown = 20, .limit = { .ns = 55 } },
	{ "tunnel-16M", FULL4, .service = TUNNEL, .flows = M16, .grown = 20,
		.limit = { .ns = 55 } },
	{ "tunnel-new", SYN4, .service = TUNNEL, .flows = NEW, .grown = 20, .limit = { .ns = 55 } },
	{ "tunnel-udp-1M", UDP4, .service = TUNNEL UDP, .flows = M1, .grown = 20,
		.limit = { .ns = 58 } },
	{ "tunnel-6-1M", FULL6, .service = TUNNEL, .flows = M1, .grown = 40,
		.limit = { .ns = 68 } },
	{ "dsr-1", FULL4, .service = DSR, .flows = 1, .limit = { .ns = 60 } },
	{ "dsr-1M", FULL4, .service = DSR, .flows = M1, .limit = { .ns = 60 } },
	{ "dsr-16M", FULL4, .service = DSR, .flows = M16, .limit = { .ns = 60 } },
	{ "dsr-udp-1M", UDP4, .service = DSR UDP, .flows = M1, .limit = { .ns = 58 } },
	{ "dsr-6-1M", FULL6, .service = DSR, .flows = M1, .limit = { .ns = 68 } },
	{ "dsr-new", SYN4, .service = DSR, .flows = NEW, .limit = { .ns = 60 } },
	{ "nat-1", FULL4, .service = NAT, .flows = 1, .limit = { .ns = 60 } },
	{ "nat-1M", FULL4, .service = NAT, .flows = M1, .limit = { .ns = 60 } },
	{ "nat-16M", FULL4, .service = NAT, .flows = M16, .limit = { .ns = 60 } },
	{ "nat-udp-1M", UDP4, .service = NAT UDP, .flows = M1, .limit = { .ns = 58 } },
	{ "nat-6-1M", FULL6, .service = NAT, .flows = M1, .limit = { .ns = 68 } },
	{ "nat-reply-1", FULL4, .traffic = TRAFFIC_REPLY, .service = NAT, .flows = 1 },
	/* SYN cookies: no flood; nothing but SYNs; a SYN for every packet of a connection, which goes on as ever. */
	{ "cookies-calm-1M", FULL4, .service = COOKIE, .flows = M1,
		.limit = { .of = "nat-1M", .times = 1, .ns = 10 } },
	{ "cookies-syn", SYN4, .service = COOKIE, .flows = NEW, .cookie_every = 1,
		.limit = { .ns = 500 } },
	{ "cookies-flood-1M", FULL4, .program = "bench_flood4", .service = COOKIE, .flows = M1,
		.cookie_every = 2, .limit = { .ns = 500 } },
	/* A million prefixes, and sources anywhere; none is denied. */
	{ "guard-1M", GUARD4, .program = "bench_source_ip4", .service = DSR, .flows = M1,
		.limit = { .of = "dsr-1M", .times = 1, .ns = 15 } },
	{ "guard-6-1M", GUARD6, .program = "bench_source_ip6", .service = DSR, .flows = M1,
		.limit = { .of = "dsr-6-1M", .times = 1, .ns = 15 } },
	{ "spread-500-1M", FULL4, .traffic = TRAFFIC_SPREAD, .program = "bench_spread4",
		.flows = M1, .limit = { .ns = 85 } },
	{ "not-ours-1M", FULL4, .traffic = TRAFFIC_NOT_OURS, .program = "bench_passed4",
		.flows = M1, .limit = { .ns = 15 } },
	{ "track-1", FULL4, .service = TRACK, .tracked = true, .flows = 1, .limit = { .ns = 58 } },
	{ "track-1M", FULL4, .service = TRACK, .tracked = true, .flows = M1,
		.limit = { .of = "track-1", .times = 1, .loads = 1.25 } },
	{ "track-new", SYN4, .service = TRACK, .tracked = true, .flows = NEW,
		.limit = { .of = "track-1", .times = 1, .loads = 1.4 } },
	{ "two-cpus-1M", FULL4, .service = DSR, .flows = M1, .two_cpus = true,
		.limit = { .of = "dsr-1M", .times = 1.1 } },
	{ "ten-1M", TEN, .site = SITE_TEN, .flows = M1, .limit = { .ns = 60 } },
	{ "services-10k-1M", TEN, .site = SITE_10K_SERVICES, .flows = M1,
		.limit = { .of = "ten-1M", .times = 1.3 } },
	{ "servers-10k-1M", TEN, .site = SITE_10K_SERVERS, .flows = M1,
		.limit = { .of = "ten-1M", .times = 1.3 } },
	/* The ring alone is 2 MiB: a slot is a random load by itself. */
	{ "pool-of-10k-1M", TEN, .site = SITE_10K_POOL, .flows = M1,
		.limit = { .of = "ten-1M", .times = 1.3, .loads = 1 } },
	{ "swap MACs", FLOOR, .program = "floor_swap" },
	{ "encapsulate only", FLOOR, .program = "floor_encapsulate" },
	{ "harness alone", FLOOR, .program = "floor_harness", .flows = M1 },
	{ "random load", FLOOR, .program = "floor_load", .flows = BENCH_TABLE_LINES },
};

_Static_assert(sizeof bench_cases / sizeof *bench_cases <= FLAGS_CASES, "the command line's");
const unsigned bench_n_cases = sizeof bench_cases / sizeof *bench_cases;

const struct bench_case *bench_case_find(const char *name)
{
	for (unsigned i = 0; i < bench_n_cases; i++)
		if (!strcmp(bench_cases[i].name, name))
			return &bench_cases[i];
	return NULL;
}
