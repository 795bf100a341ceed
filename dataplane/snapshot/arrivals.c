/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/arrivals.h"

unsigned arrivals_list(const struct snapshot_input *in, struct arrival out[ARRIVALS_MAX])
{
	unsigned n = 0;

	for (uint32_t i = 0; i < in->n_ports; i++) {
		const struct snapshot_port *p = &in->ports[i];

		out[n++] = (struct arrival){ p->ifindex, p };
		for (unsigned k = 0; k < p->n_parts && !p->n_tags; k++)
			out[n++] = (struct arrival){ p->parts[k], p };
	}
	return n;
}

uint32_t arrivals_lines(const struct arrival *list, unsigned n)
{
	for (uint32_t size = 1; size <= ARRIVALS_LINES_MAX; size *= 2) {
		uint8_t seen[ARRIVALS_LINES_MAX] = { 0 };
		unsigned i = 0;

		while (i < n && !seen[list[i].ifindex & (size - 1)]++)
			i++;
		if (i == n)
			return size;
	}
	return 0;
}
