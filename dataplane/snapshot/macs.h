/* SPDX-License-Identifier: BSD-2-Clause */
/* MAC addresses that our addresses are answered with: their interface's own, or a virtual one. */
#pragma once
#include "dataplane/snapshot/snapshot.h"

/* How many rows of virtual ones there are at most. */
uint32_t macs_count(const struct snapshot_input *in);

/* What ARP and ND for the address are answered with; all zero: its interface is none of the ports. */
const uint8_t *macs_answer(const struct snapshot_input *in, const struct snapshot_address *a);

/* Whether the port has virtual ones. */
bool macs_has_virtual(const struct snapshot_input *in, const struct snapshot_port *p);

/* The keys of all virtual ones, each once, in a list to be freed. Returns how many there are, or -ENOMEM. */
int macs_keys(const struct snapshot_input *in, struct l4_key **out);
