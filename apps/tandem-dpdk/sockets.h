/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of DPDK's net_af_packet and net_af_xdp, one for each queue, which the drivers keep to themselves. */
#pragma once
#include <stdint.h>

/* That of a device's queue; -1: none is known. */
int sockets_of(uint32_t ifindex, unsigned queue);

/* Its port has been closed: one that is opened later has others. */
void sockets_forget(uint32_t ifindex);
