/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast MAC addresses that a device takes in. */
#pragma once
#include <stdint.h>

/* Adds or removes one, for as long as the device lives; to add or remove it twice is the same as once. What the kernel's
 * own protocols have joined stays theirs. A VLAN's or a bond's go to the device below too. Return 0 or a negative errno. */
int groups_join(const char *device, const uint8_t mac[6]);
int groups_leave(const char *device, const uint8_t mac[6]);
