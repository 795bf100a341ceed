/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What few packets need: ARP, neighbour discovery and all that is sent to our own addresses and is no service's. The
 * body defines what walk.h asks for before it includes this file, and calls l4_rare() for what packet.h leaves to it: from a
 * place of its own, if it likes, since nothing of the packet's way before is needed. */
#pragma once
#include "dataplane/l4/port.h"
#include "dataplane/l4/quoted.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/l4/walk.h"

L4_INLINE enum l4_verdict l4_rare_arp(
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
		!(l4_mac_is_broadcast(eth->dst) || l4_is_for(w->tables, w->port, eth->dst)))
		return L4_V_ELSEWHERE;
	l4_arp_answer(eth, arp, ours->mac);
	r->ifindex = w->port->device;
	return L4_V_ARP_ANSWERED;
}

/* Neighbour solicitations for addresses of ours; NOT_OURS stands for "look further". */
L4_INLINE enum l4_verdict l4_rare_nd(struct l4_walk *w, struct l4_frame *f, struct l4_result *r)
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
	l4_nd_answer(eth, ip, nd, tlla, ours->mac, flags);
	r->ifindex = w->port->device;
	return L4_V_ND_ANSWERED;
}

L4_INLINE void l4_tell_quote(const struct l4_walk *w, const struct l4_packet *quoted,
	const struct l4_icmp *icmp, bool read)
{
	struct l4_way *way = l4_tables_way(w->tables);

	if (!way)
		return;
	if (read)
		way->quoted = *quoted;
	l4_way_add(way, L4_STEP_QUOTE, (uint32_t)icmp->type << 8 | icmp->code, read);
}

/* Notes an ICMP error and what it quotes for who goes on with it. False when there is no error, or no flow in it. */
L4_INLINE bool l4_rare_error(struct l4_walk *w, const struct l4_frame *f, const struct l4_result *r)
{
	struct l4_note *note = l4_tables_note(w->tables);
	struct l4_packet *p = &w->packet;
	const struct l4_icmp *icmp = l4_at(f, p->l4, sizeof *icmp);
	bool read;

	if (!note || !icmp || !l4_icmp_is_error(icmp->type, p->flow.is6))
		return false;
	p->flow.sport = p->flow.dport = 0;
	note->quote.error = *p;
	note->vip_id = r->vip_id;
	l4_mac_copy(note->mac, w->port->mac);
	read = l4_parse_quote(f, p, &note->quote.quoted);
	l4_tell_quote(w, &note->quote.quoted, icmp, read);
	return read;
}

/* A packet for an address of ours that is no service's. */
L4_INLINE enum l4_verdict l4_rare_own(
	struct l4_walk *w, const struct l4_frame *f, enum l4_parsed parsed, struct l4_result *r)
{
	const struct l4_packet *p = &w->packet;
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);
	struct l4_icmp *icmp;
	uint8_t mac[6];

	switch (parsed) {
	case L4_PARSED_MALFORMED:
		return L4_V_MALFORMED;
	case L4_PARSED_FRAGMENT: /* has not come here */
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
	if (l4_icmp_is_error(icmp->type, p->flow.is6))
		return l4_rare_error(w, f, r) ? L4_NEXT_ERROR_IN : L4_V_ICMP_NO_FLOW;
	if (!l4_is_echo(icmp, p->flow.is6))
		return L4_V_ICMP_UNHANDLED;
	if (!l4_echo_source_is_valid(&p->flow))
		return L4_V_MALFORMED;
	l4_mac_copy(mac, eth->dst); /* which may be a virtual one */
	if (p->flow.is6) {
		struct l4_ip6 *ip = l4_at(f, p->l3, sizeof *ip);

		if (!ip)
			return L4_V_MALFORMED;
		l4_echo6_answer(eth, ip, icmp, mac);
	} else {
		struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip);

		if (!ip)
			return L4_V_MALFORMED;
		l4_echo4_answer(eth, ip, icmp, mac);
	}
	r->ifindex = w->port->device;
	return L4_V_ECHO_ANSWERED;
}

/* An IP packet that is not TCP or UDP with its ports, whole. */
L4_INLINE enum l4_verdict l4_rare_ip(
	struct l4_walk *w, const struct l4_frame *f, uint32_t device, struct l4_result *r)
{
	struct l4_packet *p = &w->packet;
	uint8_t is6 = p->flow.is6 ? L4_KIND_IS6 : 0;
	uint64_t dst = l4_ml_address(w->keys->k, is6, p->flow.dst);
	const struct l4_address *ours = NULL;
	enum l4_parsed parsed;
	bool is_icmp;

	l4_tell_packet(w, L4_STEP_ADDRESSES, p->ttl, p->flow.protocol);
	if (!l4_is_for_port(w, f, device))
		return L4_V_NOT_OURS;
	if (l4_filter_has(w, dst))
		ours = l4_find(w, p->flow.dst, dst, l4_key_tail(0, 0, L4_KIND_ADDRESS | is6));
	is_icmp = p->flow.protocol == (is6 ? L4_PROTO_ICMP6 : L4_PROTO_ICMP);
	parsed = l4_parse_payload(f, p);
	l4_tell_packet(w, L4_STEP_TRANSPORT, parsed, 0);
	if (!ours)
		return is_icmp && parsed == L4_PARSED_ICMP && l4_rare_error(w, f, r)
			       ? L4_NEXT_ERROR_OUT
			       : L4_V_NOT_OURS;
	r->vip_id = ours->id;
	return l4_rare_own(w, f, parsed, r);
}

/* As l4_process(), for packets that it leaves to this. */
L4_INLINE enum l4_verdict l4_rare(
	const struct l4_tables *t, struct l4_frame *f, uint32_t device, struct l4_result *r)
{
	struct l4_walk w;
	enum l4_verdict v;

	l4_tell(t, L4_STEP_RARE, 0, 0);
	if (!l4_walk_begin(&w, t) || !l4_parse_link(f, &w.packet))
		return L4_V_UNREADABLE;
	w.port = l4_port_in(&w, device, true);
	if (!w.port)
		return L4_V_NOT_OURS;
	switch (w.packet.ethertype) {
	case L4_ETH_ARP:
		return l4_rare_arp(&w, f, r);
	case L4_ETH_IP4:
		return l4_parse_ip4(f, &w.packet) ? l4_rare_ip(&w, f, device, r) : L4_V_UNREADABLE;
	case L4_ETH_IP6:
		if (!l4_parse_ip6(f, &w.packet))
			return L4_V_UNREADABLE;
		v = l4_rare_nd(&w, f, r);
		return v == L4_V_NOT_OURS ? l4_rare_ip(&w, f, device, r) : v;
	default:
		return L4_V_UNREADABLE;
	}
}
