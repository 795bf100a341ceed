/* SPDX-License-Identifier: BSD-2-Clause */
/* A dry engine for tests that look at packets: VIP 1, 192.0.2.1, with a service on each of two ports, of which one's server
 * has a MAC address that is known. Needs root. */
#pragma once
#include <stdint.h>
#include "controlplane/engine/xdp.h"

enum { BED_PORT = 1, BED_SERVERS = 2, BED_KNOWN = 80, BED_UNKNOWN = 81 };

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
