/* SPDX-License-Identifier: BSD-2-Clause */
/* A dry engine for tests that look at packets: VIP 1, 192.0.2.1, with services on three ports. The servers of the first and
 * the last have a MAC address that is known; to the last a source may send one SYN in a second. Time stands still. Needs
 * root. */
#pragma once
#include <stdint.h>
#include "controlplane/engine/xdp.h"

enum {
	BED_PORT = 1,
	BED_SERVERS = 2,
	BED_KNOWN = 80,
	BED_UNKNOWN = 81,
	BED_RATED = 82,
	BED_ERROR_BYTES = 70,
};

extern struct engine *engine;
extern struct event_base *base;
extern const struct addr bed_servers[BED_SERVERS];
/* How many neighbours the engine has asked for, and of how many paths it has told. */
extern unsigned bed_wanted, bed_told;

/* Of a cmocka group, in a network namespace of its own. */
int bed_open(void **state);
int bed_close(void **state);

/* A SYN to the VIP's port. */
void bed_syn(uint8_t frame[54], uint8_t port);

/* An ICMP error for a neighbour host: of a tunnel's packet 1400 bytes would have fitted. */
void bed_tunnel_error(uint8_t frame[BED_ERROR_BYTES]);
