/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One packet through all stages, for bodies that take packets one after the other. The body defines what walk.h asks
 * for before it includes this file.
 *
 * The same packet and the same table contents give the same verdict and the same bytes in every body. */
#pragma once
#include "dataplane/l4/refusal.h"
#include "dataplane/l4/tracked.h"
#include "dataplane/l4/verdict.h"

L4_INLINE enum l4_verdict l4_process_arp(
	struct l4_walk *w, const struct l4_frame *f, struct l4_result *r)
{
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);
	struct l4_arp *arp = l4_at(f, w->packet.l3, sizeof *arp);
	const struct l4_address *ours;
	uint32_t target[4] = { 0 };

	if (!eth || !arp || !l4_arp_is_ip4(arp))
		return L4_V_UNREADABLE;
	target[0] = arp->target[0] | (uint32_t)arp->target[1] << 16;
	ours = l4_find(w, target, l4_ml_address(w->keys->k, false, target),
		l4_key_tail(0, 0, L4_KIND_ADDRESS));
	if (!ours)
		return L4_V_NOT_OURS;
	r->vip_id = ours->id;
	if (arp->op != L4_BE16(1) || ours->ifindex != w->port->ifindex ||
		!(l4_mac_is_broadcast(eth->dst) || l4_mac_is(eth->dst, w->port->mac)))
		return L4_V_ELSEWHERE;
	l4_arp_answer(eth, arp, w->port->mac);
	r->ifindex = ours->ifindex;
	return L4_V_ARP_ANSWERED;
}

/* Neighbour solicitations for addresses of ours; NOT_OURS stands for "look further". */
L4_INLINE enum l4_verdict l4_process_nd(struct l4_walk *w, struct l4_frame *f, struct l4_result *r)
{
	uint32_t l3 = w->packet.l3, target[4], flags;
	struct l4_ip6 *ip = l4_at(f, l3, sizeof *ip);
	struct l4_nd *nd = l4_at(f, l3 + sizeof *ip, sizeof *nd);
	const struct l4_address *ours;
	struct l4_nd_tlla *tlla;
	struct l4_eth *eth;

	if (!ip || !nd || ip->next_header != L4_PROTO_ICMP6 || nd->type != L4_ICMP6_NS)
		return L4_V_NOT_OURS;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		target[i] = nd->target[i];
	ours = l4_find(w, target, l4_ml_address(w->keys->k, true, target),
		l4_key_tail(0, 0, L4_KIND_ADDRESS | L4_KIND_IS6));
	if (!ours)
		return L4_V_NOT_OURS;
	r->vip_id = ours->id;
	if (ours->ifindex != w->port->ifindex)
		return L4_V_ELSEWHERE;
	if (!l4_nd_is_valid(f, &w->packet, ip, nd))
		return L4_V_MALFORMED;
	flags = ours->nd_flags;
	if (!l4_tables_resize(w->tables, f, l3 + L4_ND_ANSWER_LEN))
		return L4_V_ENGINE_FAULT;
	eth = l4_at(f, 0, sizeof *eth);
	ip = l4_at(f, l3, sizeof *ip);
	nd = l4_at(f, l3 + sizeof *ip, sizeof *nd);
	tlla = l4_at(f, l3 + sizeof *ip + sizeof *nd, sizeof *tlla);
	if (!eth || !ip || !nd || !tlla)
		return L4_V_ENGINE_FAULT;
	l4_nd_answer(eth, ip, nd, tlla, w->port->mac, flags);
	r->ifindex = w->port->ifindex;
	return L4_V_ND_ANSWERED;
}

/* A packet for an address of ours that is no service's. */
L4_INLINE enum l4_verdict l4_process_own(
	struct l4_walk *w, const struct l4_frame *f, enum l4_parsed parsed, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);
	struct l4_icmp *icmp;

	switch (parsed) {
	case L4_PARSED_MALFORMED:
		return L4_V_MALFORMED;
	case L4_PARSED_FRAGMENT:
		return L4_V_FRAGMENT;
	case L4_PARSED_EXTENSION:
		return L4_V_EXTENSION;
	case L4_PARSED_PORTS:
	case L4_PARSED_OTHER:
		return L4_V_NO_SERVICE;
	case L4_PARSED_ICMP:
		break;
	}
	icmp = l4_at(f, p->l4, sizeof *icmp);
	if (!eth || !icmp)
		return L4_V_MALFORMED;
	if (!l4_is_echo(icmp, p->flow.is6))
		return L4_V_ICMP_UNHANDLED;
	if (!l4_echo_source_is_valid(&p->flow))
		return L4_V_MALFORMED;
	if (p->flow.is6) {
		struct l4_ip6 *ip = l4_at(f, p->l3, sizeof *ip);

		if (!ip)
			return L4_V_MALFORMED;
		l4_echo6_answer(eth, ip, icmp, w->port->mac);
	} else {
		struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip);

		if (!ip)
			return L4_V_MALFORMED;
		l4_echo4_answer(eth, ip, icmp, w->port->mac);
	}
	r->ifindex = w->port->ifindex;
	return L4_V_ECHO_ANSWERED;
}

/* Notes that the packet is larger than what fits, and whose word that is. */
L4_INLINE enum l4_verdict l4_too_big(struct l4_walk *w, uint32_t fits)
{
	w->refuse = L4_REFUSE_TOO_BIG;
	w->fits = fits;
	return L4_V_TOO_BIG;
}

/* Notes that a service has no server for the packet. */
L4_INLINE enum l4_verdict l4_no_server(struct l4_walk *w, const struct l4_service *s)
{
	if (s->flags & L4_SERVICE_REJECT)
		w->refuse = w->packet.flow.protocol == L4_PROTO_TCP ? L4_REFUSE_RESET
								    : L4_REFUSE_NO_PORT;
	return L4_V_NO_SERVER;
}

/* The answer to a packet that was refused as `why`: what came of it. */
L4_INLINE enum l4_verdict l4_refuse(
	struct l4_walk *w, struct l4_frame *f, enum l4_verdict why, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	struct l4_refusal refusal = { .kind = (uint8_t)w->refuse, .mtu = (uint16_t)w->fits };

	refusal.is6 = p->flow.is6;
	refusal.l3 = (uint16_t)p->l3;
	refusal.l4 = (uint16_t)p->l4;
	refusal.ip_len = p->ip_len;
	refusal.budget = w->root->answers;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		refusal.from[i] = w->reverse ? w->reverse->vip[i] : 0;
	switch (l4_tables_refuse(w->tables, f, &refusal)) {
	case L4_REFUSED_SILENTLY:
		return why;
	case L4_REFUSED_FAULT:
		return L4_V_ENGINE_FAULT;
	case L4_REFUSED_ALOUD:
		break;
	}
	r->ifindex = w->port->ifindex;
	return why == L4_V_TOO_BIG ? L4_V_TOO_BIG_ANSWERED : L4_V_REJECTED;
}

/* The next hop of a packet that becomes `more` bytes longer on its way, or NULL and in *why the reason why it cannot
 * leave. */
L4_INLINE struct l4_neighbour *l4_next_hop(
	struct l4_walk *w, uint32_t row, uint32_t more, enum l4_verdict *why)
{
	struct l4_neighbour *n = l4_tables_neighbour(w->tables, row);
	int fits;

	*why = L4_V_NO_ROUTE;
	if (!n)
		return NULL;
	fits = n->mtu - (int)more;
	if ((int)w->packet.ip_len > fits) {
		*why = l4_too_big(w, (uint32_t)fits);
		return NULL;
	}
	if (!n->used)
		n->used = 1;
	if (!n->usable) {
		struct l4_want want = {
			{ n->address[0], n->address[1], n->address[2], n->address[3] },
			n->ifindex,
			n->is6,
		};

		l4_tables_want(w->tables, &want);
		*why = L4_V_NO_NEIGHBOUR;
		return NULL;
	}
	return n;
}

/* Writes what leaves towards a next hop: `to` replaces the source or destination, NULL neither. The verdict
 * is `done`, or the reason why the packet cannot leave, and then nothing was written. */
L4_INLINE enum l4_verdict l4_send(struct l4_walk *w, const struct l4_frame *f, uint32_t row,
	const struct l4_end *to, bool source, enum l4_verdict done, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);
	enum l4_verdict why;
	const struct l4_neighbour *n = l4_next_hop(w, row, 0, &why);

	if (!n)
		return why;
	if (p->flow.is6) {
		struct l4_ip6 *ip = l4_at(f, p->l3, sizeof *ip);

		if (!eth || !ip || (to && !l4_nat6(f, p, source, to)))
			return L4_V_MALFORMED;
		ip->hop_limit--;
	} else {
		struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip);

		if (!eth || !ip || (to && !l4_nat4(f, p, source, to)))
			return L4_V_MALFORMED;
		l4_forward_ttl4(ip);
	}
	l4_forward_link(eth, n);
	r->ifindex = n->ifindex;
	return done;
}

/* Wraps the packet up for a server and sends it to that one's next hop. */
L4_INLINE enum l4_verdict l4_send_tunnel(struct l4_walk *w, struct l4_frame *f,
	const struct l4_member *m, uint64_t hash, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	uint32_t room = p->flow.is6 ? L4_TUNNEL_ROOM6 : L4_TUNNEL_ROOM4;
	const struct l4_neighbour *n;
	enum l4_verdict why;
	struct l4_eth *eth;

	if (!(m->source[0] | m->source[1] | m->source[2] | m->source[3]))
		return L4_V_NO_ROUTE;
	n = l4_next_hop(w, m->neighbour, room, &why);
	if (!n)
		return why;
	if (!l4_tables_grow(w->tables, f, room))
		return L4_V_ENGINE_FAULT;
	eth = l4_at(f, 0, sizeof *eth);
	if (!eth || !l4_tunnel_link(f, p->l3, room) ||
		!(p->flow.is6 ? l4_tunnel6(f, p, m, hash) : l4_tunnel4(f, p, m, hash)))
		return L4_V_ENGINE_FAULT;
	l4_forward_link(eth, n);
	r->ifindex = n->ifindex;
	return L4_V_FORWARDED;
}

/* A packet of a service: to the server that its flow's slot or record names. */
L4_INLINE enum l4_verdict l4_process_service(
	struct l4_walk *w, struct l4_frame *f, const struct l4_service *s, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	const struct l4_member *m = NULL;
	enum l4_verdict v;
	struct l4_end to;
	uint64_t hash;
	uint32_t line;

	r->vip_id = s->vip_id;
	if (!s->n_members)
		return l4_no_server(w, s);
	if (p->ttl <= 1)
		return L4_V_TTL_EXCEEDED; /* and no record of it */
	hash = l4_service_hash(w, s);
	line = l4_choose(w, f, s, hash);
	if (line)
		m = l4_tables_line(w->tables, line);
	if (!m)
		return l4_no_server(w, s);
	if (m->neighbour == L4_NO_NEIGHBOUR)
		return L4_V_NO_ROUTE;
	if (s->forward == L4_FORWARD_NAT) {
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++)
			to.address[i] = m->address[i];
		to.port = m->port ? m->port : p->flow.dport;
		v = l4_send(w, f, m->neighbour, &to, false, L4_V_FORWARDED, r);
	} else if (s->forward == L4_FORWARD_TUNNEL) {
		v = l4_send_tunnel(w, f, m, hash, r);
	} else {
		v = l4_send(w, f, m->neighbour, NULL, false, L4_V_FORWARDED, r);
	}
	if (v == L4_V_FORWARDED) {
		r->service_id = s->id;
		r->server_id = m->id;
	}
	return v;
}

/* A packet to a host on a link of which nothing is known yet. */
L4_INLINE enum l4_verdict l4_ask(struct l4_walk *w, const struct l4_neighbour_key *key)
{
	const struct l4_port *out = l4_port_of(w->tables, w->root, key->ifindex);
	struct l4_want want = {
		{ key->address[0], key->address[1], key->address[2], key->address[3] },
		key->ifindex,
		key->is6,
	};

	if (out && w->packet.ip_len > out->mtu)
		return l4_too_big(w, out->mtu);
	l4_tables_want(w->tables, &want);
	return L4_V_NO_NEIGHBOUR;
}

/* A reply of a nat service's server: back under the service's own address. */
L4_INLINE enum l4_verdict l4_process_reply(struct l4_walk *w, const struct l4_frame *f,
	const struct l4_reverse *rev, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	const struct l4_route *route = l4_tables_route(w->tables, &p->flow);
	struct l4_end to;
	uint32_t row;

	if (route && route->kind == L4_ROUTE_LOCAL)
		return L4_V_OWN;
	w->reverse = rev;
	r->vip_id = rev->vip_id;
	if (p->ttl <= 1)
		return L4_V_TTL_EXCEEDED;
	if (!route || route->kind == L4_ROUTE_DISCARD)
		return L4_V_NO_ROUTE;
	row = route->neighbour;
	if (route->kind == L4_ROUTE_LINK) {
		struct l4_neighbour_key key = {
			{ p->flow.dst[0], p->flow.dst[1], p->flow.dst[2], p->flow.dst[3] },
			route->ifindex,
			p->flow.is6,
		};

		row = l4_tables_find_neighbour(w->tables, &key);
		if (row == L4_NO_NEIGHBOUR)
			return l4_ask(w, &key);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		to.address[i] = rev->vip[i];
	to.port = rev->vip_port;
	return l4_send(w, f, row, &to, true, L4_V_REPLIED, r);
}

/* Whether the frame is for the interface that it came in by, which *w learns. */
L4_INLINE bool l4_is_for_port(struct l4_walk *w, const struct l4_frame *f, uint32_t ifindex)
{
	const struct l4_eth *eth = l4_at(f, 0, sizeof *eth);

	w->port = l4_port_of(w->tables, w->root, ifindex);
	return w->port && eth && l4_mac_is(eth->dst, w->port->mac);
}

/* An IP packet whose addresses have been read. What cannot be ours is let go first: most foreign packets end
 * at the filter. */
L4_INLINE enum l4_verdict l4_process_known(
	struct l4_walk *w, struct l4_frame *f, uint32_t ifindex, struct l4_result *r)
{
	struct l4_packet *p = &w->packet;
	uint8_t is6 = p->flow.is6 ? L4_KIND_IS6 : 0;
	uint64_t dst = l4_ml_address(w->keys->k, is6, p->flow.dst);
	uint64_t src = l4_ml_address(w->keys->k, is6, p->flow.src);
	bool maybe_ours = l4_filter_has(w, dst);
	enum l4_parsed parsed;
	const void *row;

	if (!maybe_ours && !l4_filter_has(w, src))
		return L4_V_NOT_OURS;
	if (!l4_is_for_port(w, f, ifindex))
		return L4_V_NOT_OURS;
	parsed = is6 ? l4_parse_ip6_payload(f, p) : l4_parse_ip4_payload(f, p);
	if (maybe_ours) {
		if (parsed == L4_PARSED_PORTS) {
			row = l4_find(w, p->flow.dst, dst,
				l4_key_tail(
					p->flow.dport, p->flow.protocol, L4_KIND_SERVICE | is6));
			if (row)
				return l4_process_service(w, f, row, r);
		}
		row = l4_find(w, p->flow.dst, dst, l4_key_tail(0, 0, L4_KIND_ADDRESS | is6));
		if (row) {
			r->vip_id = ((const struct l4_address *)row)->id;
			return l4_process_own(w, f, parsed, r);
		}
	}
	if (parsed == L4_PARSED_PORTS && l4_filter_has(w, src)) {
		row = l4_find(w, p->flow.src, src,
			l4_key_tail(p->flow.sport, p->flow.protocol, L4_KIND_REVERSE | is6));
		if (row)
			return l4_process_reply(w, f, row, r);
	}
	return L4_V_NOT_OURS;
}

L4_INLINE enum l4_verdict l4_process_ip(
	struct l4_walk *w, struct l4_frame *f, uint32_t ifindex, struct l4_result *r)
{
	enum l4_verdict v;

	w->refuse = L4_REFUSE_NONE;
	w->fits = 0;
	w->reverse = NULL;
	v = l4_process_known(w, f, ifindex, r);
	return w->refuse ? l4_refuse(w, f, v, r) : v;
}

/* Decides about the frame that came in by the interface, rewrites it where it is to be sent, and fills *r,
 * which must be zero. Frames that are passed or dropped are left as they came. */
L4_INLINE enum l4_verdict l4_process(
	const struct l4_tables *t, struct l4_frame *f, uint32_t ifindex, struct l4_result *r)
{
	struct l4_walk w;
	const struct l4_keys *keys = l4_tables_line(t, L4_LINE_KEYS);
	enum l4_verdict v;

	w.root = l4_tables_line(t, L4_LINE_ROOT);
	if (!w.root || !keys || !w.root->generation)
		return L4_V_NOT_OURS;
	w.tables = t;
	w.keys = keys;
	if (!l4_parse_link(f, &w.packet))
		return L4_V_UNREADABLE;
	switch (w.packet.ethertype) {
	case L4_ETH_ARP:
		w.port = l4_port_of(t, w.root, ifindex);
		if (!w.port)
			return L4_V_NOT_OURS;
		return l4_process_arp(&w, f, r);
	case L4_ETH_IP4:
		if (!l4_parse_ip4(f, &w.packet))
			return L4_V_UNREADABLE;
		return l4_process_ip(&w, f, ifindex, r);
	case L4_ETH_IP6:
		if (!l4_parse_ip6(f, &w.packet))
			return L4_V_UNREADABLE;
		w.port = l4_port_of(t, w.root, ifindex);
		if (!w.port)
			return L4_V_NOT_OURS;
		v = l4_process_nd(&w, f, r);
		if (v != L4_V_NOT_OURS)
			return v;
		return l4_process_ip(&w, f, ifindex, r);
	default:
		return L4_V_NOT_OURS;
	}
}
