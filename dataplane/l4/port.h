/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The interface that a frame came in by, and whether the frame is for it: sent to its own MAC address, or to a virtual one,
 * which some address of ours there is answered with.
 *
 * The body defines what walk.h asks for, and, anywhere:
 *
 *   bool l4_tables_virtual(const struct l4_tables *t, uint32_t ifindex, uint64_t mac);
 *       does l4_has_virtual(): the kernel's verifier would follow it on every path if it were in line
 */
#pragma once
#include "dataplane/l4/walk.h"

/* The interface that a frame belongs to which came in by the device, by its tags; or NULL. `told`, a constant: what is found
 * is told. */
L4_INLINE const struct l4_port *l4_port_in(const struct l4_walk *w, uint32_t device, bool told)
{
	const uint32_t *tags = w->packet.tags;
	const uint32_t key[4] = { device, tags[0], tags[1], 0 };
	uint32_t tail = l4_key_tail(0, 0, L4_KIND_PORT), line;
	uint64_t sum;

	if (!tags[0])
		return l4_port_of(w->tables, w->root, device);
	sum = l4_ml_address(w->keys->k, L4_KIND_IS6, key);
	return told ? l4_find(w, key, sum, tail) : l4_look(w, key, sum, tail, &line);
}

/* Whether a MAC address is a virtual one of the interface. */
L4_INLINE bool l4_has_virtual(const struct l4_tables *t, uint32_t ifindex, uint64_t mac)
{
	const uint32_t key[4] = { ifindex, (uint32_t)mac, (uint32_t)(mac >> 32), 0 };
	struct l4_walk w;
	uint32_t line = 0;

	if (!l4_walk_begin(&w, t))
		return false;
	return l4_look(&w, key, l4_ml_address(w.keys->k, L4_KIND_IS6, key),
		l4_key_tail(0, 0, L4_KIND_MAC), &line);
}

static bool l4_tables_virtual(const struct l4_tables *t, uint32_t ifindex, uint64_t mac);

L4_INLINE enum l4_for l4_is_for(
	const struct l4_tables *t, const struct l4_port *port, const uint8_t mac[6])
{
	if (l4_mac_is(mac, port->mac))
		return L4_FOR_OWN_MAC;
	return port->has_virtual && l4_tables_virtual(t, port->ifindex, l4_mac_number(mac))
		       ? L4_FOR_VIRTUAL_MAC
		       : L4_FOR_OTHERS;
}

/* Whether the frame is for the interface that it came in by, which *w learns. */
L4_INLINE bool l4_is_for_port(struct l4_walk *w, const struct l4_frame *f, uint32_t device)
{
	const struct l4_eth *eth = l4_at(f, 0, sizeof *eth);
	enum l4_for is;

	w->port = l4_port_in(w, device, true);
	is = w->port && eth ? l4_is_for(w->tables, w->port, eth->dst) : L4_FOR_OTHERS;
	l4_tell(w->tables, L4_STEP_PORT, w->port ? w->port->ifindex : 0, is);
	return is != L4_FOR_OTHERS;
}
