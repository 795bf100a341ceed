/* SPDX-License-Identifier: BSD-2-Clause */
/* All devices of this network namespace, as they were at one time, and which of them stand on which. */
#pragma once
#include <stddef.h>
#include "controlplane/nic/netdev.h"

struct netdevs {
	struct netdev *list;
	size_t n, room;
};

/* Reads them into an empty list. Returns 0 or a negative errno; netdevs_free() follows an error too. */
int netdevs_read(struct netdevs *all);
void netdevs_free(struct netdevs *all);

/* The one of this number, or NULL. */
const struct netdev *netdevs_find(const struct netdevs *all, uint32_t ifindex);

/* Finds the devices that frames of one come in by: what a VLAN or the like is on, the parts of a bond or a bridge, and what those stand
 * on. The kernel glues packets together, and takes tags out, at the lowest of them. *below has room for all that there are. Returns
 * how many it found, each once; the device itself is not among them. */
size_t netdevs_below(const struct netdevs *all, uint32_t ifindex, const struct netdev **below);
