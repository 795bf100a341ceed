/* SPDX-License-Identifier: BSD-2-Clause */
/* The immutable image that engines read: what goes in, how it is built, what comes out.
 *
 * Building is a pure function of its input and of the ring store, which remembers the rings that the
 * live generation uses so that unchanged ones are shared. An image holds no pointers: rows name each
 * other by line number (dataplane/l4/tables.h), rings by the chunk they start at. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/l4/tables.h"

/* A VLAN tag, in host order: 0x8100 or 0x88a8, and 1 to 4094. */
struct snapshot_tag {
	uint16_t protocol, id;
};

enum { SNAPSHOT_PARTS = 8 };

/* An interface that the engine sends and receives on. */
struct snapshot_port {
	uint32_t ifindex;
	uint8_t mac[6];
	uint16_t mtu;
	/* Of an interface on a VLAN: the device below that has the frames with their tags, and these, the outer one
	 * first. device 0: the interface is the device, and its frames have no tags. */
	uint32_t device;
	unsigned n_tags;
	struct snapshot_tag tags[L4_MAX_TAGS];
	/* Of a bond: the devices that its frames may come in by instead. */
	unsigned n_parts;
	uint32_t parts[SNAPSHOT_PARTS];
};

/* Where the port's frames come in and leave. */
uint32_t snapshot_device(const struct snapshot_port *p);

/* Its tags as they stand in tables. */
void snapshot_tags(const struct snapshot_port *p, uint32_t out[L4_MAX_TAGS]);

/* A VIP or a gateway: an address that the engine answers for. */
struct snapshot_address {
	uint32_t id;
	uint8_t af;	   /* 4 or 6 */
	uint8_t bytes[16]; /* network order, IPv4 in the first four */
	uint32_t ifindex;  /* where ARP and ND are answered */
	bool gateway;
	bool local; /* this host has it, for services of its own stack; means nothing to packets */
	uint8_t mac
		[6]; /* virtual: what ARP and ND are answered with; all zero: the interface's own */
};

enum { SNAPSHOT_IDLE_TCP_S = 900, SNAPSHOT_IDLE_UDP_S = 60, SNAPSHOT_IDLE_MAX_S = 8 * 3600 };

/* Sources that are let in or not. Bits behind the first plen are ignored. */
struct snapshot_prefix {
	uint8_t af;
	uint8_t bytes[16];
	uint8_t plen;
	bool allow;
};

/* The longest prefix that holds a source decides, of two that are the same the one that denies; without one it is let
 * in, unless `only` those of allowed prefixes are. */
struct snapshot_list {
	const struct snapshot_prefix *prefixes;
	uint32_t n;
	bool only;
	uint64_t digest; /* another one whenever the rest is another */
};

/* Ports of a service, host order: from the first to the last, which may be the same. */
struct snapshot_range {
	uint16_t first, last;
};

struct snapshot_service {
	uint32_t id;
	uint32_t address; /* index into addresses; not a gateway */
	/* L4_PROTO_TCP, _UDP or _SCTP; _ANY: what no other service of the VIP takes, by client and no port */
	uint8_t protocol;
	uint16_t port; /* host order; 0: the ranges tell */
	uint32_t first_range,
		n_ranges; /* of the input's; those of an address have no port in common */
	enum l4_forward forward;
	uint32_t pool;	 /* index into pools; without meaning where forward is L4_FORWARD_LOCAL */
	uint32_t idle_s; /* how long a flow may be silent; 0: SNAPSHOT_IDLE_TCP_S or _UDP_S */
	bool track_all, track_none, client_affinity;
	bool reject;	      /* answers what no server takes, instead of dropping it */
	uint8_t guard_checks; /* enum l4_guard_checks, but for SOURCES and RATES */
	uint32_t source_rate,
		source_syn_rate; /* packets and SYNs from a source in a second; 0: any number */
	uint8_t quic_id_bytes; /* connection ids have server ids of so many bytes; 0: they have none */
	uint32_t list;	       /* its own: index into lists; 0: none */
	/* Answers SYNs with cookies while more than so many come in a second; UINT32_MAX: never again, but goes on with
	 * connections that were begun so. */
	bool syn_cookies;
	uint32_t syn_threshold;
};

/* A pool's slot table, by the servers' stable ids; 0 is none. */
struct snapshot_slots {
	uint32_t n; /* a power of two, MAGLEV_MIN_SLOTS to MAGLEV_MAX_SLOTS */
	uint32_t n_tracked;
	const uint16_t *owner;
	const uint16_t *base;  /* SNAPSHOT_SETTLED: the slot is settled */
	const uint16_t *since; /* coarse time (dataplane/l4/record.h) */
	uint64_t
		version; /* another one whenever the table or the pool's list of members is another */
};

#define SNAPSHOT_SETTLED 0xffffu

struct snapshot_pool {
	uint32_t first_member,
		n_members; /* a range of members; of the family of the VIPs of its services, but for tunnels' */
	uint16_t id; /* stable; distinct among pools */
	/* NULL: all slots are settled, as Maglev hashing over the members' weights gives them. */
	const struct snapshot_slots *slots;
};

struct snapshot_member {
	uint32_t id; /* the server's stable id */
	uint8_t af;
	uint8_t bytes[16];
	uint16_t port;	 /* host order; 0: the service's */
	uint16_t weight; /* 0: has no ring slots (drained, down, in maintenance) */
	bool serves;	 /* the flows that it has: neither down nor in maintenance */
	/* The next hop towards it: the server itself when on the link, else a router. ifindex 0: there is
	 * none (no route, or over an interface that is not among the ports). */
	uint32_t hop_ifindex;
	uint8_t hop_af;
	uint8_t hop_bytes[16];
	/* Where tunnels to it come from, in its family; the last source_bits bits are the flow's, of which there
	 * are at most L4_SOURCE_BITS. All zero: there is no address to send from. */
	uint8_t source[16];
	uint8_t source_bits;
	uint16_t gue_port; /* where tunnels to it go by GUE, host order; 0: without */
	uint16_t mtu;	   /* of the path that tunnels take; 0: not known */
	uint8_t quic_id[L4_QUIC_ID_BYTES + 1]; /* zeros behind it */
	bool has_quic_id;
};

struct snapshot_input {
	const struct snapshot_port *ports;
	const struct snapshot_address *addresses;
	const struct snapshot_service *services;
	const struct snapshot_range *ranges;
	const struct snapshot_pool *pools;
	const struct snapshot_member *members;
	const struct snapshot_list *lists; /* the first is that of all services */
	uint32_t n_ports, n_addresses, n_services, n_ranges, n_pools, n_members, n_lists;
	uint8_t key[16];  /* of the flow hash, shared by the pair */
	uint32_t answers; /* ICMP errors and resets that one processor may send in about a second */
};

/* How long a service's flows may be silent, in coarse time. */
uint16_t snapshot_idle(const struct snapshot_service *s);

/* What Maglev hashing knows a server by: a hash of its address and port, the same on every node. */
uint64_t snapshot_identity(const struct snapshot_member *m);

/* Which rings are where. One per engine; outlives generations. */
struct ring_store;

/* slots: how many ring slots the pools of one configuration may use together. More is reserved, so that every slot
 * may be tracked and every ring replaced at once. pools: the highest id of one. Returns NULL when out of
 * memory. */
struct ring_store *ring_store_new(uint32_t slots, uint32_t pools);
void ring_store_free(struct ring_store *s);

/* How many chunks of L4_CHUNK_SLOTS slots a store for `slots` slots spans. */
uint32_t ring_store_chunks(uint32_t slots);

/* A ring that the image needs and the engine does not have yet. */
struct snapshot_ring {
	uint32_t chunk; /* first of `chunks` chunks */
	uint32_t chunks;
	const uint16_t *slots; /* chunks * L4_CHUNK_SLOTS of them */
};

struct snapshot {
	struct l4_line *image;
	uint32_t lines;
	struct snapshot_ring *rings;
	uint32_t n_rings;
};

struct guard_store;

/* Compiles the input. guard: has taken the input's lists (guard.h); NULL where there are none. neighbours[i] is the
 * row of member i's next hop in the engine's neighbour table, or L4_NO_NEIGHBOUR. generation goes into the root. max_lines is the size of the engine's image.
 * Returns 0; -ENOSPC when the image or the rings do not fit (*what names the limit: "services",
 * "servers", "ring_slots", …); -ENOMEM; -EINVAL for an input that contradicts itself. Must be followed
 * by snapshot_commit() or snapshot_abort() before the next build. */
int snapshot_build(struct ring_store *s, const struct guard_store *guard,
	const struct snapshot_input *in, const uint32_t *neighbours, uint64_t generation,
	uint32_t max_lines, struct snapshot **out, const char **what);

/* The generation is live and packets of the former one are gone: rings that it alone used are free. */
void snapshot_commit(struct ring_store *s, struct snapshot *sn);

/* The generation was not published: the rings that it added are free again. */
void snapshot_abort(struct ring_store *s, struct snapshot *sn);

/* How many lines an image needs at most for so many objects and such highest ids. Reverse rows are one per
 * server. A service counts once for each of its ports and ranges, and so do its servers; a server with a QUIC id once more. */
uint32_t snapshot_lines(uint32_t addresses, uint32_t services, uint32_t servers,
	uint32_t server_ids, uint32_t pool_ids);
