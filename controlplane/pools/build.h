/* SPDX-License-Identifier: BSD-2-Clause */
/* From what is configured, wanted and seen to what the engine is told. A pure function. */
#pragma once
#include <stdbool.h>
#include "controlplane/conf/conf.h"
#include "controlplane/host/host.h"
#include "controlplane/pools/state.h"
#include "dataplane/snapshot/snapshot.h"

/* The next hop towards a server; ifindex 0: there is none. */
struct build_hop {
	uint32_t ifindex;
	struct addr addr;
	struct addr source; /* of tunnels that take it; af 0: there is none, or none is wanted */
	uint8_t source_bits;
	uint16_t mtu; /* of the path that tunnels take; 0: not known */
};

/* What the host knows. */
struct build_facts {
	const struct snapshot_port
		*ports;		      /* one per interface of the configuration, in its order */
	const struct build_hop *hops; /* one per server */
	/* One per service: whether connections of it live that SYN cookies began; NULL: nowhere. */
	const bool *proxied;
};

/* What is not an engine's business, but told of and shown. */
struct build_pool {
	uint32_t from; /* stable id of the pool whose servers take its new flows; 0: none does */
	bool forced;   /* fewer than min_up are up, and failed ones are used */
};

/* One piece of memory with the input and all that it points to. Padding is zero, so that inputs which say
 * the same are the same bytes. */
struct build {
	struct snapshot_input input;
	struct snapshot_port *ports;
	struct snapshot_address *addresses;
	struct snapshot_service *services;
	struct snapshot_range *ranges; /* of services without a port by itself */
	/* A pool's members are its own servers, in their order, and then those of its fall-backs. */
	struct snapshot_pool *pools;
	struct snapshot_member *members;
	struct build_pool *states; /* one per pool */
	uint64_t *digests;	   /* of the lists */
	/* Behind the memory that is compared: where the prefixes are says nothing about what they are. They are the
	 * configuration's. */
	struct snapshot_list *lists;
	size_t size; /* of memory */
	uint64_t memory[];
};

/* Chooses the next hop from the route of a server (NULL: none): the server itself or a router, over one
 * of the ports. */
struct build_hop build_hop(const struct host_route *route, const struct addr *server,
	const struct snapshot_port *ports, unsigned n_ports);

/* Adds the source of tunnels to a hop: the configured one, or else the host's own address on the hop's interface,
 * preferably in the next hop's network. Link-local ones and addresses that tandem answers for are not taken. */
void build_source(struct build_hop *hop, const struct conf *c, const struct addr *server,
	const struct host_address *own, unsigned n_own);

/* Per pool: whether a tunnel service uses it, or falls back on it. To be freed; NULL when out of memory. */
bool *build_tunnel_pools(const struct conf *c);

/* What the guard of every service looks at: enum l4_guard_checks, or'ed. */
uint8_t build_guard_checks(const struct conf *c);

/* Returns 0 or -ENOMEM. *out is to be freed with build_free(). */
int build_new(struct build **out, const struct conf *c, const struct binding *ids,
	const struct state *st, const struct build_facts *facts);
void build_free(struct build *b);

/* Whether two inputs say the same; either may be NULL. */
bool build_same(const struct build *a, const struct build *b);
