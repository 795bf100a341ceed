/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One packet through all stages, for bodies that take packets one after the other. The body defines what walk.h asks
 * for before it includes this file. What few packets need is in rare.h and refusal.h, which the body calls when it is told so.
 *
 * The same packet and the same table contents give the same verdict and the same bytes in every body. */
#pragma once
#include "dataplane/l4/flood.h"
#include "dataplane/l4/forward.h"
#include "dataplane/l4/guard.h"
#include "dataplane/l4/port.h"
#include "dataplane/l4/ports.h"
#include "dataplane/l4/tracked.h"
#include "dataplane/l4/tunnel.h"
#include "dataplane/l4/verdict.h"

/* Notes that the packet is larger than what fits, and whose word that is. */
L4_INLINE enum l4_verdict l4_too_big(struct l4_walk *w, uint32_t fits)
{
	w->refuse = L4_REFUSE_TOO_BIG;
	w->fits = fits;
	return L4_V_TOO_BIG;
}

/* Notes that the packet may not be passed on any more. */
L4_INLINE enum l4_verdict l4_expired(struct l4_walk *w)
{
	w->refuse = L4_REFUSE_EXPIRED;
	return L4_V_TTL_EXCEEDED;
}

/* Notes that a service has no server for the packet. */
L4_INLINE enum l4_verdict l4_no_server(struct l4_walk *w, const struct l4_service *s)
{
	if (s->flags & L4_SERVICE_REJECT)
		w->refuse = w->packet.flow.protocol == L4_PROTO_TCP ? L4_REFUSE_RESET
								    : L4_REFUSE_NO_PORT;
	return L4_V_NO_SERVER;
}

/* How the packet may be answered. */
L4_INLINE void l4_note_refusal(const struct l4_walk *w, struct l4_refusal *to)
{
	const struct l4_packet *p = &w->packet;

	to->kind = w->refuse;
	to->ifindex = w->port->device;
	to->is6 = p->flow.is6;
	to->l3 = p->l3;
	to->l4 = p->l4;
	to->ip_len = p->ip_len;
	to->mtu = w->fits;
	to->budget = w->root->answers;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		to->from[i] = w->reverse ? w->reverse->vip[i] : 0;
}

L4_INLINE void l4_note_want(const struct l4_walk *w, struct l4_want *to)
{
	to->mtu = 0;
	to->is6 = w->hop ? w->hop->is6 : w->packet.flow.is6;
	to->ifindex = w->link;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		to->address[i] = w->hop ? w->hop->address[i] : w->packet.flow.dst[i];
}

/* Leaves a packet that is dropped as `why` to who goes on with it. */
L4_INLINE enum l4_verdict l4_note(struct l4_walk *w, enum l4_verdict why, const struct l4_result *r)
{
	struct l4_note *note = l4_tables_note(w->tables);

	if (!note)
		return why;
	note->why = why;
	note->vip_id = r->vip_id;
	note->service_id = r->service_id;
	if (w->refuse) {
		if (w->packet.l4 == L4_HEADLESS)
			return why; /* RFC 1812, section 4.3.2.7 */
		l4_tell(w->tables, L4_STEP_REFUSAL, w->refuse, w->fits);
		l4_note_refusal(w, &note->refusal);
		return L4_NEXT_REFUSAL;
	}
	l4_note_want(w, &note->want);
	return L4_NEXT_WANT;
}

/* Leaves a packet that is `why` and ready to leave, but for its tags, to who goes on with it. */
L4_INLINE enum l4_verdict l4_note_tags(
	const struct l4_walk *w, enum l4_verdict why, uint32_t bytes, const struct l4_result *r)
{
	struct l4_note *note = l4_tables_note(w->tables);

	if (!note)
		return L4_V_ENGINE_FAULT;
	l4_tell(w->tables, L4_STEP_TAGS, w->tags[0], w->tags[1]);
	note->why = why;
	note->retag.result = *r;
	note->retag.bytes = bytes;
	note->retag.tag_bytes = w->packet.l3 - (uint32_t)sizeof(struct l4_eth);
	note->retag.tags[0] = w->tags[0];
	note->retag.tags[1] = w->tags[1];
	return L4_NEXT_TAGS;
}

/* Leaves a packet for a server of a service to who makes the tunnel to that. */
L4_INLINE enum l4_verdict l4_note_wrap(const struct l4_walk *w, const struct l4_frame *f,
	const struct l4_service *s, const struct l4_member *m, uint64_t hash)
{
	struct l4_note *note = l4_tables_note(w->tables);

	if (!note)
		return L4_V_ENGINE_FAULT;
	note->enclosed.result = (struct l4_result){ 0, s->vip_id, s->id, m->id };
	note->enclosed.bytes = f->len;
	note->enclosed.is6 = w->packet.flow.is6;
	note->enclosed.l3 = w->packet.l3;
	note->enclosed.ip_len = w->packet.ip_len;
	/* RFC 1812, section 4.3.2.7: neither of an ICMP error nor of a later fragment. */
	note->enclosed.answered = w->port && w->packet.l4 != L4_HEADLESS;
	note->enclosed.hash = hash;
	note->enclosed.server = *m;
	if (w->port)
		l4_note_refusal(w, &note->refusal);
	return L4_NEXT_WRAP;
}

/* Leaves a packet of a service of this host's own stack to who gets it there. */
L4_INLINE enum l4_verdict l4_note_local(const struct l4_walk *w, const struct l4_service *s)
{
	struct l4_note *note = l4_tables_note(w->tables);

	if (!note)
		return L4_V_ENGINE_FAULT;
	note->local = (struct l4_result){ .vip_id = s->vip_id, .service_id = s->id };
	if (w->port)
		l4_mac_copy(note->mac, w->port->mac);
	return L4_NEXT_LOCAL;
}

/* The packet leaves towards this next hop. */
L4_INLINE void l4_leave(struct l4_walk *w, const struct l4_neighbour *n, struct l4_result *r)
{
	r->ifindex = n->device;
	if (n->tags[0] || w->packet.l3 != sizeof(struct l4_eth))
		w->tags = n->tags;
}

/* The next hop of a packet that becomes `more` bytes longer on its way, or NULL and in *why the reason why it cannot
 * leave. */
L4_INLINE struct l4_neighbour *l4_next_hop(
	struct l4_walk *w, uint32_t row, uint32_t more, enum l4_verdict *why)
{
	struct l4_neighbour *n = l4_tables_neighbour(w->tables, row);

	*why = L4_V_NO_ROUTE;
	if (!n)
		return NULL;
	l4_tell(w->tables, L4_STEP_HOP, row, more);
	if (w->packet.ip_len + more > n->mtu) {
		*why = l4_too_big(w, n->mtu - more);
		return NULL;
	}
	if (!n->used && !l4_tables_way(w->tables))
		n->used = 1;
	if (!n->usable) {
		w->hop = n;
		w->link = n->ifindex;
		*why = L4_V_NO_NEIGHBOUR;
		return NULL;
	}
	return n;
}

/* Counts the packet's hop and addresses it to the next one. False when a header is not in the frame. */
L4_INLINE bool l4_pass_on(struct l4_walk *w, const struct l4_frame *f, const struct l4_neighbour *n,
	struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);

	if (p->flow.is6) {
		struct l4_ip6 *ip = l4_at(f, p->l3, sizeof *ip);

		if (!eth || !ip)
			return false;
		ip->hop_limit--;
	} else {
		struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip);

		if (!eth || !ip)
			return false;
		l4_forward_ttl4(ip);
	}
	l4_forward_link(eth, n);
	l4_leave(w, n, r);
	return true;
}

/* Writes what leaves towards a next hop: `to` replaces the source or destination, NULL neither. The verdict
 * is `done`, or the reason why the packet cannot leave, and then nothing was written. */
L4_INLINE enum l4_verdict l4_send(struct l4_walk *w, const struct l4_frame *f, uint32_t row,
	const struct l4_end *to, bool source, enum l4_verdict done, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	enum l4_verdict why;
	const struct l4_neighbour *n = l4_next_hop(w, row, 0, &why);

	if (!n)
		return why;
	if (to && !(p->flow.is6 ? l4_nat6(f, p, source, to) : l4_nat4(f, p, source, to)))
		return L4_V_MALFORMED;
	return l4_pass_on(w, f, n, r) ? done : L4_V_MALFORMED;
}

/* Wraps the packet up for a server and sends it to that one's next hop. */
L4_INLINE enum l4_verdict l4_send_tunnel(struct l4_walk *w, struct l4_frame *f,
	const struct l4_service *s, const struct l4_member *m, uint64_t hash, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	uint32_t room = p->flow.is6 ? L4_TUNNEL_ROOM6 : L4_TUNNEL_ROOM4;
	const struct l4_neighbour *n;
	enum l4_verdict why;
	struct l4_eth *eth;

	if (m->wrap != p->flow.is6)
		return m->wrap & L4_WRAP_NONE ? L4_V_NO_ROUTE : l4_note_wrap(w, f, s, m, hash);
	if (p->ip_len + room > m->mtu)
		return l4_too_big(w, m->mtu - room);
	n = l4_next_hop(w, m->neighbour, room, &why);
	if (!n)
		return why;
	if (!l4_tables_grow(w->tables, f, (int)room))
		return L4_V_ENGINE_FAULT;
	eth = l4_at(f, 0, sizeof *eth);
	if (!eth || !l4_tunnel_link(f, p->l3, room) ||
		!(p->flow.is6 ? l4_tunnel6(f, p, m, hash) : l4_tunnel4(f, p, m, hash)))
		return L4_V_ENGINE_FAULT;
	l4_forward_link(eth, n);
	l4_leave(w, n, r);
	return L4_V_FORWARDED;
}

/* Where a server of a nat service takes what clients send to `dport`. */
L4_INLINE void l4_member_end(const struct l4_member *m, uint16_t dport, struct l4_end *to)
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		to->address[i] = m->address[i];
	to->port = m->port ? m->port : dport;
}

L4_INLINE struct l4_guarded l4_guarded_source(const struct l4_flow *flow)
{
	if (!flow->is6)
		return (struct l4_guarded){ .low = __builtin_bswap32(flow->src[0]) };
	return (struct l4_guarded){
		l4_host64(flow->src[0], flow->src[1]),
		l4_host64(flow->src[2], flow->src[3]),
		L4_GUARDED_IS6,
	};
}

/* L4_V_FORWARDED when the service's guard lets the packet go on, or why it is dropped. */
L4_INLINE enum l4_verdict l4_pass_guard(
	const struct l4_walk *w, const struct l4_frame *f, const struct l4_service *s)
{
	const struct l4_guard *g = l4_tables_line(w->tables, s->guard);
	const struct l4_flow *flow = &w->packet.flow;
	struct l4_guarded p = l4_guarded_source(flow);
	const struct l4_tcp *tcp;

	if (!g)
		return L4_V_ENGINE_FAULT;
	if (g->checks & L4_GUARD_SOURCES && l4_coarse_holds(w->tables, g, p))
		p.what |= L4_GUARDED_LISTED;
	else if (g->others)
		return (enum l4_verdict)g->others;
	if (flow->src[0] == flow->dst[0] && flow->src[1] == flow->dst[1] &&
		flow->src[2] == flow->dst[2] && flow->src[3] == flow->dst[3])
		p.what |= L4_GUARDED_ITSELF;
	if (flow->sport == flow->dport)
		p.what |= L4_GUARDED_SAME_PORT;
	if (flow->protocol == L4_PROTO_TCP) {
		tcp = l4_at(f, w->packet.l4, sizeof *tcp);
		if (tcp)
			p.what |= L4_GUARDED_TCP | tcp->flags;
		else if (w->packet.l4 != L4_HEADLESS)
			return L4_V_MALFORMED;
	}
	return l4_tables_guard(w->tables, g, p);
}

/* Whether l4_synproxy() has seen the packet, so that what was asked before is not asked again. */
L4_INLINE bool l4_was_proxied(const struct l4_walk *w)
{
	const struct l4_note *note = l4_tables_note(w->tables);

	return note && note->proxy.done;
}

/* Whether SYN cookies may concern a segment to the service with this id, or from its server. */
L4_INLINE bool l4_wants_proxy(
	const struct l4_walk *w, const struct l4_frame *f, uint32_t service_id, bool reply)
{
	struct l4_flood *flood = l4_tables_flood(w->tables, service_id);
	const struct l4_tcp *tcp = l4_at(f, w->packet.l4, sizeof *tcp);

	if (!flood || !tcp)
		return false;
	if (l4_flood_has_proxied(flood))
		return true;
	if (reply)
		return false;
	return (tcp->flags & (L4_TCP_SYN | L4_TCP_ACK)) == L4_TCP_SYN ||
	       (flood->seen && l4_flood_has_cookies(flood, l4_tables_now(w->tables)));
}

/* Leaves a segment to l4_synproxy(); the rest of what that is told depends on whose it is. */
L4_INLINE struct l4_proxying *l4_note_proxy(
	const struct l4_walk *w, uint32_t service_id, uint32_t vip_id, bool reply)
{
	struct l4_note *note = l4_tables_note(w->tables);
	const struct l4_packet *p = &w->packet;

	if (!note)
		return NULL;
	note->proxy.service_id = service_id;
	note->proxy.vip_id = vip_id;
	note->proxy.l3 = p->l3;
	note->proxy.l4 = p->l4;
	note->proxy.ip_len = p->ip_len;
	note->proxy.part = p->part;
	note->proxy.reply = reply;
	note->proxy.done = false;
	return &note->proxy;
}

L4_INLINE enum l4_verdict l4_note_request(const struct l4_walk *w, const struct l4_service *s)
{
	struct l4_proxying *to = l4_note_proxy(w, s->id, s->vip_id, false);

	if (!to)
		return L4_V_ENGINE_FAULT;
	to->flow = w->packet.flow;
	to->syn_limit = s->syn_limit;
	to->idle = s->idle;
	to->local = s->forward == L4_FORWARD_LOCAL;
	to->ifindex = w->port ? w->port->device : 0;
	to->mtu = w->port ? w->port->mtu : 0;
	return L4_NEXT_SYNPROXY;
}

/* `end` is what the server's packets are translated back to. */
L4_INLINE enum l4_verdict l4_note_reply(
	const struct l4_walk *w, const struct l4_reverse *rev, const struct l4_end *end)
{
	struct l4_proxying *to = l4_note_proxy(w, rev->service_id, rev->vip_id, true);
	const struct l4_flow *flow = &w->packet.flow;

	if (!to)
		return L4_V_ENGINE_FAULT;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		to->flow.src[i] = flow->dst[i];
		to->flow.dst[i] = end->address[i];
	}
	to->flow.sport = flow->dport;
	to->flow.dport = end->port;
	to->flow.protocol = flow->protocol;
	to->flow.is6 = flow->is6;
	return L4_NEXT_SYNPROXY;
}

/* What stands before a service that has L4_SERVICE_SHIELDED: who may send it what, and the answer to floods of SYNs.
 * L4_V_FORWARDED: the packet goes on. What goes nowhere behind that gets no cookie either. */
L4_INLINE enum l4_verdict l4_shield(
	struct l4_walk *w, const struct l4_frame *f, const struct l4_service *s)
{
	bool goes_on = s->n_members ? w->packet.ttl > 1 : s->forward == L4_FORWARD_LOCAL;
	enum l4_verdict v;

	if (s->flags & L4_SERVICE_COOKIES && l4_was_proxied(w))
		return L4_V_FORWARDED;
	if (s->guard) {
		v = l4_pass_guard(w, f, s);
		l4_tell(w->tables, L4_STEP_GUARD, v, s->guard);
		if (v != L4_V_FORWARDED)
			return v;
	}
	return goes_on && s->flags & L4_SERVICE_COOKIES && l4_wants_proxy(w, f, s->id, false)
		       ? l4_note_request(w, s)
		       : L4_V_FORWARDED;
}

/* A packet of a service: to the server that its flow's slot or record names. known: the flow; NULL: it is not found yet. */
L4_INLINE enum l4_verdict l4_process_service(struct l4_walk *w, struct l4_frame *f,
	const struct l4_service *s, const struct l4_spot *known, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	const struct l4_member *m = NULL;
	enum l4_verdict v;
	struct l4_spot spot;
	struct l4_end to;
	uint32_t line;

	r->vip_id = s->vip_id;
	r->service_id = s->id;
	if (s->flags & L4_SERVICE_SHIELDED) {
		v = l4_shield(w, f, s);
		if (v != L4_V_FORWARDED)
			return v;
	}
	if (!s->n_members)
		return s->forward == L4_FORWARD_LOCAL ? l4_note_local(w, s) : l4_no_server(w, s);
	if (p->ttl <= 1)
		return l4_expired(w); /* and no record of it */
	spot = known ? *known : l4_spot_of(w->tables, s, l4_service_hash(w, s));
	line = l4_choose(w, f, s, &spot);
	l4_tell(w->tables, L4_STEP_SERVER, line, 0);
	if (line)
		m = l4_tables_line(w->tables, line);
	if (!m)
		return l4_no_server(w, s);
	if (m->neighbour == L4_NO_NEIGHBOUR)
		return L4_V_NO_ROUTE;
	if (s->forward == L4_FORWARD_NAT) {
		l4_member_end(m, p->flow.dport, &to);
		v = l4_send(w, f, m->neighbour, &to, false, L4_V_FORWARDED, r);
	} else if (s->forward == L4_FORWARD_TUNNEL) {
		v = l4_send_tunnel(w, f, s, m, spot.hash, r);
	} else {
		v = l4_send(w, f, m->neighbour, NULL, false, L4_V_FORWARDED, r);
	}
	if (v == L4_V_FORWARDED)
		r->server_id = m->id;
	return v;
}

/* A packet to a host on a link of which nothing is known yet. */
L4_INLINE enum l4_verdict l4_ask(struct l4_walk *w, uint32_t link)
{
	const struct l4_port *out = l4_port_of(w->tables, w->root, link);

	if (out && w->packet.ip_len > out->mtu)
		return l4_too_big(w, out->mtu);
	w->link = link;
	return L4_V_NO_NEIGHBOUR;
}

/* Finds the row of the next hop towards the client of what a nat service's server sends, or says why it cannot go there:
 * then it is not REPLIED. */
L4_INLINE enum l4_verdict l4_reply_way(
	struct l4_walk *w, const struct l4_reverse *rev, struct l4_result *r, uint32_t *row)
{
	const struct l4_packet *p = &w->packet;
	const struct l4_route *route = l4_tables_route(w->tables, &p->flow);

	if (route)
		l4_tell(w->tables, L4_STEP_ROUTE, route->kind << 8 | route->plen, route->ifindex);
	if (route && route->kind == L4_ROUTE_LOCAL)
		return L4_V_OWN;
	w->reverse = rev;
	r->vip_id = rev->vip_id;
	r->service_id = rev->service_id;
	if (p->ttl <= 1)
		return l4_expired(w);
	if (!route || route->kind == L4_ROUTE_DISCARD)
		return L4_V_NO_ROUTE;
	*row = route->neighbour;
	if (route->kind == L4_ROUTE_LINK) {
		struct l4_neighbour_key key = {
			{ p->flow.dst[0], p->flow.dst[1], p->flow.dst[2], p->flow.dst[3] },
			route->ifindex,
			p->flow.is6,
		};

		*row = l4_tables_find_neighbour(w->tables, &key);
		if (*row == L4_NO_NEIGHBOUR)
			return l4_ask(w, route->ifindex);
	}
	return L4_V_REPLIED;
}

/* What packets from a server's port are translated back to. */
L4_INLINE void l4_reverse_end(const struct l4_reverse *rev, uint16_t port, struct l4_end *to)
{
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		to->address[i] = rev->vip[i];
	to->port = rev->vip_port ? rev->vip_port : port;
}

/* A reply of a nat service's server: back under the service's own address. */
L4_INLINE enum l4_verdict l4_process_reply(struct l4_walk *w, const struct l4_frame *f,
	const struct l4_reverse *rev, struct l4_result *r)
{
	const struct l4_neighbour *n;
	struct l4_end to;
	uint32_t row;
	enum l4_verdict v = l4_reply_way(w, rev, r, &row);

	if (v != L4_V_REPLIED)
		return v;
	l4_reverse_end(rev, w->packet.flow.sport, &to);
	if (rev->cookies && !l4_was_proxied(w) && l4_wants_proxy(w, f, rev->service_id, true)) {
		/* What cannot leave is refused as it came. */
		n = l4_next_hop(w, row, 0, &v);
		return n ? l4_note_reply(w, rev, &to) : v;
	}
	return l4_send(w, f, row, &to, true, L4_V_REPLIED, r);
}

/* Whether l4_fragment() has found what the packet, a fragment, does not say; then that is the packet's. */
L4_INLINE bool l4_take_ports(struct l4_walk *w)
{
	struct l4_note *note = l4_tables_note(w->tables);
	struct l4_packet *p = &w->packet;

	if (!note || !note->ports.known)
		return false;
	p->l4 = note->ports.l4 & L4_HEADLESS;
	p->part = true;
	p->flow.sport = note->ports.sport;
	p->flow.dport = note->ports.dport;
	p->flow.protocol = note->ports.protocol;
	return true;
}

/* Reads what is behind the addresses. L4_V_FORWARDED: it goes on by its ports, if it is `ported`, else by addresses alone. */
L4_INLINE enum l4_verdict l4_process_payload(
	struct l4_walk *w, const struct l4_frame *f, bool *ported)
{
	struct l4_packet *p = &w->packet;
	enum l4_parsed parsed = l4_parse_payload(f, p);

	l4_tell_packet(w, L4_STEP_TRANSPORT, parsed, 0);
	*ported = true;
	if (parsed == L4_PARSED_PORTS)
		return L4_V_FORWARDED;
	if (parsed == L4_PARSED_FRAGMENT)
		return l4_take_ports(w) ? L4_V_FORWARDED : L4_NEXT_FRAGMENT;
	if (parsed != L4_PARSED_OTHER && parsed != L4_PARSED_EXTENSION)
		return L4_NEXT_RARE;
	p->l4 = p->l3;			   /* nothing is read from there */
	p->flow.sport = p->flow.dport = 0; /* which no service has by itself */
	*ported = false;
	return L4_V_FORWARDED;
}

/* What a packet is found by, once its headers have been read. */
struct l4_aim {
	uint64_t dst, src; /* what its addresses give to the hash of keys */
	bool ours;	   /* the filter has its destination */
	bool ported;	   /* it goes by its ports, not by addresses alone */
};

/* Of a packet of which one address is in the filter: whether it is for us, and what is behind the addresses. */
L4_INLINE enum l4_verdict l4_read_known(
	struct l4_walk *w, const struct l4_frame *f, uint32_t device, struct l4_aim *a)
{
	struct l4_packet *p = &w->packet;
	enum l4_verdict v;

	if (!l4_is_for_port(w, f, device))
		return L4_V_NOT_OURS;
	v = l4_process_payload(w, f, &a->ported);
	if (v != L4_V_FORWARDED)
		return v;
	/* What follows is looked at once and not for each protocol and each row of headers before it. */
	p->flow.protocol = (uint8_t)l4_forget(p->flow.protocol, UINT8_MAX);
	p->l4 = l4_forget(p->l4, L4_HEADLESS);
	return L4_V_FORWARDED;
}

/* An IP packet whose addresses have been read. What cannot be ours is let go first: most foreign packets end
 * at the filter. */
L4_INLINE enum l4_verdict l4_read_ip(
	struct l4_walk *w, const struct l4_frame *f, uint32_t device, struct l4_aim *a)
{
	const struct l4_flow *flow = &w->packet.flow;

	a->dst = l4_ml_address(w->keys->k, flow->is6, flow->dst);
	a->src = l4_ml_address(w->keys->k, flow->is6, flow->src);
	a->ours = l4_filter_has(w, a->dst);
	l4_tell_packet(w, L4_STEP_ADDRESSES, w->packet.ttl, flow->protocol);
	if (l4_tables_way(w->tables))
		l4_tell(w->tables, L4_STEP_FILTER, a->ours, l4_filter_has(w, a->src));
	if (!a->ours && !l4_filter_has(w, a->src)) /* errors about flows come from anywhere */
		return flow->protocol == L4_PROTO_ICMP ? L4_NEXT_RARE : L4_V_NOT_OURS;
	l4_walk_clear(w);
	return l4_read_known(w, f, device, a);
}
/* Decides about the frame that came in by the device as far as its headers alone tell. L4_V_FORWARDED: l4_process_on() is
 * to go on; else a verdict, or one of L4_NEXT_.... */
L4_INLINE enum l4_verdict l4_read(struct l4_walk *w, const struct l4_tables *t,
	const struct l4_frame *f, uint32_t device, struct l4_aim *a)
{
	if (!l4_walk_begin(w, t))
		return L4_V_NOT_OURS;
	if (!l4_parse_link(f, &w->packet))
		return L4_V_UNREADABLE;
	l4_tell_packet(w, L4_STEP_LINK, w->packet.ethertype, w->packet.l3);
	switch (w->packet.ethertype) {
	case L4_ETH_ARP:
		return L4_NEXT_RARE;
	case L4_ETH_IP4:
		if (!l4_parse_ip4(f, &w->packet))
			return L4_V_UNREADABLE;
		return l4_read_ip(w, f, device, a);
	case L4_ETH_IP6:
		if (!l4_parse_ip6(f, &w->packet))
			return L4_V_UNREADABLE;
		if (w->packet.flow.protocol == L4_PROTO_ICMP6)
			return L4_NEXT_RARE; /* solicitations are sent to other addresses */
		return l4_read_ip(w, f, device, a);
	default:
		return l4_has_more_tags(&w->packet) ? L4_V_UNREADABLE : L4_V_NOT_OURS;
	}
}

/* The end of the hash table's key of a service that has the packet's port by itself. */
L4_INLINE uint32_t l4_service_tail(const struct l4_walk *w)
{
	const struct l4_flow *flow = &w->packet.flow;

	return l4_key_tail(
		flow->dport, flow->protocol, L4_KIND_SERVICE | (flow->is6 ? L4_KIND_IS6 : 0));
}

/* A packet of no service: to an address of ours, or from a server. */
L4_INLINE enum l4_verdict l4_process_rest(struct l4_walk *w, const struct l4_frame *f,
	const struct l4_aim *a, const struct l4_address *ours, struct l4_result *r)
{
	const struct l4_flow *flow = &w->packet.flow;
	const struct l4_reverse *rev;

	if (ours) {
		r->vip_id = ours->id;
		return a->ported ? L4_V_NO_SERVICE : L4_NEXT_RARE;
	}
	if (l4_filter_has(w, a->src)) {
		rev = l4_find_reverse(w, flow->src, a->src, flow->protocol, flow->sport);
		if (rev)
			return l4_process_reply(w, f, rev, r);
	}
	return L4_V_NOT_OURS;
}

/* Goes on with a packet that l4_read() has read. service: the one that has its port by itself, or NULL; known: the flow as that finds
 * it, or NULL. */
L4_INLINE enum l4_verdict l4_process_on(struct l4_walk *w, struct l4_frame *f,
	const struct l4_aim *a, const struct l4_service *service, const struct l4_spot *known,
	struct l4_result *r)
{
	const struct l4_address *ours = NULL;
	uint32_t bytes = f->len;
	enum l4_verdict v;

	if (a->ours && !service) {
		ours = l4_find(w, w->packet.flow.dst, a->dst,
			l4_key_tail(
				0, 0, L4_KIND_ADDRESS | (w->packet.flow.is6 ? L4_KIND_IS6 : 0)));
		if (ours)
			service = l4_service_else(w, ours);
		known = NULL;
	}
	v = service ? l4_process_service(w, f, service, known, r)
		    : l4_process_rest(w, f, a, ours, r);
	if (w->tags)
		return l4_note_tags(w, v, bytes, r);
	return w->refuse || w->link ? l4_note(w, v, r) : v;
}

/* Decides about the frame that came in by the device, rewrites it where it is to be sent, and fills *r,
 * which must be zero. Frames that are passed or dropped are left as they came. With one of L4_NEXT_...
 * another is to go on. A body that takes several packets at once does the same in its own steps. */
L4_INLINE enum l4_verdict l4_process(
	const struct l4_tables *t, struct l4_frame *f, uint32_t device, struct l4_result *r)
{
	const struct l4_service *service = NULL;
	struct l4_walk w;
	struct l4_aim a;
	enum l4_verdict v = l4_read(&w, t, f, device, &a);

	if (v != L4_V_FORWARDED)
		return v;
	if (a.ours)
		service = l4_find(&w, w.packet.flow.dst, a.dst, l4_service_tail(&w));
	return l4_process_on(&w, f, &a, service, NULL, r);
}
