/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From an address and a port to the row that is found by them: by the port alone, else by a range that it lies in. */
#pragma once
#include "dataplane/l4/walk.h"

/* The line that a table of n entries has for a port: a binary search. */
L4_INLINE uint32_t l4_ports_line(const struct l4_ports *table, uint32_t n, uint32_t port)
{
	uint32_t at = 0; /* how many entries begin at the port or before */

#pragma GCC unroll 7
	for (uint32_t step = (L4_PORTS_ENTRIES + 1) / 2; step; step /= 2)
		if (at + step <= n && table->entries[at + step - 1].from <= port)
			at += step;
	return at ? table->entries[at - 1].line : 0;
}

/* The body's way to it, by the table's first line: few packets need it. */
static uint32_t l4_tables_ports(
	const struct l4_tables *t, uint32_t table, uint32_t n, uint32_t port);

/* The row of this kind that a table of ranges has for a port in network order, or NULL. */
L4_INLINE const void *l4_ports_find(const struct l4_walk *w, struct l4_port_table table,
	uint8_t protocol, uint16_t port, uint8_t kind)
{
	uint32_t line = table.n ? l4_tables_ports(w->tables, table.line, table.n,
					  (uint32_t)protocol << 16 | __builtin_bswap16(port))
				: 0;

	if (!line)
		return NULL;
	l4_tell(w->tables, L4_STEP_FIND, l4_key_tail(port, protocol, kind), line);
	return l4_tables_line(w->tables, line);
}

/* The service of an address, of which `ours` is the row, that takes a packet to a port which no service has by itself, or
 * to none (0); or NULL. */
L4_INLINE const struct l4_service *l4_service_else(
	const struct l4_walk *w, const struct l4_address *ours)
{
	const struct l4_flow *flow = &w->packet.flow;
	const struct l4_service *s =
		l4_ports_find(w, ours->ports, flow->protocol, flow->dport, L4_KIND_SERVICE);

	if (s || !ours->rest)
		return s;
	l4_tell(w->tables, L4_STEP_FIND, l4_key_tail(flow->dport, flow->protocol, L4_KIND_SERVICE),
		ours->rest);
	return l4_tables_line(w->tables, ours->rest);
}

/* What replies from a server's port are translated back to; `sum` is what its address gives to the hash of keys. */
L4_INLINE const struct l4_reverse *l4_find_reverse(const struct l4_walk *w,
	const uint32_t server[4], uint64_t sum, uint8_t protocol, uint16_t port)
{
	uint8_t is6 = w->packet.flow.is6 ? L4_KIND_IS6 : 0;
	const struct l4_reverse *rev =
		l4_find(w, server, sum, l4_key_tail(port, protocol, L4_KIND_REVERSE | is6));
	const struct l4_replies *all;

	if (rev)
		return rev;
	all = l4_find(w, server, sum, l4_key_tail(0, 0, L4_KIND_REPLIES | is6));
	return all ? l4_ports_find(w, all->ports, protocol, port, L4_KIND_REVERSE) : NULL;
}
