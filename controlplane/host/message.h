/* SPDX-License-Identifier: BSD-2-Clause */
/* What rtnetlink says, one message at a time: the bytes checked and put into words. Pure. */
#pragma once
#include <linux/netlink.h>
#include "controlplane/host/host.h"

/* One way out of a route. The kernel reports `dead` for a next hop that it does not use (its
 * device is down, or has no carrier and the host is set to ignore such routes), `linkdown` for
 * one without carrier. */
struct host_hop {
	uint32_t ifindex;
	struct addr gateway; /* may be of the other family (RTA_VIA) */
	bool dead, linkdown;
	bool encapsulated; /* through a light-weight tunnel, which only the kernel can do */
};

struct host_link_row {
	struct host_link link;
	bool admin_up; /* link.up without the carrier */
};

enum { HOST_NEXTHOP_MEMBERS = 32 }; /* of a group; the mirror needs the first that works */

/* A nexthop object (ip-nexthop(8)): a hop, a blackhole, or a group of others. */
struct host_nexthop {
	uint32_t id;
	bool blackhole;
	struct host_hop hop;
	unsigned n_members;
	uint32_t members[HOST_NEXTHOP_MEMBERS];
};

/* A route as it stands in the kernel's table; several may share a prefix, and even table and
 * metric. A route without a next hop that works is passed by, as the kernel does. */
struct host_route_row {
	struct host_route route; /* through the first next hop that works */
	bool in_main;		 /* else in the table local, which goes first */
	uint32_t metric;
	uint64_t order;	  /* among equals; given by the table */
	bool usable;	  /* at least one next hop works */
	bool linkdown;	  /* the next hop in use has no carrier */
	uint32_t nexthop; /* id of a nexthop object when nothing else says where it leads; or 0 */
	/* What tells it from its equals: its first next hop, working or not, and their number. */
	struct host_hop first;
	unsigned n_hops;
};

enum host_kind {
	HOST_KIND_LINK,
	HOST_KIND_ADDRESS,
	HOST_KIND_NEXTHOP,
	HOST_KIND_ROUTE,
	HOST_KIND_NEIGHBOUR,
	HOST_KIND_COUNT
};

struct host_message {
	enum host_kind kind;
	bool gone;    /* deleted; else new or changed */
	bool replace; /* of a route: in the place of one with its prefix, table and metric */
	union {
		struct host_link_row link;
		struct host_address address;
		struct host_nexthop nexthop;
		struct host_route_row route;
		struct host_neighbour neighbour;
	};
};

/* Reads a message whose nlmsg_len was checked to lie within its buffer. Returns 1 and *out; 0
 * for messages the mirror has no use for (other kinds, families and tables, cached and source
 * routes, proxy entries); -EBADMSG for a damaged one. */
int host_message_read(const struct nlmsghdr *nlh, struct host_message *out);

/* Adds a next hop to a unicast route: the first that neither is dead nor lacks a carrier is
 * used, else the first that is not dead. A route into a tunnel is a discard route to us: to look
 * past it would send the packets where the host does not. */
void host_route_add_hop(struct host_route_row *r, const struct host_hop *hop);

/* Clears the bits of a beyond the first plen. */
void host_addr_mask(struct addr *a, uint8_t plen);
