/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A packet inside one of the other family: IPv6 in IPv4 (RFC 4213, section 3), IPv4 in IPv6 (RFC 2473); or inside one of UDP:
 * Generic UDP Encapsulation, variant 1 (draft-ietf-intarea-gue, section 4). packet.h notes what is to be sent where, and the body calls this next: from a place of its own, if it likes, since nothing else of the packet's
 * way is needed. */
#pragma once
#include "dataplane/l4/packet.h"

/* Bytes of what is put before the packet. */
L4_INLINE uint32_t l4_wrap_room(const struct l4_member *m)
{
	return (m->wrap & L4_WRAP_IS6 ? L4_TUNNEL_ROOM6 : L4_TUNNEL_ROOM4) +
	       (m->wrap & L4_WRAP_GUE ? (uint32_t)sizeof(struct l4_udp) : 0);
}

/* Writes the UDP header of GUE around `len` bytes: the flow's port of its own, so that routers and queues tell flows apart
 * (section 5.11), and no checksum, since those inside suffice (RFC 6936, section 5). */
L4_INLINE bool l4_wrap_udp(
	const struct l4_frame *f, uint32_t at, uint32_t len, uint16_t port, uint64_t hash)
{
	struct l4_udp *u = l4_at(f, at, sizeof *u);

	if (!u)
		return false;
	u->sport = L4_BE16(L4_GUE_SOURCES | (hash >> 32 & ~L4_GUE_SOURCES & 0xffff));
	u->dport = port;
	u->len = L4_BE16(sizeof *u + len);
	u->checksum = 0;
	return true;
}

/* Counts the hop of the packet at `at`. Its traffic class or type of service goes to *tos; false when its header is not in
 * the frame. */
L4_INLINE bool l4_wrap_inner(const struct l4_frame *f, uint32_t at, bool is6, uint8_t *tos)
{
	struct l4_ip4 *ip4 = l4_at(f, at, sizeof *ip4);
	struct l4_ip6 *ip6;

	if (!is6) {
		if (!ip4)
			return false;
		*tos = ip4->tos;
		l4_forward_ttl4(ip4);
		return true;
	}
	ip6 = l4_at(f, at, sizeof *ip6);
	if (!ip6)
		return false;
	*tos = (uint8_t)(L4_BE32(ip6->version_class_label) >> 20);
	ip6->hop_limit--;
	return true;
}

/* Writes what is around `len` bytes at l3, where the frame has been given the room for it, and its EtherType. */
L4_INLINE bool l4_wrap_outer(const struct l4_frame *f, uint32_t l3, const struct l4_member *m,
	uint8_t tos, uint32_t len, uint8_t protocol, uint64_t hash)
{
	be16 *type = l4_at(f, (l3 - sizeof *type) & L4_L3_MASK, sizeof *type);
	struct l4_ip6 *outer6;
	be32 *outer4;

	if (!type)
		return false;
	if (m->wrap & L4_WRAP_IS6) {
		outer6 = l4_at(f, l3, sizeof *outer6);
		if (!outer6)
			return false;
		*type = L4_BE16(L4_ETH_IP6);
		l4_outer6(outer6, L4_BE32(6u << 28 | (uint32_t)tos << 20), len, protocol, m, hash);
		return true;
	}
	outer4 = l4_at(f, l3, sizeof(struct l4_ip4));
	if (!outer4)
		return false;
	*type = L4_BE16(L4_ETH_IP4);
	l4_outer4(outer4, tos, len, protocol, m, hash);
	return true;
}

/* Puts all that before the packet. */
L4_INLINE bool l4_wrap_up(
	const struct l4_tables *t, struct l4_frame *f, const struct l4_enclosed *e, uint32_t room)
{
	uint32_t l3 = e->l3 & L4_L3_MASK, len = e->ip_len;
	uint8_t tos, protocol = e->is6 ? L4_PROTO_IP6 : L4_PROTO_IP4;

	if (!l4_tables_grow(t, f, (int)room) || !l4_tunnel_link(f, l3, room) ||
		!l4_wrap_inner(f, l3 + room, e->is6, &tos))
		return false;
	if (e->server.wrap & L4_WRAP_GUE) {
		if (!l4_wrap_udp(
			    f, l3 + room - sizeof(struct l4_udp), len, e->server.gue_port, e->hash))
			return false;
		protocol = L4_PROTO_UDP;
		len += sizeof(struct l4_udp);
	}
	return l4_wrap_outer(f, l3, &e->server, tos, len, protocol, e->hash);
}

/* As l4_send_tunnel(), for what was noted. */
L4_INLINE enum l4_verdict l4_wrap_send(
	struct l4_walk *w, struct l4_frame *f, const struct l4_enclosed *e, struct l4_result *r)
{
	uint32_t room = l4_wrap_room(&e->server);
	const struct l4_neighbour *n;
	enum l4_verdict why;
	struct l4_eth *eth;

	if (e->ip_len + room > e->server.mtu)
		return l4_too_big(w, e->server.mtu - room);
	n = l4_next_hop(w, e->server.neighbour, room, &why);
	if (!n)
		return why;
	if (!l4_wrap_up(w->tables, f, e, room))
		return L4_V_ENGINE_FAULT;
	eth = l4_at(f, 0, sizeof *eth);
	if (!eth)
		return L4_V_ENGINE_FAULT;
	l4_forward_link(eth, n);
	l4_leave(w, n, r);
	return L4_V_FORWARDED;
}

/* As l4_process(), for a packet that was noted. */
L4_INLINE enum l4_verdict l4_wrap(
	const struct l4_tables *t, struct l4_frame *f, struct l4_result *r)
{
	struct l4_note *note = l4_tables_note(t);
	struct l4_walk w = { .tables = t };
	enum l4_verdict v;

	if (!note) {
		*r = (struct l4_result){ 0 };
		return L4_V_ENGINE_FAULT;
	}
	*r = note->enclosed.result;
	w.packet.l3 = note->enclosed.l3;
	w.packet.ip_len = note->enclosed.ip_len;
	v = l4_wrap_send(&w, f, &note->enclosed, r);
	if (w.tags)
		return l4_note_tags(&w, v, note->enclosed.bytes, r);
	if (w.link)
		return l4_note(&w, v, r);
	if (!w.refuse || !note->enclosed.answered)
		return v;
	l4_tell(t, L4_STEP_REFUSAL, w.refuse, w.fits);
	note->why = v;
	note->vip_id = r->vip_id;
	note->service_id = r->service_id;
	note->refusal.kind = w.refuse;
	note->refusal.mtu = w.fits;
	return L4_NEXT_REFUSAL;
}
