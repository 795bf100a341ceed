/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/slots/crowd.h"
#include <netinet/in.h>
#include <string.h>
#include "dataplane/l4/wire.h"

enum { INDEX_MASK = (1 << 14) - 1 };

const char *const excuse_names[EXCUSES] = { "VIOLATION", "server fell", "live record evicted",
	"handshake's record evicted", "SYN again over a change", "sequence guessed",
	"forged SYN came first", "SYN while closing" };

static void put_ip4(struct l4_ip4 *ip, uint8_t protocol, uint16_t len)
{
	uint8_t vip[16];

	site_vip(false, vip);
	ip->version_ihl = 0x45;
	ip->total_len = L4_BE16(sizeof *ip + len);
	ip->ttl = 64;
	ip->protocol = protocol;
	memcpy(&ip->dst, vip, sizeof ip->dst);
}

static void put_ip6(struct l4_ip6 *ip, uint8_t protocol, uint16_t len)
{
	uint8_t vip[16];

	site_vip(true, vip);
	ip->version_class_label = L4_BE32(0x60000000);
	ip->payload_len = L4_BE16(len);
	ip->next_header = protocol;
	ip->hop_limit = 64;
	ip->src[0] = L4_BE32(0x20010db8);
	ip->src[1] = L4_BE32(0x000c0000);
	memcpy(ip->dst, vip, sizeof ip->dst);
}

static struct l4_udp *ports_of(uint8_t *frame, bool is6)
{
	return (struct l4_udp *)(frame + sizeof(struct l4_eth) +
				 (is6 ? sizeof(struct l4_ip6) : sizeof(struct l4_ip4)));
}

static void set_client(struct flow *f, uint32_t client, uint16_t port)
{
	bool is6 = site_services[f->service].is6;
	struct l4_ip6 *ip6 = (struct l4_ip6 *)(f->frame + sizeof(struct l4_eth));
	struct l4_ip4 *ip4 = (struct l4_ip4 *)ip6;

	if (is6)
		ip6->src[3] = L4_BE32(client);
	else
		ip4->src = L4_BE32(0xcb000000 | client);
	ports_of(f->frame, is6)->sport = L4_BE16(port);
}

static void make_frame(struct flow *f, unsigned service)
{
	static const struct l4_eth eth = { { 2, 0, 0, 0, 0xf, 1 }, { 2, 0, 0, 0, 0xf, 0xfe }, 0 };
	const struct site_service *s = &site_services[service];
	bool is_tcp = s->protocol == IPPROTO_TCP;
	uint16_t len = is_tcp ? sizeof(struct l4_tcp) : sizeof(struct l4_udp);
	struct l4_eth *to = (struct l4_eth *)f->frame;
	struct l4_udp *ports = ports_of(f->frame, s->is6);

	f->service = (uint8_t)service;
	*to = eth;
	to->type = s->is6 ? L4_BE16(L4_ETH_IP6) : L4_BE16(L4_ETH_IP4);
	if (s->is6)
		put_ip6((struct l4_ip6 *)(to + 1), s->protocol, len);
	else
		put_ip4((struct l4_ip4 *)(to + 1), s->protocol, len);
	ports->dport = L4_BE16(site_port(service));
	if (is_tcp)
		((struct l4_tcp *)ports)->offset = 5 << 4;
	else
		ports->len = L4_BE16(len);
	f->frame_len = (uint8_t)((uint8_t *)ports - f->frame + len);
}

static void set_hash(struct flow *f, const uint8_t key[16])
{
	const struct site_service *s = &site_services[f->service];
	const struct l4_ip6 *ip6 = (const struct l4_ip6 *)(f->frame + sizeof(struct l4_eth));
	const struct l4_ip4 *ip4 = (const struct l4_ip4 *)ip6;
	const struct l4_udp *ports = ports_of(f->frame, s->is6);
	struct l4_flow flow = { .is6 = s->is6, .protocol = s->protocol };
	uint64_t words[2];

	memcpy(words, key, sizeof words);
	memcpy(flow.src, s->is6 ? ip6->src : &ip4->src, s->is6 ? 16 : 4);
	memcpy(flow.dst, s->is6 ? ip6->dst : &ip4->dst, s->is6 ? 16 : 4);
	flow.sport = ports->sport;
	flow.dport = ports->dport;
	f->hash = s->client ? l4_client_hash(words, &flow, (uint16_t)(s->pool + 1))
			    : l4_flow_hash(words, &flow);
}

static void enter(struct crowd *f, uint32_t i)
{
	uint32_t at = (uint32_t)f->flows[i].hash & INDEX_MASK;

	while (f->index[at])
		at = (at + 1) & INDEX_MASK;
	f->index[at] = (uint16_t)(i + 1);
}

struct flow *crowd_find(struct crowd *f, uint64_t who, uint64_t what)
{
	uint32_t at = (uint32_t)who & INDEX_MASK;

	for (; f->index[at]; at = (at + 1) & INDEX_MASK) {
		struct flow *flow = &f->flows[f->index[at] - 1];
		uint16_t pool = site_services[flow->service].pool + 1;

		if ((uint32_t)flow->hash == (uint32_t)who &&
			l4_record_mark(flow->hash, pool) >> L4_RECORD_POOL_AT ==
				what >> L4_RECORD_POOL_AT)
			return flow;
	}
	return NULL;
}

/* Flows of one client to services that keep it on one server share its life. */
static void share_life(struct crowd *f, uint32_t i)
{
	struct flow *flow = &f->flows[i];

	flow->life = &flow->own;
	flow->own.place = SITE_NOWHERE;
	if (!site_services[flow->service].client)
		return;
	for (uint32_t k = 0; k < i; k++) {
		struct flow *other = &f->flows[k];

		if (other->hash == flow->hash && site_services[other->service].client &&
			site_services[other->service].pool == site_services[flow->service].pool) {
			flow->life = other->life;
			return;
		}
	}
}

void crowd_open(struct crowd *f, struct random *r, const uint8_t key[16])
{
	enum { CLIENTS = 200 };

	memset(f, 0, sizeof *f);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct flow *flow = &f->flows[i];

		make_frame(flow, i % SITE_SERVICES);
		set_client(flow, random_below(r, CLIENTS), (uint16_t)(1024 + i));
		set_hash(flow, key);
		share_life(f, i);
		enter(f, i);
	}
}

void flow_set_tcp(uint8_t *frame, bool is6, uint8_t flags, uint32_t seq)
{
	struct l4_tcp *tcp = (struct l4_tcp *)ports_of(frame, is6);

	tcp->flags = flags;
	tcp->seq = L4_BE32(seq);
}

void flow_stray(const struct flow *like, struct random *r, const uint8_t key[16], struct flow *out)
{
	out->service = like->service;
	out->frame_len = like->frame_len;
	memcpy(out->frame, like->frame, sizeof out->frame);
	set_client(out, 1000 + random_below(r, 1 << 20), (uint16_t)random_draw(r));
	set_hash(out, key);
}
