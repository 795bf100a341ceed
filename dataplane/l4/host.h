/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is passed to this host's own stack, which takes no notice of frames for a MAC address that is not its interface's own.
 * The body calls this for frames that are passed, whatever the reason: from a place of its own, if it likes. */
#pragma once
#include "dataplane/l4/port.h"

/* Whether any frame may need it. */
L4_INLINE bool l4_host_is_called(const struct l4_tables *t)
{
	const struct l4_root *root = l4_tables_line(t, L4_LINE_ROOT);

	return root && root->flags & L4_ROOT_VIRTUAL;
}

/* Makes the interface's own MAC address the destination of a frame that came in by the device for a virtual one of it. */
L4_INLINE void l4_host(const struct l4_tables *t, const struct l4_frame *f, uint32_t device)
{
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);
	struct l4_walk w;

	if (!eth || !l4_host_is_called(t) || !l4_walk_begin(&w, t) ||
		!l4_parse_link(f, &w.packet) || l4_has_more_tags(&w.packet))
		return;
	w.port = l4_port_in(&w, device, false);
	if (!w.port || l4_is_for(t, w.port, eth->dst) != L4_FOR_VIRTUAL_MAC)
		return;
	l4_tell(t, L4_STEP_HOST, w.port->ifindex, 0);
	l4_mac_copy(eth->dst, w.port->mac);
}
