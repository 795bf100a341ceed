/* SPDX-License-Identifier: BSD-2-Clause */
/* The mirror itself: what was last said of every link, address, nexthop object, route and
 * neighbour. Pure: it is filled from messages, wherever they come from. */
#pragma once
#include "controlplane/host/message.h"
#include "controlplane/host/routes.h"
#include "controlplane/host/table.h"

struct host_store {
	struct host_table links;      /* of struct host_link_row, by ifindex */
	struct host_table addresses;  /* of struct host_address, by address */
	struct host_table nexthops;   /* of struct host_nexthop, by id */
	struct host_table neighbours; /* of struct host_neighbour, by ifindex and address */
	struct host_routes routes;
};

/* What a user of the mirror sees change. HOST_KIND_COUNT as its kind: nothing. */
struct host_change {
	enum host_kind kind;
	bool gone;
	union {
		struct host_link link;
		struct host_address address;
		struct host_route route;
		struct host_neighbour neighbour;
	};
};

void host_store_init(struct host_store *s);
void host_store_fini(struct host_store *s);

/* Fills a new store from a dump: messages in the kernel's order, nexthop objects before routes;
 * then `loaded` once, before anything else. Load returns 0 or -ENOMEM. */
int host_store_load(struct host_store *s, const struct host_message *m);
void host_store_loaded(struct host_store *s);

/* Follows one message and says in *change what that changed. Returns 0; -ENOMEM; or -ESTALE when
 * the message lets other things change of which the kernel says nothing (a link that goes down
 * takes its routes along), so that everything is to be dumped again. */
int host_store_follow(
	struct host_store *s, const struct host_message *m, struct host_change *change);

/* Calls fn for each change that leads from one store to the other. */
void host_store_diff(const struct host_store *from, const struct host_store *to,
	void (*fn)(void *arg, const struct host_change *change), void *arg);

const struct host_link *host_store_link(const struct host_store *s, uint32_t ifindex);
const struct host_neighbour *host_store_neighbour(
	const struct host_store *s, uint32_t ifindex, const struct addr *addr);
/* The interface that has the address, or 0. */
uint32_t host_store_owner(const struct host_store *s, const struct addr *addr);
