/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of this host. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/addr.h"

/* Whether a device of the host has the address. */
bool addresses_has(const struct addr *address);

/* Adds it to a device, alone in its network, or removes it; to do so twice is the same as once. Return 0 or a negative
 * errno. */
int addresses_add(uint32_t ifindex, const struct addr *address);
int addresses_remove(uint32_t ifindex, const struct addr *address);
