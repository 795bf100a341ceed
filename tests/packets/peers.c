/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/peers.h"
#include <netinet/in.h>
#include "tests/packets/bytes.h"
#include "tests/packets/random.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, KINDS = FIN | SYN | RST | ACK };

/* A TCP header in the making. */
struct segment {
	unsigned sport, dport, window;
	uint32_t seq, ack;
	uint8_t flags;
	unsigned n_options;
	uint8_t options[40];
};

#define PICK(state, array) ((array)[random_below(state, sizeof(array) / sizeof *(array))])

/* One end of a connection. */
struct end {
	struct addr address;
	unsigned port;
};

static bool has_port(const struct conf_service *s, unsigned port)
{
	for (unsigned i = 0; i < s->ports.n; i++)
		if (s->ports.list[i].first <= port && port <= s->ports.list[i].last)
			return true;
	return false;
}

static bool is_at(const struct addr *a, const struct end *e)
{
	return a->af == e->address.af && !memcmp(a->bytes, e->address.bytes, addr_size(a));
}

static bool has_server(const struct conf *c, const struct conf_service *s, const struct end *e)
{
	const struct conf_pool *p = &c->pools[s->pool];

	for (unsigned i = 0; i < p->n_servers; i++) {
		const struct conf_server *server = &c->servers[p->first_server + i];

		if (is_at(&server->address, e) &&
			(server->port ? server->port == e->port : has_port(s, e->port)))
			return true;
	}
	return false;
}

/* Whether a segment is from a service with SYN cookies, or for one of its servers. */
static bool concerns(const struct conf *c, const struct end *src, const struct end *dst)
{
	for (unsigned i = 0; i < c->n_services; i++) {
		const struct conf_service *s = &c->services[i];

		if (s->syn_cookies != CONF_SYN_COOKIES_AUTO || s->pool == CONF_NO_POOL)
			continue;
		if ((is_at(&c->vips[s->vip].address, src) && has_port(s, src->port)) ||
			has_server(c, s, dst))
			return true;
	}
	return false;
}

static bool is_tag(unsigned ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8;
}

/* Finds the headers of a TCP segment without extension headers; false: it is none, or not all of it is here. */
static bool read_heard(struct peers_heard *h, const uint8_t *frame, size_t len)
{
	size_t end = 0;

	for (h->l3 = 14; h->l3 + 44 <= len && is_tag(get16(frame + h->l3 - 2));)
		h->l3 += 4;
	if (h->l3 + 40 > len)
		return false;
	h->is6 = get16(frame + h->l3 - 2) == 0x86dd;
	if (!h->is6 && get16(frame + h->l3 - 2) != 0x0800)
		return false;
	if (h->is6) {
		h->l4 = h->l3 + 40;
		end = h->l4 + get16(frame + h->l3 + 4);
	} else {
		h->l4 = h->l3 + (frame[h->l3] & 15) * 4u;
		end = h->l3 + get16(frame + h->l3 + 2);
	}
	if (frame[h->l3 + (h->is6 ? 6 : 9)] != IPPROTO_TCP || end > len || h->l4 + 20 > end ||
		h->l4 + 20 > PEERS_KEPT || (!h->is6 && get16(frame + h->l3 + 6) & 0x1fff))
		return false;
	if (h->l4 + (frame[h->l4 + 12] >> 4) * 4u > end)
		return false;
	h->data = (unsigned)(end - h->l4) - (frame[h->l4 + 12] >> 4) * 4u;
	memcpy(h->bytes, frame, h->l4 + 20);
	return true;
}

static void address_at(struct addr *a, const struct peers_heard *h, bool source)
{
	size_t size = h->is6 ? 16 : 4, first = h->l3 + (h->is6 ? 8 : 12);

	*a = (struct addr){ .af = h->is6 ? 6 : 4 };
	memcpy(a->bytes, h->bytes + first + (source ? 0 : size), size);
}

static void end_at(struct end *e, const struct peers_heard *h, bool source)
{
	address_at(&e->address, h, source);
	e->port = get16(h->bytes + h->l4 + (source ? 0 : 2));
}

void peers_hear(
	struct peers *p, const struct conf *c, uint32_t ifindex, const uint8_t *frame, size_t len)
{
	struct peers_heard h = { .ifindex = ifindex };
	struct end src, dst;

	if (!read_heard(&h, frame, len))
		return;
	end_at(&src, &h, true);
	end_at(&dst, &h, false);
	if (concerns(c, &src, &dst))
		p->heard[p->next++ % PEERS_HEARD] = h;
}

bool peers_may_be_rewritten(const struct conf *c, const uint8_t *frame, size_t len)
{
	struct peers_heard h = { 0 };
	struct end src, dst;

	if (!read_heard(&h, frame, len))
		return false;
	end_at(&src, &h, true);
	end_at(&dst, &h, false);
	return concerns(c, &dst, &src);
}

static void add_byte(struct segment *s, unsigned value)
{
	if (s->n_options < sizeof s->options)
		s->options[s->n_options++] = (uint8_t)value;
}

/* Behind up to three bytes of padding, so that it lies anywhere. Lengths are wrong at times. */
static void add_option(
	uint64_t *state, struct segment *s, unsigned kind, const uint8_t *bytes, unsigned n)
{
	static const uint8_t lengths[] = { 0, 1, 2, 3, 4, 9, 11, 40, 255 };

	for (unsigned pad = random_chance(state, 60) ? random_below(state, 4) : 0; pad; pad--)
		add_byte(s, 1);
	if (s->n_options + 2 + n > sizeof s->options)
		return;
	add_byte(s, kind);
	add_byte(s, random_chance(state, 2) ? PICK(state, lengths) : 2 + n);
	for (unsigned i = 0; i < n; i++)
		add_byte(s, bytes[i]);
}

static void add_times(uint64_t *state, struct segment *s)
{
	uint64_t times = random_draw(state);

	add_option(state, s, 8, (const uint8_t *)&times, 8);
}

/* What ends say in SYNs, in any order. */
static void add_syn_options(uint64_t *state, struct segment *s)
{
	static const uint16_t sizes[] = { 0, 1, 535, 536, 1219, 1220, 1299, 1300, 1420, 1439, 1440,
		1459, 1460, 8940, 65535 };
	static const uint8_t scales[] = { 0, 1, 2, 6, 7, 8, 9, 13, 14, 15, 255 };

	for (unsigned n = 4, first = random_below(state, 4); n; n--) {
		unsigned size = PICK(state, sizes), scale = PICK(state, scales);

		if (random_chance(state, 25))
			continue;
		switch ((first + n) % 4) {
		case 0:
			add_option(
				state, s, 2, (uint8_t[]){ (uint8_t)(size >> 8), (uint8_t)size }, 2);
			break;
		case 1:
			add_option(state, s, 3, (uint8_t[]){ (uint8_t)scale }, 1);
			break;
		case 2:
			add_option(state, s, 4, NULL, 0);
			break;
		default:
			add_times(state, s);
		}
	}
}

/* What they say later: blocks of selective acknowledgements above what is acknowledged. */
static void add_options(uint64_t *state, struct segment *s)
{
	uint8_t blocks[4 * 8] = { 0 };
	unsigned n = random_chance(state, 40) ? 1 + random_below(state, 4) : 0;

	for (unsigned i = 0; i < 2 * n; i++) {
		uint32_t at = s->ack + 1000 * i + random_below(state, 1000);

		for (unsigned k = 0; k < 4; k++)
			blocks[4 * i + k] = (uint8_t)(at >> (24 - 8 * k));
	}
	if (random_chance(state, 30))
		add_times(state, s);
	if (n)
		add_option(state, s, 5, blocks, 8 * n);
}

static void put_segment(uint64_t *state, struct frame *f, struct segment *s)
{
	unsigned pad = random_chance(state, 50);

	while (s->n_options % 4)
		add_byte(s, pad);
	put16(f, s->sport);
	put16(f, s->dport);
	put32(f, s->seq);
	put32(f, s->ack);
	put8(f, (5 + s->n_options / 4) << 4);
	put8(f, s->flags);
	put16(f, s->window);
	put32(f, 0);
	put(f, s->options, s->n_options);
}

void peers_put_syn(uint64_t *state, struct frame *f, unsigned sport, unsigned dport, uint32_t seq)
{
	struct segment s = { sport, dport, random_below(state, 65536), seq, 0, SYN, 0, { 0 } };

	add_syn_options(state, &s);
	put_segment(state, f, &s);
}

/* A server that got a SYN: by its numbers alone, so that it says the same to one that comes again. */
static unsigned answer_syn(uint64_t *state, const struct peers_heard *h, struct segment *s)
{
	const uint32_t isn = 0x9e3779b1u * (get32(h->bytes + h->l4 + 4) ^ s->dport);

	s->ack = get32(h->bytes + h->l4 + 4) + 1 + random_chance(state, 3);
	if (random_chance(state, 12)) {
		s->flags = random_chance(state, 80) ? RST | ACK : RST;
		return 0;
	}
	s->seq = isn;
	s->flags = random_chance(state, 92) ? SYN | ACK : ACK;
	if (s->flags & SYN)
		add_syn_options(state, s);
	else
		s->ack = (uint32_t)random_draw(state);
	return 0;
}

/* A client that got a SYN-ACK, or somebody who guesses. The bytes of data that it sends. */
static unsigned answer_synack(uint64_t *state, struct segment *s)
{
	static const uint8_t flags[] = { ACK, ACK, ACK, ACK, ACK, ACK, ACK, ACK | PSH, ACK | FIN,
		RST };
	static const uint32_t wrong[] = { 1, UINT32_MAX, 256, 512, 0x80000000 };

	s->flags = PICK(state, flags);
	if (random_chance(state, 12))
		s->seq--;
	if (random_chance(state, 8))
		*(random_chance(state, 50) ? &s->seq : &s->ack) += PICK(state, wrong);
	if (random_chance(state, 40))
		add_options(state, s);
	return s->flags & PSH || random_chance(state, 4) ? random_below(state, 100) : 0;
}

/* Whoever got anything else. */
static unsigned answer_segment(uint64_t *state, struct segment *s)
{
	static const uint8_t flags[] = { ACK, ACK, ACK, ACK, ACK, ACK, ACK, ACK, ACK | PSH,
		ACK | PSH, ACK | PSH, ACK | PSH, ACK | PSH, ACK | FIN, ACK | FIN, RST, RST | ACK,
		SYN, SYN | ACK };

	s->flags = PICK(state, flags);
	if (s->flags & SYN)
		add_syn_options(state, s);
	else
		add_options(state, s);
	if (random_chance(state, 5))
		s->ack = (uint32_t)random_draw(state);
	if (random_chance(state, 5))
		s->seq -= random_below(state, 3000);
	return s->flags & PSH || random_chance(state, 15) ? random_below(state, 300) : 0;
}

static void put_link(struct frame *f, const struct peers_heard *h)
{
	put(f, h->bytes + 6, 6);
	put(f, h->bytes, 6);
	put(f, h->bytes + 12, h->l3 - 12);
}

static void put_network(uint64_t *state, struct frame *f, const struct peers_heard *h)
{
	struct addr src, dst;

	address_at(&src, h, false);
	address_at(&dst, h, true);
	if (h->is6) {
		put32(f, 0x60000000 | random_below(state, 1 << 20));
		put32(f, IPPROTO_TCP << 8 | 64);
	} else {
		put32(f, 0x45000000);
		put32(f, (uint32_t)random_below(state, 65536) << 16 | random_below(state, 2) << 14);
		put32(f, 64u << 24 | IPPROTO_TCP << 16);
	}
	put(f, src.bytes, addr_size(&src));
	put(f, dst.bytes, addr_size(&dst));
}

static void fill_in(struct frame *f, size_t l3, bool is6)
{
	size_t l4 = l3 + (is6 ? 40 : 20), size = f->len - l4, from = l3 + (is6 ? 8 : 12);
	uint64_t sum = add_up(f->bytes + from, l4 - from, size + IPPROTO_TCP);

	if (is6) {
		set16(f, l3 + 4, (unsigned)size);
	} else {
		set16(f, l3 + 2, (unsigned)(f->len - l3));
		set16(f, l3 + 10, fold(add_up(f->bytes + l3, 20, 0)));
	}
	set16(f, l4 + 16, fold(add_up(f->bytes + l4, size, sum)));
}

/* A first fragment, with as much behind it as makes it one. */
static void make_first(struct frame *f, size_t l3)
{
	while ((f->len - l3 - 20) % 8)
		put8(f, 0);
	set16(f, l3 + 6, 0x2000);
}

bool peers_answer(struct peers *p, uint64_t *state, uint32_t *ifindex, struct frame *f)
{
	unsigned last = random_chance(state, 60) ? 4 : PEERS_HEARD;
	const struct peers_heard *h =
		&p->heard[(p->next - 1 - random_below(state, last)) % PEERS_HEARD];
	const uint8_t *tcp = h->bytes + h->l4;
	struct segment s = { 0 };
	unsigned data;

	if (!h->l4)
		return false;
	s.sport = get16(tcp + 2);
	s.dport = get16(tcp);
	s.window = random_below(state, 65536);
	s.seq = get32(tcp + 8);
	s.ack = get32(tcp + 4) + h->data + !!(tcp[13] & SYN) + !!(tcp[13] & FIN);
	if ((tcp[13] & KINDS) == SYN)
		data = answer_syn(state, h, &s);
	else if ((tcp[13] & KINDS) == (SYN | ACK))
		data = answer_synack(state, &s);
	else
		data = answer_segment(state, &s);
	f->len = 0;
	put_link(f, h);
	put_network(state, f, h);
	put_segment(state, f, &s);
	while (data--)
		put8(f, (unsigned)random_draw(state) & 0xff);
	if (!h->is6 && random_chance(state, 5))
		make_first(f, h->l3);
	fill_in(f, h->l3, h->is6);
	*ifindex = h->ifindex;
	return true;
}
