/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of ranges of ports (dataplane/l4/ports.h). */
#pragma once
#include "dataplane/snapshot/snapshot.h"

/* What a range of an address's ports leads to. */
struct ports_range {
	uint8_t af;
	uint8_t bytes[16]; /* the address */
	uint32_t from, to; /* protocol << 16 | port, host order */
	uint32_t line;
};

/* Sorts ranges by address, then by port. */
void ports_sort(struct ports_range *ranges, uint32_t n);

/* How many ranges from the first on have its address. */
uint32_t ports_same(const struct ports_range *ranges, uint32_t n);

/* How many lines a table of so many ranges takes at most. */
uint32_t ports_lines(uint32_t ranges);

/* Fills the table of one address's ranges, sorted. Returns how many entries it has, or -EINVAL when two of the ranges have
 * a port in common, or there are more than L4_PORTS_RANGES. */
int ports_fill(const struct ports_range *ranges, uint32_t n, struct l4_ports *table);
