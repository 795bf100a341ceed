/* SPDX-License-Identifier: BSD-2-Clause */
/* Where frames of ports come in: the rows of a table of them, of which each has its line by the low bits of that ifindex. */
#pragma once
#include "dataplane/snapshot/snapshot.h"

enum { ARRIVALS_MAX = 64, ARRIVALS_LINES_MAX = 4096 };

struct arrival {
	uint32_t ifindex;
	const struct snapshot_port *port;
};

/* Fills in all of them and returns how many there are. A port on a VLAN is among them too, by its own ifindex: no frame comes
 * in there, but packets for it are looked up so. */
unsigned arrivals_list(const struct snapshot_input *in, struct arrival out[ARRIVALS_MAX]);

/* The smallest table in which each has a line of its own; 0: there is none. */
uint32_t arrivals_lines(const struct arrival *list, unsigned n);
