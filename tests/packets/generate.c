/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/generate.h"
#include <netinet/in.h>
#include <string.h>
#include "controlplane/base/mac.h"
#include "tests/packets/bytes.h"
#include "tests/packets/random.h"

/* Where the layers of the frame in work begin; 0: it has none. */
struct layers {
	size_t l3, l4;
	bool is6;
	uint8_t protocol;
	const struct conf_service *quic; /* whose QUIC packet it is to be, or NULL */
	size_t next;			 /* where the number of the next header stands (IPv6) */
};

static uint64_t draw(struct generator *g)
{
	return random_draw(&g->state);
}

static unsigned below(struct generator *g, size_t n)
{
	return random_below(&g->state, n);
}

static bool chance(struct generator *g, unsigned percent)
{
	return random_chance(&g->state, percent);
}

#define PICK(g, array) ((array)[below(g, sizeof(array) / sizeof *(array))])

static void put_random(struct generator *g, struct frame *f, size_t n)
{
	while (n--)
		put8(f, (unsigned)draw(g) & 0xff);
}

static const struct addr *address_of(const struct conf *c, unsigned index)
{
	return index < c->n_vips ? &c->vips[index].address
				 : &c->gateways[index - c->n_vips].address;
}

static const struct addr *ours(struct generator *g)
{
	const struct conf *c = g->world->conf;

	return address_of(c, below(g, c->n_vips + c->n_gateways));
}

/* One of them of the family, where there is any. */
static const struct addr *ours_of(struct generator *g, uint8_t af)
{
	const struct addr *a = ours(g);

	for (unsigned tries = 0; tries < 20 && a->af != af; tries++)
		a = ours(g);
	return a;
}

/* Somebody on a link, in a routed network, of this host, or anywhere. */
static struct addr other(struct generator *g, uint8_t af)
{
	const struct world *w = &g->world->world;
	struct addr a = { 0 };

	for (unsigned tries = 0; tries < 50 && a.af != af; tries++) {
		if (w->n_neighbours && chance(g, 50))
			a = w->neighbours[below(g, w->n_neighbours)].addr;
		else if (w->n_routes)
			a = w->routes[below(g, w->n_routes)].dst;
		if (a.af && chance(g, 15))
			a.bytes[addr_size(&a) - 1] = (uint8_t)(1 + below(g, 9));
	}
	if (a.af == af && !chance(g, 5))
		return a;
	a = (struct addr){ .af = af };
	for (size_t i = 0; i < addr_size(&a); i++)
		a.bytes[i] = (uint8_t)draw(g);
	return a;
}

/* An address that no client has, or nearly so. */
static struct addr bogon(struct generator *g, uint8_t af)
{
	static const uint8_t firsts4[] = { 0, 127, 169, 224, 239, 240, 255 };
	static const uint8_t firsts6[] = { 0, 0, 0, 0xfe, 0xff };
	static const uint8_t seconds[] = { 0, 2, 0x80, 0xbf, 0xc0, 254, 255 };
	struct addr a = { .af = af };

	a.bytes[0] = af == 6 ? PICK(g, firsts6) : PICK(g, firsts4);
	if (a.bytes[0] || chance(g, 20))
		a.bytes[1] = PICK(g, seconds);
	if (af == 6 && chance(g, 40))
		a.bytes[10] = a.bytes[11] = 0xff;
	a.bytes[addr_size(&a) - 1] = (uint8_t)below(g, 3);
	return a;
}

static void put_tag(struct generator *g, struct frame *f, unsigned protocol, unsigned id)
{
	put16(f, protocol);
	put16(f, id | ((unsigned)draw(g) & 0xf000));
}

/* Mostly those of the link; tags that carry a priority only, and others. */
static void put_tags(struct generator *g, struct frame *f, const struct host_stack *s)
{
	unsigned n = s->n_tags;

	if (n && chance(g, 3))
		n--;
	for (unsigned i = 0; i < n; i++) {
		bool wrong = chance(g, 3);

		if (chance(g, 8))
			put_tag(g, f, chance(g, 70) ? 0x8100 : 0x88a8, 0);
		put_tag(g, f, wrong && chance(g, 50) ? 0x88a8 : s->tags[i].protocol,
			wrong ? below(g, 4096) : s->tags[i].id);
	}
	if (chance(g, 8))
		put_tag(g, f, chance(g, 70) ? 0x8100 : 0x88a8, chance(g, 70) ? 0 : below(g, 4096));
}

/* The virtual MAC address of some VIP, mostly of one on the link; or NULL. */
static const uint8_t *pick_virtual(struct generator *g, unsigned link)
{
	const struct conf *c = g->world->conf;

	for (unsigned tries = 0; tries < 8 && c->n_vips; tries++) {
		const struct conf_vip *v = &c->vips[below(g, c->n_vips)];

		if (mac_is_unicast(v->mac) && (v->interface == link || chance(g, 5)))
			return v->mac;
	}
	return NULL;
}

static void put_macs(struct generator *g, struct frame *f, unsigned link)
{
	const struct host_link *l = &g->world->world.links[link];
	const uint8_t *own = chance(g, 20) ? pick_virtual(g, link) : NULL;
	static const uint8_t strange[][6] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x33, 0x33, 0, 0, 0, 1 },
		{ 2, 0, 0, 0, 0, 0x99 },
	};

	put(f, chance(g, 5) ? PICK(g, strange) : own ? own : l->mac, 6);
	put16(f, 0x0200);
	put_random(g, f, 4);
	put_tags(g, f, &g->world->world.stacks[link]);
}

static void put_options4(struct generator *g, struct frame *f, size_t l3)
{
	unsigned words = chance(g, 15) ? 1 + below(g, 10) : 0;

	for (unsigned i = 0; i < words * 4; i++)
		put8(f, 1); /* no operation */
	f->bytes[l3] = (uint8_t)(0x45 + words);
}

static void put_ipv4(struct generator *g, struct frame *f, const struct addr *src,
	const struct addr *dst, struct layers *at)
{
	static const uint8_t ttls[] = { 0, 1, 2, 64, 64, 64, 64, 64, 128, 255 };
	static const uint16_t fragments[] = { 0x2000, 1, 0x2001, 0x1fff, 0x8000 };

	put16(f, 0x0800);
	at->l3 = f->len;
	put8(f, 0x45);
	put8(f, (unsigned)draw(g) & 0xff);
	put16(f, 0);
	put16(f, (unsigned)draw(g) & 0xffff);
	put16(f, chance(g, 6) ? PICK(g, fragments) : below(g, 2) << 14);
	put8(f, PICK(g, ttls));
	put8(f, at->protocol);
	put16(f, 0);
	put(f, src->bytes, 4);
	put(f, dst->bytes, 4);
	put_options4(g, f, at->l3);
}

static void put_extension(struct generator *g, struct frame *f, struct layers *at)
{
	static const uint8_t kinds[] = { 0, 60, 60, 43, 43, 44, 50, 51 };
	uint8_t kind = kinds[chance(g, 90) ? below(g, 5) : 5 + below(g, 3)];
	unsigned units = kind == 44 ? 0 : below(g, 3);

	f->bytes[at->next] = kind;
	at->next = f->len;
	put8(f, at->protocol);
	put8(f, units);
	put8(f, kind == 43 ? 4 : 1);
	put8(f, kind == 43 && !chance(g, 10) ? 0 : 4);
	for (unsigned i = 4; i < 8 + units * 8; i++)
		put8(f, 0);
}

static void put_ipv6(struct generator *g, struct frame *f, const struct addr *src,
	const struct addr *dst, struct layers *at)
{
	static const uint8_t limits[] = { 0, 1, 2, 64, 64, 64, 64, 64, 254, 255 };
	static const unsigned extensions[] = { 1, 1, 1, 2, 3, 5, 6, 7, 8 };

	at->is6 = true;
	put16(f, 0x86dd);
	at->l3 = f->len;
	put8(f, 0x60 + below(g, 16));
	put_random(g, f, 3);
	put16(f, 0);
	at->next = f->len;
	put8(f, at->protocol);
	put8(f, PICK(g, limits));
	put(f, src->bytes, 16);
	put(f, dst->bytes, 16);
	for (unsigned n = chance(g, 25) ? PICK(g, extensions) : 0; n; n--)
		put_extension(g, f, at);
}

static void put_ip(struct generator *g, struct frame *f, const struct addr *src,
	const struct addr *dst, struct layers *at)
{
	(dst->af == 6 ? put_ipv6 : put_ipv4)(g, f, src, dst, at);
	at->l4 = f->len;
}

static void put_payload(struct generator *g, struct frame *f)
{
	put_random(g, f, chance(g, 4) ? 1150 + below(g, 400) : chance(g, 60) ? below(g, 64) : 0);
}

/* A QUIC packet with a server's id, or nearly. */
static void put_quic(struct generator *g, struct frame *f, const struct conf_service *s)
{
	const struct conf_pool *p = &g->world->conf->pools[s->pool];
	const struct conf_server *server =
		&g->world->conf->servers[p->first_server + below(g, p->n_servers)];
	unsigned more = 2 + below(g, 5), len = 1u + server->quic_id.n + more;

	if (chance(g, 50)) {
		put8(f, below(g, 0x80));
	} else {
		put8(f, 0x80 + below(g, 0x80));
		put_random(g, f, 4);
		put8(f, chance(g, 90) ? len : (unsigned)draw(g) & 0xff);
	}
	put8(f, (unsigned)draw(g) & 0xff);
	put(f, server->quic_id.bytes, server->quic_id.n);
	put_random(g, f, more + below(g, 3));
}

static void put_transport(
	struct generator *g, struct frame *f, struct layers *at, unsigned sport, unsigned dport)
{
	unsigned options = chance(g, 20) ? below(g, 11) : 0;

	put16(f, sport);
	put16(f, dport);
	if (at->protocol == IPPROTO_UDP) {
		put16(f, 0);
		put16(f, 0);
	} else if (at->protocol != IPPROTO_TCP) {
		put_random(g, f, 8);
	} else {
		put_random(g, f, 8);
		put8(f, (5 + options) << 4);
		put_random(g, f, 3);
		put16(f, 0);
		put16(f, 0);
		for (unsigned i = 0; i < options * 4; i++)
			put8(f, 1);
	}
	if (at->quic)
		put_quic(g, f, at->quic);
	else
		put_payload(g, f);
}

/* Fills in the lengths and the checksums. */
static void finish(struct generator *g, struct frame *f, const struct layers *at)
{
	size_t size = f->len - at->l4, where;
	uint64_t sum = at->protocol == IPPROTO_ICMP ? 0 : size + at->protocol;
	unsigned checksum;

	if (at->is6)
		set16(f, at->l3 + 4, (unsigned)(f->len - at->l3 - 40));
	else
		set16(f, at->l3 + 2, (unsigned)(f->len - at->l3));
	if (!at->is6)
		set16(f, at->l3 + 10, fold(add_up(f->bytes + at->l3, at->l4 - at->l3, 0)));
	if (at->protocol != IPPROTO_TCP && at->protocol != IPPROTO_UDP &&
		at->protocol != IPPROTO_ICMP && at->protocol != IPPROTO_ICMPV6)
		return;
	where = at->l4 + (at->protocol == IPPROTO_TCP ? 16 : at->protocol == IPPROTO_UDP ? 6 : 2);
	if (at->protocol == IPPROTO_UDP)
		set16(f, at->l4 + 4, (unsigned)size);
	if (at->protocol != IPPROTO_ICMP)
		sum = add_up(f->bytes + at->l3 + (at->is6 ? 8 : 12), at->is6 ? 32 : 8, sum);
	checksum = fold(add_up(f->bytes + at->l4, size, sum));
	if (at->protocol == IPPROTO_UDP)
		checksum = chance(g, 15) ? 0 : checksum ? checksum : 0xffff;
	set16(f, where, checksum);
}

static unsigned client_port(struct generator *g)
{
	static const uint16_t ports[] = { 0, 1, 40000, 65535 };

	return chance(g, 20) ? PICK(g, ports) : (unsigned)draw(g) & 0xffff;
}

/* One in, beside or far from a prefix that a list of the service names; `client` where there is none. */
static struct addr listed(struct generator *g, const struct conf_service *s, struct addr client)
{
	const struct conf_list *list = chance(g, 50) ? &s->sources.list
						     : &g->world->conf->guard.sources.list;
	const struct conf_prefix *p = list->n ? &list->prefixes[below(g, list->n)] : NULL;
	unsigned bits = 8 * (unsigned)addr_size(&client);

	if (!p || p->address.af != client.af)
		return client;
	client = p->address;
	for (unsigned bit = p->plen; bit < bits; bit++)
		if (chance(g, 50))
			client.bytes[bit / 8] ^= (uint8_t)(128 >> bit % 8);
	if (p->plen && chance(g, 30))
		client.bytes[(p->plen - 1) / 8] ^= (uint8_t)(128 >> (p->plen - 1) % 8);
	return client;
}

/* A port of a service, mostly at the end of a range. */
static unsigned service_port(struct generator *g, const struct conf_service *s)
{
	const struct conf_range *r = s->ports.n ? &s->ports.list[below(g, s->ports.n)] : NULL;

	if (!r)
		return 80;
	if (r->first == r->last)
		return r->first;
	if (chance(g, 20))
		return r->first + below(g, (size_t)(r->last - r->first));
	return (unsigned)(chance(g, 50) ? r->first - below(g, 2) : r->last + below(g, 2)) & 0xffff;
}

/* Now and then surely one that limits its sources: a flow alone hardly meets a limit. */
static const struct conf_service *any_service(struct generator *g)
{
	const struct conf *c = g->world->conf;
	const struct conf_service *s = &c->services[below(g, c->n_services)];

	for (unsigned tries = chance(g, 20) ? 100 : 0;
		tries && !s->source_rate && !s->source_syn_rate; tries--)
		s = &c->services[below(g, c->n_services)];
	return s;
}

/* The protocol of a packet for a service; of one for all of them any that has no number of its own here. */
static uint8_t service_protocol(struct generator *g, const struct conf_service *s)
{
	static const uint8_t others[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ESP,
		IPPROTO_AH, IPPROTO_GRE, 4, 41, 103, 255 };

	return s->protocol == CONF_PROTOCOL_ANY ? PICK(g, others) : s->protocol;
}

/* A flow of a service: mostly one that sent before, and may have a record. */
static const struct generated_flow *pick_flow(struct generator *g)
{
	struct generated_flow *flow = &g->flows[below(g, GENERATED_FLOWS)];
	const struct conf *c = g->world->conf;

	if (flow->service && !chance(g, 15))
		return flow;
	flow->service = any_service(g);
	flow->client = other(g, c->vips[flow->service->vip].address.af);
	if (chance(g, 25))
		flow->client = listed(g, flow->service, flow->client);
	flow->port = client_port(g);
	flow->dport = service_port(g, flow->service);
	flow->seq = (uint32_t)draw(g);
	return flow;
}

/* What the flow sends from its SYN to its end, or somebody else in its name: the sequence number is counted from the
 * SYN's, so that 0 is that once more, and 1 to 16,384 continue the handshake. */
static void put_segment(
	struct generator *g, struct frame *f, size_t l4, const struct generated_flow *flow)
{
	enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
	static const uint8_t flags[] = { SYN, SYN, SYN, ACK, ACK, ACK, ACK | PSH, FIN | ACK,
		FIN | ACK, RST, SYN | ACK };
	static const uint16_t seqs[] = { 1, 1, 1, 1, 2, 1000, 16384, 16385, 0, 0xffff };
	uint8_t flag = PICK(g, flags);
	uint32_t seq = flow->seq + (flag == SYN ? 0 : PICK(g, seqs));

	if (chance(g, 10))
		seq = (uint32_t)draw(g);
	set16(f, l4 + 4, seq >> 16);
	set16(f, l4 + 6, seq & 0xffff);
	f->bytes[l4 + 13] = flag;
}

static void make_request(struct generator *g, struct frame *f, struct layers *at)
{
	const struct generated_flow *flow = pick_flow(g);
	const struct conf_service *s = flow->service;
	const struct addr *vip = &g->world->conf->vips[s->vip].address;
	const struct addr *dst = chance(g, 5) ? ours_of(g, vip->af) : vip;
	bool itself = chance(g, 1);
	struct addr nobody = bogon(g, vip->af);

	at->protocol = service_protocol(g, s);
	put_ip(g, f, itself ? dst : chance(g, 2) ? &nobody : &flow->client, dst, at);
	at->quic = s->quic_id_bytes && chance(g, 80) ? s : NULL;
	put_transport(g, f, at, itself && chance(g, 80) ? flow->dport : flow->port,
		chance(g, 92) ? flow->dport : client_port(g));
	if (at->protocol == IPPROTO_TCP && !chance(g, 10))
		put_segment(g, f, at->l4, flow);
	finish(g, f, at);
}

/* A client's SYN to a service that answers floods of them, where there is one. */
static void make_syn(struct generator *g, struct frame *f, struct layers *at)
{
	const struct conf *c = g->world->conf;
	const struct conf_service *s = &c->services[below(g, c->n_services)];
	struct addr client;

	for (unsigned tries = 0; tries < 200 && s->syn_cookies != CONF_SYN_COOKIES_AUTO; tries++)
		s = &c->services[below(g, c->n_services)];
	client = other(g, c->vips[s->vip].address.af);
	at->protocol = IPPROTO_TCP;
	put_ip(g, f, &client, &c->vips[s->vip].address, at);
	peers_put_syn(&g->state, f, client_port(g), service_port(g, s), (uint32_t)draw(g));
	if (chance(g, 5))
		put_payload(g, f);
	finish(g, f, at);
}

/* One of the service's; anybody's where this host itself serves it. */
static const struct conf_server *a_server(struct generator *g, const struct conf_service *s)
{
	const struct conf *c = g->world->conf;
	const struct conf_pool *p = s->pool == CONF_NO_POOL ? NULL : &c->pools[s->pool];

	return p ? &c->servers[p->first_server + below(g, p->n_servers)]
		 : &c->servers[below(g, c->n_servers)];
}

static void make_reply(struct generator *g, struct frame *f, struct layers *at)
{
	const struct conf *c = g->world->conf;
	const struct conf_service *s = &c->services[below(g, c->n_services)];
	const struct conf_server *server = a_server(g, s);
	struct addr dst = other(g, server->address.af);
	unsigned port = server->port ? server->port : service_port(g, s);

	at->protocol = service_protocol(g, s);
	put_ip(g, f, &server->address, &dst, at);
	put_transport(g, f, at, chance(g, 92) ? port : client_port(g), client_port(g));
	finish(g, f, at);
}

/* From a client to its service, or from a server of a service to somebody. */
static void begin_datagram(struct generator *g, struct generated_datagram *d)
{
	const struct generated_flow *flow = pick_flow(g);
	const struct conf *c = g->world->conf;
	const struct conf_service *s = flow->service;
	const struct conf_server *server = a_server(g, s);

	*d = (struct generated_datagram){
		.source = flow->client,
		.target = c->vips[s->vip].address,
		.protocol = s->protocol,
		.sport = flow->port,
		.dport = chance(g, 92) ? s->port : client_port(g),
		.id = (unsigned)draw(g) & 0xffff,
	};
	if (chance(g, 70))
		return;
	d->source = server->address;
	d->target = other(g, server->address.af);
	d->sport = server->port ? server->port : s->port;
	d->dport = flow->port;
}

static void put_place(struct frame *f, struct layers *at, const struct generated_datagram *d,
	unsigned from, bool more)
{
	if (!at->is6) {
		set16(f, at->l3 + 4, d->id);
		set16(f, at->l3 + 6, from | more << 13);
		return;
	}
	f->bytes[at->next] = 44;
	at->next = f->len;
	put8(f, at->protocol);
	put8(f, 0);
	put16(f, from << 3 | more);
	put16(f, 0);
	put16(f, d->id);
	at->l4 = f->len;
}

/* One part of a packet: the first mostly in its turn, the others in any order, some of them twice. */
static void make_fragment(struct generator *g, struct frame *f, struct layers *at)
{
	struct generated_datagram *d = &g->datagrams[below(g, GENERATED_DATAGRAMS)];
	unsigned from, units = chance(g, 3) ? 140 + below(g, 40) : 1 + below(g, 9);
	bool more = chance(g, 85);

	if (!d->source.af || chance(g, 12))
		begin_datagram(g, d);
	from = d->end && chance(g, 25) ? below(g, 100) : d->end;
	if (!d->end && chance(g, 15))
		from = 1 + below(g, 8191);
	at->protocol = d->protocol;
	put_ip(g, f, &d->source, &d->target, at);
	put_place(f, at, d, from, from ? more : chance(g, 97));
	if (!from)
		put_transport(g, f, at, d->sport, d->dport);
	if (!from && chance(g, 10))
		f->len = at->l4 + 8 * below(g, 4);
	else if (from)
		put_random(g, f, units * 8 - (more && !chance(g, 3) ? 0 : below(g, 8)));
	while (!from && (f->len - at->l4) % 8 && chance(g, 99))
		put8(f, 0);
	if (from == d->end)
		d->end += (unsigned)(f->len - at->l4) / 8;
	finish(g, f, at);
}

static void make_echo(struct generator *g, struct frame *f, struct layers *at)
{
	static const uint8_t types[] = { 8, 8, 8, 8, 0, 3, 5, 128, 128, 128, 128, 129, 2, 135,
		136 };
	static const uint8_t firsts[] = { 0, 224, 239, 240, 255 };
	const struct addr *dst = ours(g);
	struct addr src = other(g, dst->af);

	if (chance(g, 10)) {
		memset(src.bytes, 0, sizeof src.bytes);
		src.bytes[0] = PICK(g, firsts);
	}
	at->protocol = dst->af == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	put_ip(g, f, &src, dst, at);
	put8(f, chance(g, 80) ? (dst->af == 6 ? 128 : 8) : PICK(g, types));
	put8(f, chance(g, 5));
	put16(f, 0);
	put_random(g, f, 4);
	put_payload(g, f);
	finish(g, f, at);
}

/* An ICMP error about what a flow's server sent, or about what a server got of it. */
static void make_error(struct generator *g, struct frame *f, struct layers *at)
{
	static const uint8_t types[][6] = { { 3, 3, 3, 11, 12, 4 }, { 1, 2, 2, 3, 4, 5 } };
	const struct generated_flow *flow = pick_flow(g);
	const struct conf *c = g->world->conf;
	const struct conf_service *s = flow->service;
	const struct conf_server *server = a_server(g, s);
	const struct addr *vip = &c->vips[s->vip].address;
	bool out = chance(g, 40), is6 = vip->af == 6;
	const struct addr *end = out ? &server->address : vip, *to = out ? &flow->client : vip;
	unsigned port = out && server->port ? server->port : flow->dport;
	struct frame quoted = { 0 };
	struct layers in = { .protocol = service_protocol(g, s) };
	struct addr from = chance(g, 10) ? *end : other(g, vip->af);

	if (chance(g, 15))
		from = listed(g, s, from);
	put_ip(g, &quoted, out ? &flow->client : end, out ? end : &flow->client, &in);
	put_transport(g, &quoted, &in, out ? flow->port : port, out ? port : flow->port);
	finish(g, &quoted, &in);
	if (chance(g, 60))
		quoted.len = in.l4 + below(g, 30);
	at->protocol = is6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	put_ip(g, f, &from, chance(g, 5) ? ours_of(g, vip->af) : to, at);
	put8(f, PICK(g, types[is6]));
	put8(f, below(g, 6));
	put16(f, 0);
	put_random(g, f, 4);
	put(f, quoted.bytes + in.l3, quoted.len - in.l3);
	finish(g, f, at);
}

static void make_arp(struct generator *g, struct frame *f, struct layers *at)
{
	struct addr target = chance(g, 80) ? *ours_of(g, 4) : other(g, 4);

	(void)at;
	put16(f, 0x0806);
	put(f, "\0\1\10\0\6\4", 6);
	put16(f, chance(g, 90) ? 1 : below(g, 5));
	put_random(g, f, 10);
	put_random(g, f, 6);
	put(f, target.bytes, 4);
	if (chance(g, 50))
		for (unsigned i = 0; i < 18; i++)
			put8(f, 0);
}

static void make_nd(struct generator *g, struct frame *f, struct layers *at)
{
	struct addr target = chance(g, 85) ? *ours_of(g, 6) : other(g, 6);
	struct addr dst = { 6, { 0xff, 2, [11] = 1, [12] = 0xff } }, src = other(g, 6);

	memcpy(dst.bytes + 13, target.bytes + 13, 3);
	if (chance(g, 20))
		dst = target;
	if (chance(g, 25))
		memset(src.bytes, 0, sizeof src.bytes);
	dst.af = 6;
	at->protocol = IPPROTO_ICMPV6;
	put_ip(g, f, &src, &dst, at);
	if (chance(g, 90))
		f->bytes[at->l3 + 7] = 255;
	put8(f, chance(g, 92) ? 135 : 136);
	put8(f, chance(g, 5));
	put16(f, 0);
	put_random(g, f, 4);
	put(f, target.bytes, 16);
	for (unsigned n = below(g, 4); n; n--) {
		put16(f, 0x0101);
		put_random(g, f, 6);
	}
	finish(g, f, at);
}

/* A protocol that is not looked into, or a frame that is no IP at all. */
static void make_stranger(struct generator *g, struct frame *f, struct layers *at)
{
	static const uint8_t protocols[] = { 2, 1, 58, 47, 50, 51, 59, 132, 255 };
	static const uint16_t types[] = { 0x88cc, 0x8847, 0x8864, 0x9100, 0x0026, 0x0800, 0x86dd,
		0x0806 };
	const struct addr *dst = ours(g);
	struct addr src = other(g, dst->af);

	if (chance(g, 30)) {
		put16(f, PICK(g, types));
		put_random(g, f, below(g, 80));
		return;
	}
	at->protocol = PICK(g, protocols);
	put_ip(g, f, &src, dst, at);
	put_random(g, f, 8 + below(g, 40));
	finish(g, f, at);
}

static void cut_off(struct generator *g, struct frame *f, const struct layers *at)
{
	(void)at;
	f->len = below(g, chance(g, 70) && f->len > 120 ? 120 : f->len + 1);
}

static void flip_bit(struct generator *g, struct frame *f, const struct layers *at)
{
	(void)at;
	f->bytes[below(g, f->len > 110 ? 110 : f->len)] ^= (uint8_t)(1 << below(g, 8));
}

static void set_edge(struct generator *g, struct frame *f, const struct layers *at)
{
	static const uint8_t edges[] = { 0, 1, 4, 5, 6, 7, 8, 15, 17, 43, 44, 58, 60, 0x45, 0x4f,
		0x60, 0x7f, 0x80, 0xf0, 0xff };

	(void)at;
	f->bytes[below(g, f->len > 110 ? 110 : f->len)] = PICK(g, edges);
}

/* A length that is wrong by a little. */
static void lie(struct generator *g, struct frame *f, const struct layers *at)
{
	const size_t fields[] = { at->l3 + 2, at->l3 + 4, at->l4 + 4, at->l4 + 2 };
	size_t field = PICK(g, fields);

	if (at->l3 && field + 2 <= f->len)
		set16(f, field, (get16(f->bytes + field) + below(g, 33) - 16) & 0xffff);
}

/* The numbers that say how long headers are, and what comes next. */
static void lie_in_a_header(struct generator *g, struct frame *f, const struct layers *at)
{
	const size_t fields[] = { at->l3, at->l3 + 6, at->l3 + 9, at->l3 + 41, at->l4 + 12,
		at->next };
	size_t field = PICK(g, fields);

	if (at->l3 && field < f->len)
		f->bytes[field] =
			(uint8_t)(f->bytes[field] + (below(g, 3) - 1) * (1 + 15 * below(g, 2)));
}

static void stack_tag(struct generator *g, struct frame *f, const struct layers *at)
{
	uint8_t tag[] = { chance(g, 70) ? 0x81 : 0x88, 0, 0, (uint8_t)draw(g) };

	(void)at;
	if (tag[0] == 0x88)
		tag[1] = 0xa8;
	if (f->len < 14 || f->len + sizeof tag > sizeof f->bytes)
		return;
	memmove(f->bytes + 12 + sizeof tag, f->bytes + 12, f->len - 12);
	memcpy(f->bytes + 12, tag, sizeof tag);
	f->len += sizeof tag;
}

static void damage(struct generator *g, struct frame *f, const struct layers *at)
{
	static void (*const ways[])(struct generator *, struct frame *, const struct layers *) = {
		cut_off, flip_bit, set_edge, set_edge, lie, lie, lie_in_a_header, stack_tag
	};

	for (unsigned n = 1 + below(g, 2); n && f->len; n--)
		PICK(g, ways)(g, f, at);
}

void generate_heard(struct generator *g, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	peers_hear(&g->peers, g->world->conf, ifindex, frame, len);
}

/* A frame that has nothing to do with what came before, or is of a flow that did. */
static void make_any(struct generator *g, uint32_t *ifindex, struct frame *f)
{
	static void (*const makers[])(
		struct generator *, struct frame *, struct layers *) = { make_request, make_request,
		make_request, make_request, make_request, make_request, make_request, make_request,
		make_reply, make_reply, make_error, make_error, make_fragment, make_fragment,
		make_echo, make_arp, make_nd, make_stranger, make_syn, make_syn };
	const struct world *w = &g->world->world;
	unsigned link = below(g, w->n_links);
	struct layers at = { 0 };

	f->len = 0;
	put_macs(g, f, link);
	PICK(g, makers)(g, f, &at);
	if (chance(g, 15))
		put_random(g, f, 1 + below(g, 40));
	if (chance(g, 45))
		damage(g, f, &at);
	while (f->len < 14)
		put8(f, 0);
	*ifindex = w->stacks[link].device;
}

void generate(struct generator *g, uint32_t *ifindex, struct frame *f)
{
	const struct layers none = { 0 };

	if (!chance(g, 20) || !peers_answer(&g->peers, &g->state, ifindex, f)) {
		make_any(g, ifindex, f);
	} else if (chance(g, 8)) {
		damage(g, f, &none);
		while (f->len < 14)
			put8(f, 0);
	}
}
