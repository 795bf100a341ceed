/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ICMP errors about packets of a service, on their way to the flow's other end. What clients or routers on their side send
 * to a VIP goes to the flow's server; under nat, what servers or routers on their side send to a client goes there under
 * the VIP. rare.h notes the error and its quote, and the body calls this next: from a place of its own, if it likes.
 *
 * Errors read records, and never make, refresh or evict one. No error is answered by another.
 *
 * The body defines before it includes this file what synproxy.h asks for. */
#pragma once
#include "dataplane/l4/packet.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/quoted.h"

L4_INLINE bool l4_is_same_address(const uint32_t a[4], const uint32_t b[4])
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

/* The source of packets to a VIP as a guard looks at it: who sent an error, or the client that it is about. */
L4_INLINE struct l4_guarded l4_error_end_of(const struct l4_flow *flow, uint32_t what)
{
	struct l4_guarded p = l4_guarded_source(flow);

	p.what |= what;
	if (l4_is_same_address(flow->src, flow->dst))
		p.what |= L4_GUARDED_ITSELF;
	return p;
}

/* Sends the error on with `to` as its source or destination, and in the quote. */
L4_INLINE enum l4_verdict l4_send_error(struct l4_walk *w, const struct l4_frame *f,
	const struct l4_packet *q, uint32_t row, const struct l4_end *to, bool source,
	enum l4_verdict done, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	enum l4_verdict why;
	const struct l4_neighbour *n = l4_next_hop(w, row, 0, &why);

	if (!n)
		return why;
	if (!(p->flow.is6 ? l4_translate_error6(f, p, q, source, to)
			  : l4_translate_error4(f, p, q, source, to)))
		return L4_V_MALFORMED;
	return l4_pass_on(w, f, n, r) ? done : L4_V_MALFORMED;
}

/* The flow whose server had sent the quoted packet, as its client's packets have it. */
L4_INLINE void l4_flow_of_quote(struct l4_flow *flow, const struct l4_flow *quoted)
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		flow->src[i] = quoted->dst[i];
	flow->sport = quoted->dport;
	flow->dport = quoted->sport;
	flow->protocol = quoted->protocol;
}

/* Takes up the way of an error where rare.h left it. */
L4_INLINE bool l4_error_begin(
	struct l4_walk *w, struct l4_packet *q, const struct l4_tables *t, struct l4_result *r)
{
	const struct l4_note *note = l4_tables_note(t);

	*r = (struct l4_result){ 0 };
	if (!note || !l4_walk_begin(w, t))
		return false;
	l4_walk_clear(w);
	w->port = NULL; /* nothing goes back there */
	r->vip_id = note->vip_id;
	w->packet = note->quote.error;
	w->packet.l3 &= L4_L3_MASK;
	w->packet.l4 &= L4_PAYLOAD_MASK;
	*q = note->quote.quoted;
	q->l3 &= L4_PAYLOAD_MASK;
	q->l4 &= L4_PAYLOAD_MASK;
	return true;
}

/* An error of so many bytes that cannot go on is not answered; but neighbours are asked for. */
L4_INLINE enum l4_verdict l4_error_end(
	struct l4_walk *w, enum l4_verdict v, uint32_t bytes, const struct l4_result *r)
{
	if (w->tags)
		return l4_note_tags(w, v, bytes, r);
	return w->link ? l4_note(w, v, r) : v;
}

/* If a SYN cookie began the flow in hand, what is quoted of it gets its server's sequence number. */
L4_INLINE bool l4_error_shift(
	const struct l4_walk *w, const struct l4_frame *f, const struct l4_packet *q)
{
	uint64_t hash = l4_flow_hash(w->root->flow_key, &w->packet.flow);
	struct l4_proxied_bucket *b = l4_tables_proxied(w->tables, hash);
	struct l4_proxied_found found;

	if (!b)
		return true;
	found = l4_proxied_find(b, hash, l4_tables_now(w->tables));
	if (!found.at || l4_proxied_state(found.what) == L4_PROXIED_ASKED)
		return true;
	l4_tell(w->tables, L4_STEP_SYNPROXY, L4_PROXY_TRANSLATES, found.shift);
	return l4_shift_quote(f, &w->packet, q, -found.shift);
}

/* To a server, by the mode of the service. */
L4_INLINE enum l4_verdict l4_error_forward(struct l4_walk *w, struct l4_frame *f,
	const struct l4_packet *q, const struct l4_service *s, const struct l4_member *m,
	uint64_t hash, struct l4_result *r)
{
	enum l4_verdict v;
	struct l4_end to;

	if (s->forward == L4_FORWARD_TUNNEL)
		return l4_send_tunnel(w, f, s, m, hash, r);
	if (s->forward == L4_FORWARD_DSR)
		return l4_send(w, f, m->neighbour, NULL, false, L4_V_FORWARDED, r);
	l4_member_end(m, w->packet.flow.dport, &to);
	v = l4_send_error(w, f, q, m->neighbour, &to, false, L4_V_FORWARDED, r);
	if (v == L4_V_FORWARDED && s->flags & L4_SERVICE_COOKIES && !l4_error_shift(w, f, q))
		return L4_V_MALFORMED;
	return v;
}

/* The service of the flow in hand, or NULL. */
L4_INLINE const struct l4_service *l4_error_service(struct l4_walk *w)
{
	const struct l4_flow *flow = &w->packet.flow;
	uint8_t is6 = flow->is6 ? L4_KIND_IS6 : 0;
	uint64_t sum = l4_ml_address(w->keys->k, is6, flow->dst);
	const struct l4_address *ours;
	const struct l4_service *s = l4_find(
		w, flow->dst, sum, l4_key_tail(flow->dport, flow->protocol, L4_KIND_SERVICE | is6));

	if (s)
		return s;
	ours = l4_find(w, flow->dst, sum, l4_key_tail(0, 0, L4_KIND_ADDRESS | is6));
	return ours ? l4_service_else(w, ours) : NULL;
}

/* The body's way to l4_guard_error(). */
static enum l4_verdict l4_tables_guard_error(
	const struct l4_tables *t, const struct l4_guard *g, struct l4_guarded p);

/* L4_V_FORWARDED when the guard of the flow's service lets an error by this source pass, or why it is dropped. */
L4_INLINE enum l4_verdict l4_error_pass_guard(
	const struct l4_walk *w, const struct l4_service *s, struct l4_guarded router)
{
	const struct l4_guard *g = l4_tables_line(w->tables, s->guard);
	enum l4_verdict v = L4_V_ENGINE_FAULT;

	if (g)
		v = l4_tables_guard_error(w->tables, g, router);
	if (v == L4_V_FORWARDED)
		v = l4_tables_guard_error(w->tables, g, l4_error_end_of(&w->packet.flow, 0));
	l4_tell(w->tables, L4_STEP_GUARD, v, s->guard);
	return v;
}

/* An error about what one of our addresses is said to have sent. */
L4_INLINE enum l4_verdict l4_error_to_server(
	struct l4_walk *w, struct l4_frame *f, const struct l4_packet *q, struct l4_result *r)
{
	struct l4_flow *flow = &w->packet.flow;
	struct l4_guarded router = l4_error_end_of(flow, L4_GUARDED_ROUTER);
	const struct l4_member *m = NULL;
	const struct l4_service *s;
	enum l4_verdict v;
	uint64_t hash;
	uint32_t line;

	if (!l4_is_same_address(flow->dst, q->flow.src))
		return L4_V_ICMP_NO_FLOW;
	l4_flow_of_quote(flow, &q->flow);
	s = l4_error_service(w);
	if (!s)
		return L4_V_ICMP_NO_FLOW;
	r->service_id = s->id;
	if (s->guard) {
		v = l4_error_pass_guard(w, s, router);
		if (v != L4_V_FORWARDED)
			return v;
	}
	if (s->forward == L4_FORWARD_LOCAL)
		return l4_note_local(w, s);
	if (!s->n_members)
		return L4_V_NO_SERVER;
	if (w->packet.ttl <= 1)
		return L4_V_TTL_EXCEEDED;
	hash = l4_service_hash(w, s);
	line = l4_peek(w, s, hash);
	l4_tell(w->tables, L4_STEP_SERVER, line, 0);
	if (line)
		m = l4_tables_line(w->tables, line);
	if (!m)
		return L4_V_NO_SERVER;
	if (m->neighbour == L4_NO_NEIGHBOUR)
		return L4_V_NO_ROUTE;
	v = l4_error_forward(w, f, q, s, m, hash, r);
	if (v == L4_V_FORWARDED)
		r->server_id = m->id;
	return v;
}

/* An error about what a client had sent, if that was translated to a nat service's server. */
L4_INLINE enum l4_verdict l4_error_to_client(
	struct l4_walk *w, const struct l4_frame *f, const struct l4_packet *q, struct l4_result *r)
{
	uint8_t is6 = w->packet.flow.is6 ? L4_KIND_IS6 : 0;
	const struct l4_reverse *rev = NULL;
	uint64_t sum = l4_ml_address(w->keys->k, is6, q->flow.dst);
	enum l4_verdict v;
	struct l4_end to;
	uint32_t row;

	if (l4_is_same_address(w->packet.flow.dst, q->flow.src) && l4_filter_has(w, sum))
		rev = l4_find_reverse(w, q->flow.dst, sum, q->flow.protocol, q->flow.dport);
	if (!rev)
		return L4_V_NOT_OURS;
	v = l4_reply_way(w, rev, r, &row);
	if (v != L4_V_REPLIED)
		return v;
	l4_reverse_end(rev, q->flow.dport, &to);
	return l4_send_error(w, f, q, row, &to, true, L4_V_REPLIED, r);
}

/* An error about a tunnel, perhaps of ours: the control plane is to learn of its MTU, and the host gets it as it is. */
L4_INLINE enum l4_verdict l4_error_about_tunnel(
	const struct l4_walk *w, const struct l4_frame *f, const struct l4_packet *q)
{
	const struct l4_icmp *icmp = l4_at(f, w->packet.l4, sizeof *icmp);
	struct l4_note *note = l4_tables_note(w->tables);
	uint32_t mtu = icmp ? l4_icmp_mtu(icmp, q->flow.is6) : 0;

	if (!note || !mtu || !l4_may_be_tunnel(q) ||
		!l4_is_same_address(w->packet.flow.dst, q->flow.src))
		return L4_V_NOT_OURS;
	l4_tell(w->tables, L4_STEP_PATH_MTU, mtu, 0);
	note->why = L4_V_NOT_OURS;
	note->want.ifindex = 0;
	note->want.is6 = q->flow.is6;
	note->want.mtu = mtu;
	note->want.port = q->flow.protocol == L4_PROTO_UDP ? q->flow.dport : 0;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		note->want.address[i] = q->flow.dst[i];
		note->want.from[i] = q->flow.src[i];
	}
	return L4_NEXT_WANT;
}

/* As l4_process(), for an error about a packet of ours. */
L4_INLINE enum l4_verdict l4_error_in(
	const struct l4_tables *t, struct l4_frame *f, struct l4_result *r)
{
	uint32_t bytes = f->len;
	struct l4_packet q;
	struct l4_walk w;

	if (!l4_error_begin(&w, &q, t, r))
		return L4_V_ENGINE_FAULT;
	return l4_error_end(&w, l4_error_to_server(&w, f, &q, r), bytes, r);
}

/* The same for an error to someone else. */
L4_INLINE enum l4_verdict l4_error_out(
	const struct l4_tables *t, struct l4_frame *f, struct l4_result *r)
{
	enum l4_verdict v = L4_V_NOT_OURS;
	uint32_t bytes = f->len;
	struct l4_packet q;
	struct l4_walk w;

	if (!l4_error_begin(&w, &q, t, r))
		return v;
	if (!l4_is_tunnel(&q))
		v = l4_error_to_client(&w, f, &q, r);
	if (v == L4_V_NOT_OURS)
		return l4_error_about_tunnel(&w, f, &q);
	return l4_error_end(&w, v, bytes, r);
}
