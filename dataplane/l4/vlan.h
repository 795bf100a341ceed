/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The VLAN tags of a packet that leaves: those of its way out, whatever it came with. packet.h notes what they are, and the
 * body calls this next: from a place of its own, if it likes, since nothing else of the packet's way is needed. */
#pragma once
#include "dataplane/l4/verdict.h"
#include "dataplane/l4/walk.h"

/* Bytes of tags are these in every packet that was parsed; the mask says so where that is out of sight. */
enum { L4_VLAN_BYTES_MASK = L4_MAX_TAGS * sizeof(struct l4_vlan) | sizeof(struct l4_vlan) };

L4_INLINE uint32_t l4_vlan_l3(const uint32_t tags[L4_MAX_TAGS])
{
	return (uint32_t)sizeof(struct l4_eth) +
	       (!!tags[0] + !!tags[1]) * (uint32_t)sizeof(struct l4_vlan);
}

/* Writes a tag, with priority 0. */
L4_INLINE bool l4_vlan_put(const struct l4_frame *f, uint32_t at, uint32_t tag)
{
	be16 *to = l4_at(f, at, 2 * sizeof *to);

	if (!to)
		return false;
	to[0] = l4_tag_protocol(tag);
	to[1] = l4_tag_id(tag);
	return true;
}

/* Gives a frame with so many bytes of tags exactly these. False when there is no room before it; then nothing
 * was changed. */
L4_INLINE bool l4_vlan_set(const struct l4_tables *t, struct l4_frame *f, uint32_t bytes,
	const uint32_t tags[L4_MAX_TAGS])
{
	uint32_t l3 = (uint32_t)sizeof(struct l4_eth) + bytes, new_l3 = l4_vlan_l3(tags),
		 at = offsetof(struct l4_eth, type);
	const struct l4_eth *was = l4_at(f, 0, sizeof *was);
	const be16 *type = l4_at(f, l3 - sizeof *type, sizeof *type);
	struct l4_eth eth, *to;
	be16 *end;

	if (!was || !type)
		return false;
	l4_mac_copy(eth.dst, was->dst);
	l4_mac_copy(eth.src, was->src);
	eth.type = *type;
	if (new_l3 != l3 && !l4_tables_grow(t, f, (int)(new_l3 - l3)))
		return false;
	to = l4_at(f, 0, sizeof *to);
	end = l4_at(f, new_l3 - sizeof *end, sizeof *end);
	if (!to || !end)
		return false;
	l4_mac_copy(to->dst, eth.dst);
	l4_mac_copy(to->src, eth.src);
	if (tags[0] && !l4_vlan_put(f, at, tags[0]))
		return false;
	if (tags[1] && !l4_vlan_put(f, at + sizeof(struct l4_vlan), tags[1]))
		return false;
	*end = eth.type;
	return true;
}

/* Gives the packet the tags that were noted. Returns what became of it and fills *out. */
L4_INLINE enum l4_verdict l4_vlan_leave(const struct l4_tables *t, struct l4_frame *f,
	const struct l4_note *note, struct l4_result *out)
{
	const struct l4_retag *r = &note->retag;

	*out = r->result;
	return l4_vlan_set(t, f, r->tag_bytes & L4_VLAN_BYTES_MASK, r->tags)
		       ? (enum l4_verdict)note->why
		       : L4_V_ENGINE_FAULT;
}
