/* SPDX-License-Identifier: BSD-2-Clause */
/* Unicast MAC addresses that a device takes frames for besides its own; or all of them. A VLAN's or a bond's go to the device
 * below too. A device that cannot tell some from others takes all once it is given one, which the kernel sees to. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Whether it is in the device's filter. */
bool unicast_has(uint32_t ifindex, const uint8_t mac[6]);

/* Adds or removes one, for as long as the device lives; to do so twice is the same as once. Return 0 or a negative errno. */
int unicast_add(uint32_t ifindex, const uint8_t mac[6]);
int unicast_remove(uint32_t ifindex, const uint8_t mac[6]);

/* Whether the device was told to take all frames (IFF_PROMISC), and telling it so. What others need it for, such as packet
 * sockets, the kernel counts apart. Return 1 or 0, and 0; or a negative errno. */
int unicast_takes_all(const char *device);
int unicast_take_all(const char *device, bool all);
