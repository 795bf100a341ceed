/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fragments of datagrams to our services, and under nat from their servers. Only the first has ports; it leaves them in a
 * record (datagram.h), by which the others take the way of their flow: the same guard, the same server, the same translation.
 * l4_process() leaves a fragment to this, and takes it up again with the ports that are noted here.
 *
 * The body defines what walk.h asks for, and before it includes this file:
 *
 *   struct l4_datagram_bucket *l4_tables_datagrams(const struct l4_tables *t, uint64_t hash);
 *       the bucket for datagrams with this hash, found by its highest bits, or NULL: none is recorded
 */
#pragma once
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/l4/walk.h"

/* Everything that one fragment says of its datagram. */
struct l4_fragment {
	uint32_t id;
	uint32_t from, bytes; /* where it lies, in bytes */
	bool more;
};

/* Reads an IPv4 fragment, behind whose header is p->l4. */
L4_INLINE bool l4_fragment_read4(
	const struct l4_frame *f, const struct l4_packet *p, struct l4_fragment *out)
{
	const struct l4_ip4 *ip = l4_at(f, p->l3, sizeof *ip);

	if (!ip)
		return false;
	out->id = ip->id;
	out->from = (__builtin_bswap16(ip->frag) & L4_IP4_OFFSET) * 8u;
	out->more = ip->frag & L4_BE16(L4_IP4_MORE);
	out->bytes = p->l3 + p->ip_len - p->l4;
	return true;
}

/* The same of an IPv6 one, whose fragment header is at p->l4. */
L4_INLINE bool l4_fragment_read6(
	const struct l4_frame *f, const struct l4_packet *p, struct l4_fragment *out)
{
	const struct l4_ip6_ext *ext = l4_at(f, p->l4, sizeof *ext);
	uint32_t end = p->l3 + p->ip_len, behind = p->l4 + (uint32_t)sizeof *ext;

	if (!ext || behind > end)
		return false;
	out->id = ext->id;
	out->from = __builtin_bswap16(ext->offset) & L4_IP6_OFFSET;
	out->more = ext->offset & L4_BE16(L4_IP6_MORE);
	out->bytes = end - behind;
	return true;
}

/* Whether a fragment of these lengths can be (RFC 791, section 3.2; RFC 8200, section 4.5). */
L4_INLINE bool l4_fragment_is_sound(const struct l4_frame *f, const struct l4_fragment *g)
{
	return f->len < L4_HEADLESS && g->bytes && !(g->more && g->bytes % 8) &&
	       g->from + g->bytes <= L4_DATAGRAM_MAX;
}

/* Whether ports are there to be known. */
L4_INLINE bool l4_fragment_has_ports(uint8_t protocol)
{
	return protocol == L4_PROTO_TCP || protocol == L4_PROTO_UDP || protocol == L4_PROTO_SCTP;
}

/* Goes on to the transport header of a first IPv6 fragment, behind all other headers, which must be in it (RFC 7112,
 * section 5). */
L4_INLINE enum l4_verdict l4_fragment_skip6(const struct l4_frame *f, struct l4_packet *p)
{
	p->flow.protocol = L4_PROTO_FRAGMENT;
	switch (l4_parse_extensions(f, p, p->l4, p->l3 + p->ip_len, L4_BE16(L4_IP6_OFFSET))) {
	case L4_PARSED_OTHER:
		return L4_V_FORWARDED;
	case L4_PARSED_MALFORMED:
		return L4_V_FRAGMENT_TINY;
	default:
		return L4_V_EXTENSION;
	}
}

/* The ports of a first fragment, in which the whole transport header must be (RFC 1858, section 3). */
L4_INLINE enum l4_verdict l4_fragment_ports(const struct l4_frame *f, struct l4_packet *p)
{
	uint32_t left = p->l3 + p->ip_len - p->l4, header;
	const struct l4_udp *u = l4_at(f, p->l4, sizeof *u); /* where others have their ports too */
	const struct l4_tcp *t;

	if (!u || left < sizeof *u)
		return L4_V_FRAGMENT_TINY;
	p->flow.sport = u->sport;
	p->flow.dport = u->dport;
	if (p->flow.protocol == L4_PROTO_UDP)
		return L4_V_FORWARDED;
	if (p->flow.protocol == L4_PROTO_SCTP)
		return left < sizeof(struct l4_sctp) ? L4_V_FRAGMENT_TINY : L4_V_FORWARDED;
	t = l4_at(f, p->l4, sizeof *t);
	if (!t || left < sizeof *t)
		return L4_V_FRAGMENT_TINY;
	header = (t->offset >> 4) * 4u;
	if (header < sizeof *t)
		return L4_V_MALFORMED;
	return header > left ? L4_V_FRAGMENT_TINY : L4_V_FORWARDED;
}

/* SipHash over source, destination and identification; of IPv4 the protocol as well. */
L4_INLINE uint64_t l4_fragment_hash(const uint64_t key[2], const struct l4_flow *flow, uint32_t id)
{
	struct l4_flow who = *flow;

	who.sport = (uint16_t)id;
	who.dport = (uint16_t)(id >> 16);
	if (flow->is6)
		who.protocol = L4_PROTO_FRAGMENT;
	return l4_flow_hash(key, &who);
}

/* Notes what the record says; the fragment may go on. */
L4_INLINE enum l4_verdict l4_fragment_ported(struct l4_note *note, uint64_t is)
{
	note->ports.sport = (uint16_t)(is >> L4_DATAGRAM_SPORT_AT);
	note->ports.dport = (uint16_t)(is >> L4_DATAGRAM_DPORT_AT);
	note->ports.protocol = (uint8_t)(is >> L4_DATAGRAM_PROTOCOL_AT);
	note->ports.known = true;
	return L4_NEXT_PORTS;
}

/* Finds the record of the datagram with this hash, or begins it as `what`, which is 0 but of a first fragment, and takes the
 * fragment into it. L4_NEXT_PORTS: it may go on, and what the record says is noted. */
L4_INLINE enum l4_verdict l4_fragment_enter(
	const struct l4_tables *t, uint64_t hash, uint64_t what, struct l4_part part)
{
	struct l4_datagram_bucket *b = l4_tables_datagrams(t, hash);
	struct l4_note *note = l4_tables_note(t);
	uint16_t now = l4_tables_now(t);
	uint64_t is = 0;
	uint32_t at;

	if (!b || !note)
		return L4_V_ENGINE_FAULT;
	at = l4_datagram_find(b, hash, now, &is);
	if (at == L4_BUCKET_DATAGRAMS && !what)
		return L4_V_FRAGMENT_ORPHAN;
	if (at == L4_BUCKET_DATAGRAMS) {
		is = what;
		at = l4_datagram_begin(b, hash, is, now);
	}
	if (at == L4_BUCKET_DATAGRAMS)
		return L4_V_ENGINE_FAULT;
	if (!l4_datagram_take(b, at, is, part))
		return L4_V_FRAGMENT_OVERLAP;
	return l4_fragment_ported(note, is);
}

/* The same for a traced packet, which leaves the record as it is. */
L4_INLINE enum l4_verdict l4_fragment_look(
	const struct l4_tables *t, uint64_t hash, uint64_t what, struct l4_part part)
{
	struct l4_datagram_bucket *b = l4_tables_datagrams(t, hash);
	struct l4_note *note = l4_tables_note(t);
	uint64_t is = 0;
	uint32_t at;

	if (!b || !note)
		return L4_V_ENGINE_FAULT;
	at = l4_datagram_find(b, hash, l4_tables_now(t), &is);
	l4_tell(t, L4_STEP_DATAGRAM, is, what);
	if (at != L4_BUCKET_DATAGRAMS)
		return l4_datagram_takes(b, at, part) ? l4_fragment_ported(note, is)
						      : L4_V_FRAGMENT_OVERLAP;
	return what ? l4_fragment_ported(note, what) : L4_V_FRAGMENT_ORPHAN;
}

/* The body's way to it: the kernel's verifier would follow it on every path if it were in line. */
static enum l4_verdict l4_tables_enter(
	const struct l4_tables *t, uint64_t hash, uint64_t what, struct l4_part part);

/* What a fragment does to its datagram's record. */
L4_INLINE enum l4_verdict l4_fragment_record(const struct l4_walk *w, const struct l4_fragment *g)
{
	const struct l4_packet *p = &w->packet;
	const struct l4_part part = { g->from / 8, (g->bytes + 7) / 8, !g->more };
	struct l4_note *note = l4_tables_note(w->tables);
	uint64_t hash = l4_fragment_hash(w->root->flow_key, &p->flow, g->id), what = 0;

	if (!note)
		return L4_V_ENGINE_FAULT;
	note->ports.l4 = L4_HEADLESS;
	if (!g->from) {
		/* Without ports nothing is read from there. */
		note->ports.l4 = l4_fragment_has_ports(p->flow.protocol) ? p->l4 : p->l3;
		what = l4_datagram_what(
			p->flow.protocol, l4_tables_now(w->tables), p->flow.sport, p->flow.dport);
	}
	return l4_tables_enter(w->tables, hash, what, part);
}

/* A fragment whose addresses have been read. `all`: the address takes packets without ports too. */
L4_INLINE enum l4_verdict l4_fragment_take(struct l4_walk *w, const struct l4_frame *f, bool all)
{
	struct l4_packet *p = &w->packet;
	enum l4_verdict v = L4_V_FORWARDED;
	struct l4_fragment g;

	p->flow.sport = p->flow.dport = 0;
	if (l4_parse_payload(f, p) != L4_PARSED_FRAGMENT)
		return L4_V_MALFORMED;
	if (!(p->flow.is6 ? l4_fragment_read6(f, p, &g) : l4_fragment_read4(f, p, &g)) ||
		!l4_fragment_is_sound(f, &g))
		return L4_V_MALFORMED;
	l4_tell(w->tables, L4_STEP_FRAGMENT, (uint64_t)g.id << 32 | g.from << 16 | g.bytes, g.more);
	if (!g.from && p->flow.is6)
		v = l4_fragment_skip6(f, p);
	if (v == L4_V_EXTENSION && all)
		v = L4_V_FORWARDED;
	if (v != L4_V_FORWARDED)
		return v;
	if (!l4_fragment_has_ports(p->flow.protocol)) {
		if (!all && !(g.from && p->flow.is6))
			return L4_V_FRAGMENT;
	} else if (!g.from) {
		v = l4_fragment_ports(f, p);
	}
	return v == L4_V_FORWARDED ? l4_fragment_record(w, &g) : v;
}

/* As l4_process(), for fragments that it leaves to this; L4_NEXT_PORTS: it is to take the packet up again. What is not for an
 * address of ours is the host's where it cannot go on. */
L4_INLINE enum l4_verdict l4_fragment(
	const struct l4_tables *t, const struct l4_frame *f, struct l4_result *r)
{
	const struct l4_address *ours = NULL;
	enum l4_verdict v;
	struct l4_walk w;
	uint64_t dst;
	uint8_t is6;

	if (!l4_walk_begin(&w, t) || !l4_parse_link(f, &w.packet))
		return L4_V_UNREADABLE;
	if (!(w.packet.ethertype == L4_ETH_IP6 ? l4_parse_ip6(f, &w.packet)
					       : l4_parse_ip4(f, &w.packet)))
		return L4_V_UNREADABLE;
	is6 = w.packet.flow.is6 ? L4_KIND_IS6 : 0;
	dst = l4_ml_address(w.keys->k, is6, w.packet.flow.dst);
	if (l4_filter_has(&w, dst))
		ours = l4_find(
			&w, w.packet.flow.dst, dst, l4_key_tail(0, 0, L4_KIND_ADDRESS | is6));
	v = l4_fragment_take(&w, f, ours && ours->rest);
	if (v == L4_NEXT_PORTS)
		return v;
	r->vip_id = ours ? ours->id : 0;
	return ours ? v : L4_V_NOT_OURS;
}

/* To be called once l4_process() has taken up the packet again, whatever came of it. */
L4_INLINE void l4_fragment_end(const struct l4_tables *t)
{
	struct l4_note *note = l4_tables_note(t);

	if (note)
		note->ports.known = false;
}
