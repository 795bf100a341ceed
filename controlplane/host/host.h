/* SPDX-License-Identifier: BSD-2-Clause */
/* A mirror of what the kernel knows of links, addresses, routes and neighbours, kept by
 * rtnetlink. */
#pragma once
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/addr.h"
#include "controlplane/base/err.h"

struct event_base;
struct host;

enum { HOST_KIND_NAME = 16 };

struct host_link {
	uint32_t ifindex;
	char name[IF_NAMESIZE];
	uint8_t mac[6];
	uint32_t mtu;
	bool up;       /* administratively up and with a carrier */
	bool ethernet; /* its frames have Ethernet headers */
	char kind
		[HOST_KIND_NAME]; /* of a software device, as ip-link(8) has it: "vlan", "bond"; else "" */
	uint32_t master;	  /* ifindex of the bond, bridge, ... that it is a part of, or 0 */
	uint32_t lower;		  /* ifindex of the device that it is on (a VLAN's), or 0 */
	bool lower_elsewhere; /* and that is in another network namespace */
	uint16_t vlan_protocol,
		vlan_id; /* of a VLAN, in host order: 0x8100 or 0x88a8, and 0 to 4094 */
};

struct host_address {
	uint32_t ifindex;
	struct addr addr;
	uint8_t plen;
};

enum host_route_kind {
	HOST_ROUTE_UNICAST,
	HOST_ROUTE_LOCAL,   /* an address of this host */
	HOST_ROUTE_DISCARD, /* blackhole, unreachable, prohibit, throw, broadcast, multicast */
};

/* The best (lowest metric) usable route of its prefix in the tables main and local; of a multipath
 * route the first next hop that works. Policy rules, other tables and routes by ToS or source are
 * left out. A route into a tunnel of the kernel's (encap) counts as DISCARD. */
struct host_route {
	struct addr dst; /* host bits are zero */
	uint8_t plen;
	enum host_route_kind kind;
	uint32_t ifindex;
	struct addr gateway; /* af 0: the destination is on the link */
};

enum host_neighbour_state {
	HOST_NEIGHBOUR_NONE,   /* unknown, being asked for, or failed: not to be used */
	HOST_NEIGHBOUR_USABLE, /* reachable, permanent, delay or probe */
	HOST_NEIGHBOUR_STALE,  /* usable, but the kernel has not heard of it for a while */
};

struct host_neighbour {
	uint32_t ifindex;
	struct addr addr;
	uint8_t mac[6];
	enum host_neighbour_state state;
};

/* Called from the event loop after the mirror itself was updated; never from within host_new().
 * Any may be NULL. A vanished object is reported with gone = true (a neighbour also with state
 * NONE). They may ask for neighbours, but must not call host_free(). */
struct host_callbacks {
	void (*link)(void *arg, const struct host_link *link, bool gone);
	void (*address)(void *arg, const struct host_address *address, bool gone);
	void (*route)(void *arg, const struct host_route *route, bool gone);
	void (*neighbour)(void *arg, const struct host_neighbour *neighbour, bool gone);
	/* Messages were lost (ENOBUFS) and the whole mirror was read anew: look at everything
	 * again. What differs from before has been told by the calls above already; this one comes last. */
	void (*resync)(void *arg);
};

/* Opens rtnetlink and reads everything once, so that the look-ups below are good on return.
 * Returns 0 or a negative errno with a sentence in e. */
int host_new(struct host **out, struct event_base *base, const struct host_callbacks *cb, void *arg,
	struct err *e);
void host_free(struct host *h);

/* Look-ups; NULL when there is none. Pointers are good until the loop runs again. */
const struct host_link *host_link_by_name(const struct host *h, const char *name);
const struct host_link *host_link_by_index(const struct host *h, uint32_t ifindex);
/* Longest match for a destination. */
const struct host_route *host_route_lookup(const struct host *h, const struct addr *dst);
const struct host_neighbour *host_neighbour_find(
	const struct host *h, uint32_t ifindex, const struct addr *addr);
/* Whether one of the host's interfaces owns the address; its ifindex, or 0. */
uint32_t host_owns(const struct host *h, const struct addr *addr);

enum { HOST_STACK_TAGS = 2, HOST_STACK_PARTS = 8 };

/* What frames of a link go through: those of a VLAN come and go by the device under it, with tags; those of a bond may
 * be seen at one of its parts. */
struct host_stack {
	uint32_t device; /* the link itself where it is no VLAN */
	unsigned n_tags; /* the outer one first */
	struct {
		uint16_t protocol, id; /* as in struct host_link */
	} tags[HOST_STACK_TAGS];
	uint32_t mtu;	  /* of IP packets on the link that the device takes with their tags */
	unsigned n_parts; /* devices that the device, a bond, consists of */
	uint32_t parts[HOST_STACK_PARTS];
};

/* Finds out what a link stands on. Returns 0, or -ENODEV, -EINVAL, -E2BIG and a sentence: its frames cannot be
 * had. */
int host_stack(
	const struct host *h, const struct host_link *link, struct host_stack *out, struct err *e);

/* Walks; a callback that returns false ends the walk. */
void host_each_link(
	const struct host *h, bool (*fn)(void *arg, const struct host_link *), void *arg);
void host_each_address(
	const struct host *h, bool (*fn)(void *arg, const struct host_address *), void *arg);
void host_each_route(
	const struct host *h, bool (*fn)(void *arg, const struct host_route *), void *arg);
void host_each_neighbour(
	const struct host *h, bool (*fn)(void *arg, const struct host_neighbour *), void *arg);

/* Makes the kernel resolve or refresh a neighbour (RTM_NEWNEIGH with NTF_USE); the answer
 * arrives by the neighbour callback. Returns 0 or a negative errno. */
int host_neighbour_ask(struct host *h, uint32_t ifindex, const struct addr *addr);
