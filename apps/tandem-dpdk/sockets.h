/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of DPDK's net_af_packet, one for each queue, which the driver keeps to itself. */
#pragma once
#include <stdint.h>

/* That of a device's queue; -1: none is known. */
int sockets_of(uint32_t ifindex, unsigned queue);
