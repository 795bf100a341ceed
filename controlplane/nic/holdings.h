/* SPDX-License-Identifier: BSD-2-Clause */
/* What this host has on a device: its addresses, routes and static neighbours, as the very messages that make them anew, on it or
 * on another device. What the kernel only reports, and what it makes by itself from the rest, is left out. */
#pragma once
#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>
#include "controlplane/base/err.h"

/* In nlmsg_flags of an IPv6 address: duplicate address detection has found no other. */
enum { HOLDINGS_SETTLED = 1 };

struct holdings {
	uint32_t ifindex; /* that the messages name */
	struct nlmsghdr **list;
	size_t n, room;
	size_t legs;	 /* multipath routes with a leg by the device; they are among them */
	size_t nexthops; /* routes by nexthop objects, which are not among them */
};

/* Reads what is on the device into an empty list. Beside what lies on it these are multipath routes of which it is one leg, and
 * routes by other devices with one of its IPv4 addresses as their source, which the kernel removes together with the address.
 * Of IPv6 addresses, those that duplicate address detection has passed will not be asked for again; one that it has not is.
 * Temporary ones become ordinary ones with their lifetimes, since only the kernel can make such.
 * Returns 0 or a negative errno. */
int holdings_read(struct holdings *h, uint32_t ifindex);

/* Adds a message, which is copied. Returns 0 or -ENOMEM. */
int holdings_add(struct holdings *h, const struct nlmsghdr *nlh);

/* Has all of them name this device from now on. */
void holdings_move(struct holdings *h, uint32_t ifindex);

/* Makes what is not there yet; the device is up. Goes on behind what is refused. Returns 0, or the first negative errno and a
 * sentence. */
int holdings_put(const struct holdings *h, struct err *e);

/* The same for proxy entries only, which the kernel drops from a device that loses its carrier. */
int holdings_put_proxies(const struct holdings *h, struct err *e);

/* Removes all IPv4 addresses from a device. Returns 0 or a negative errno. */
int holdings_drop_ipv4(uint32_t ifindex);

void holdings_free(struct holdings *h);
