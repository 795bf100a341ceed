/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/xdp/frames.h"
#include <netinet/in.h>
#include <string.h>
#include "bpf/bench.bpf.h"
#include "dataplane/l4/wire.h"

enum { CLIENT_PORT = 1, LEAST = 60, TTL = 64 };

struct ends {
	struct addr source, destination;
	uint16_t source_port, destination_port;
};

static struct addr addr_of(const char *text)
{
	struct addr a = { 0 };

	addr_parse(text, &a);
	return a;
}

static struct ends ends_of(const struct site_world *w, const struct bench_case *c)
{
	uint16_t port = (uint16_t)(SITE_CASE_PORT + (c - bench_cases));
	struct addr client = addr_of(c->family == 6 ? "2001:db8:c::" : "11.0.0.0");
	struct addr vip = addr_of(c->family == 6 ? site_vip6 : site_vip4);

	switch (c->traffic) {
	case TRAFFIC_REPLY:
		return (struct ends){ site_case_server(w, c)->address, addr_of("11.0.0.1"), port,
			CLIENT_PORT };
	case TRAFFIC_SPREAD:
		return (struct ends){ client, addr_of(site_spread_vip4), CLIENT_PORT, 0 };
	case TRAFFIC_NOT_OURS:
		return (struct ends){ client, addr_of("203.0.113.1"), CLIENT_PORT, port };
	case TRAFFIC_SERVICE:
	case TRAFFIC_FLOOR:
		break;
	}
	return (struct ends){ client, vip, CLIENT_PORT, port };
}

static size_t put_ip4(uint8_t *at, const struct ends *ends, uint8_t protocol)
{
	struct l4_ip4 ip = {
		.version_ihl = 0x45,
		.total_len = L4_BE16(LEAST - 14),
		.ttl = TTL,
		.protocol = protocol,
	};

	memcpy(&ip.src, ends->source.bytes, sizeof ip.src);
	memcpy(&ip.dst, ends->destination.bytes, sizeof ip.dst);
	memcpy(at, &ip, sizeof ip);
	return sizeof ip;
}

static size_t put_ip6(uint8_t *at, const struct ends *ends, uint8_t protocol)
{
	struct l4_ip6 ip = {
		.version_class_label = L4_BE32(0x60000000),
		.payload_len = L4_BE16(20),
		.next_header = protocol,
		.hop_limit = TTL,
	};

	memcpy(ip.src, ends->source.bytes, sizeof ip.src);
	memcpy(ip.dst, ends->destination.bytes, sizeof ip.dst);
	memcpy(at, &ip, sizeof ip);
	return sizeof ip;
}

static void put_transport(uint8_t *at, const struct ends *ends, const struct bench_case *c)
{
	if (c->protocol == IPPROTO_UDP) {
		struct l4_udp udp = { .sport = htons(ends->source_port),
			.dport = htons(ends->destination_port),
			.len = L4_BE16(20),
			.checksum = 1 };

		memcpy(at, &udp, sizeof udp);
	} else {
		struct l4_tcp tcp = { .sport = htons(ends->source_port),
			.dport = htons(ends->destination_port),
			.offset = 0x50,
			.flags = c->tcp_flags };

		memcpy(at, &tcp, sizeof tcp);
	}
}

size_t frames_make(uint8_t out[FRAMES_MAX], uint32_t *ifindex, const struct site_world *w,
	const struct bench_case *c)
{
	static const uint8_t neighbour_mac[6] = { 2, 0, 0, 0, 0, 0xfe };
	struct ends ends = ends_of(w, c);
	size_t len = sizeof(struct l4_eth);

	*ifindex = c->traffic == TRAFFIC_REPLY ? SITE_BACK : SITE_FRONT;
	memset(out, 0, FRAMES_MAX);
	memcpy(out, *ifindex == SITE_BACK ? site_back_mac : site_front_mac, 6);
	memcpy(out + 6, neighbour_mac, 6);
	out[12] = c->family == 6 ? 0x86 : 0x08;
	out[13] = c->family == 6 ? 0xdd : 0x00;
	len += c->family == 6 ? put_ip6(out + len, &ends, c->protocol)
			      : put_ip4(out + len, &ends, c->protocol);
	put_transport(out + len, &ends, c);
	len += sizeof(struct l4_tcp);
	return len < LEAST ? LEAST : len;
}
