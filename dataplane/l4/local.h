/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is for a service of this host's own stack. packet.h and error.h note it, and the body calls this next: from a place of
 * its own, if it likes, since nothing else of the packet's way is needed. */
#pragma once
#include "dataplane/l4/mac.h"
#include "dataplane/l4/result.h"
#include "dataplane/l4/verdict.h"

/* Makes the frame one that the host takes in: addressed to the interface itself, by whatever MAC address of ours it came.
 * Returns what became of it and fills *out. */
L4_INLINE enum l4_verdict l4_local(
	const struct l4_frame *f, const struct l4_note *note, struct l4_result *out)
{
	struct l4_eth *eth = l4_at(f, 0, sizeof *eth);

	*out = note->local;
	if (!eth)
		return L4_V_ENGINE_FAULT;
	if (!l4_mac_is(eth->dst, note->mac))
		l4_mac_copy(eth->dst, note->mac);
	return L4_V_LOCAL;
}
