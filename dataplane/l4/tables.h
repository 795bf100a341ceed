/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tables that engines read: one definition for the builder, the BPF program and every other body.
 *
 * The image of a generation is an array of 64-byte lines, one cache line each. Line 0 is the root, line 1
 * the keys of the table hash; the others are reached by line numbers found in lines before them.
 * Rings lie beside it in chunks, since generations share them. Routes and neighbours follow the kernel
 * and not the configuration, so they are no part of a generation. */
#pragma once
#include "dataplane/l4/hash.h"
#include "dataplane/l4/record.h"

/* Raise it whenever a struct here, or the order of verdicts, changes: tables of other versions are not
 * adopted. */
#define L4_TABLES_VERSION 6
#define L4_TABLES_MAGIC	  0x6d646e74 /* "tndm" */

enum { L4_LINE_WORDS = 8 };

struct l4_line {
	uint64_t words[L4_LINE_WORDS];
};

enum { L4_LINE_ROOT, L4_LINE_KEYS, L4_LINE_FIRST };

enum l4_root_flags { L4_ROOT_VIRTUAL = 1 /* some interface has virtual MAC addresses */ };

struct l4_root {
	uint32_t magic;
	uint16_t version, flags;
	uint64_t generation; /* counts up from 1; 0: none yet, an empty table */
	uint64_t flow_key[2];
	uint32_t lines;			   /* of this image */
	uint32_t filter_base, filter_mask; /* mask: of bit numbers */
	uint32_t bucket_base, bucket_mask;
	uint32_t port_base,
		port_mask; /* the port of interface i is line port_base + (i & port_mask) */
	uint32_t answers;  /* to refused packets, of one processor in one unit of coarse time */
};

/* The keys of the table hash, and where rows are found by the stable ids that records hold. */
struct l4_keys {
	uint64_t k[L4_ML_KEYS];
	uint32_t server_base, n_servers; /* struct l4_server_lines of ids below n_servers */
	uint32_t pool_base, n_pools;	 /* the pool of id i is line pool_base + i */
};

enum { L4_FILTER_LINE_BITS = 512 };

/* What a row of the hash table stands for. The lowest bit of l4_key.kind says IPv6. */
enum l4_kind {
	L4_KIND_IS6 = 1,
	L4_KIND_SERVICE = 0,
	L4_KIND_ADDRESS = 2,
	L4_KIND_REVERSE = 4,
	L4_KIND_PORT = 6 | L4_KIND_IS6, /* all of the address counts */
	L4_KIND_QUIC = 8 | L4_KIND_IS6,
	L4_KIND_REPLIES = 10,
	L4_KIND_MAC = 12 | L4_KIND_IS6,
};

/* At the start of every row that the table finds. Network order; a SERVICE is found by VIP, port and
 * protocol, an ADDRESS of ours by itself (port and protocol 0), a REVERSE by server, port and protocol, REPLIES by a server
 * that has ranges of ports. A PORT on a VLAN is found by what stands in its address: the ifindex of the device, and both tags;
 * a MAC, a virtual one, by the ifindex of its interface, and itself (l4_mac_key()). */
struct l4_key {
	uint32_t address[4];
	uint16_t port;
	uint8_t protocol, kind;
};

enum { L4_BUCKET_ENTRIES = 8 };

/* tag: the row's whole 32-bit hash, distinct among all rows of the image; 0: empty. */
struct l4_bucket {
	struct {
		uint32_t tag, line;
	} entries[L4_BUCKET_ENTRIES];
};

/* LOCAL: to this host's own stack; such a service has no members. */
enum l4_forward { L4_FORWARD_DSR, L4_FORWARD_NAT, L4_FORWARD_TUNNEL, L4_FORWARD_LOCAL };

enum l4_service_flags {
	L4_SERVICE_TRACK_ALL = 1, /* every slot counts as tracked */
	L4_SERVICE_CLIENT = 2,	  /* hash and records are of the client's address alone */
	L4_SERVICE_REJECT = 4,	  /* packets without a server are answered */
	L4_SERVICE_UNTRACKED = 8, /* no flow has a record: packets go where the ring says now */
	L4_SERVICE_QUIC = 16,	  /* connection ids name servers */
	L4_SERVICE_COOKIES = 32,  /* TCP; floods of SYNs are answered with SYN cookies */
	L4_SERVICE_SHIELDED = 64, /* it has a guard, or COOKIES */
};

struct l4_service {
	struct l4_key key;
	uint32_t id, vip_id;
	uint32_t ring_chunk, ring_mask; /* ring_mask + 1 slots */
	uint32_t member_base;		/* line of member 0 */
	uint32_t n_members;		/* 0: the ring is empty, there is no server */
	uint8_t forward;		/* enum l4_forward */
	uint8_t flags;			/* enum l4_service_flags */
	uint16_t pool_id;
	uint16_t idle;	       /* how long a flow may be silent, in coarse time */
	uint8_t quic_id_bytes; /* QUIC: of a server id, 1 to L4_QUIC_ID_BYTES */
	uint8_t pad0;
	uint32_t guard; /* line of its struct l4_guard; 0: every source may send what it likes */
	uint32_t syn_limit; /* COOKIES: how many SYNs in a unit of coarse time are no flood */
	uint8_t pad1[4];
};

/* What is looked at before a packet of the service takes its slot. */
enum l4_guard_checks {
	L4_GUARD_FLAGS = 1,   /* TCP flags that contradict each other */
	L4_GUARD_LAND = 2,    /* source and destination are the same */
	L4_GUARD_BOGONS = 4,  /* sources that cannot be */
	L4_GUARD_SOURCES = 8, /* lists of sources */
	L4_GUARD_RATES = 16,  /* how much each source sends */
};

/* Whose lists of sources: both must let a packet in. */
enum l4_guard_whose { L4_GUARD_ALL, L4_GUARD_OWN, L4_GUARD_LISTS };

struct l4_guard {
	uint8_t checks; /* enum l4_guard_checks */
	/* Per list of sources: whether one is denied that no prefix of the list holds. */
	uint8_t denies[L4_GUARD_LISTS];
	uint8_t classes; /* enum l4_prefix_class: those of the prefixes of the VIP's family, in any list */
	/* Where nothing but lists is looked at: enum l4_verdict on sources that none of them names; 0 elsewhere. */
	uint8_t others;
	uint8_t fine_shift; /* 64 less the bits of a line's number in the fine table */
	/* Of the coarse filter of the VIP's family (filter.h): one less than the entries of a window, a power of two. */
	uint16_t coarse_window;
	/* Guard lines: those of short prefixes of the VIP's family, and lists of it (struct l4_list). 0: no list. */
	uint32_t shorts, lists[L4_GUARD_LISTS];
	uint32_t coarse; /* the byte of the image where it begins */
	uint32_t coarse_starts, coarse_seed;
	uint32_t fine; /* of both families */
	uint32_t service_id;
	uint32_t rate,
		syn_rate; /* packets, and TCP SYNs, from a source in a unit of coarse time; 0: any number */
	uint64_t key[2]; /* of the hash that a source is known by */
};

/* Lists of sources lie beside the image in guard lines, of which a generation uses one half; the other is for the next one.
 * Filters say of most sources that no list names them: the first of them with three loads at once, of a table so small that it
 * stays in the cache nearest to the processor which it fits in.
 *
 * coarse  a byte for each stem of a family's prefixes from /24 (IPv6: /32) on, and some more (filter.h), which lie in the image:
 *         that is at hand. The stem is an IPv4 prefix' first 24 bits, of which the filter says what the next four are when one long
 *         prefix alone has it; and an IPv6 prefix' first 32 bits, or 48 of long ones. Of other stems it says anything.
 * shorts  one bit for each /20 that a shorter prefix touches; one for each /16 is in the image, right before the coarse filter.
 * fine    a Bloom filter of the prefixes that are in the coarse table, in a line for each hash of a stem: IPv4 ones by their
 *         length rounded down to an even number, IPv6 ones by theirs rounded down to a multiple of 8, and 64 at most.
 *
 * A list is the sorted addresses where its answer changes, from "not as without any prefix" to "as without" and back: the
 * number of them that are no greater than a source tells by its lowest bit. They are the leaves of a static tree, in
 * nodes of 16 (IPv4) or 8 (IPv6) keys; each key of a higher level is the first one of a node below. */
enum {
	L4_SHORTEST_BITS = 16,
	L4_SHORT_BITS = 20,
	L4_SHORTEST_LINES = (1 << L4_SHORTEST_BITS) / L4_FILTER_LINE_BITS,
	L4_STEM4_BITS = 24,
	L4_STEM4_LONG_BITS = 28,
	L4_STEM6_BITS = 32,
	L4_STEM6_LONG_BITS = 48,
	L4_LIST4_KEYS = 16,
	L4_LIST6_KEYS = 8,
	L4_LIST4_LEVELS = 6,
	L4_LIST6_LEVELS = 8,
};

/* By length: shorter than a stem is; with a stem; with a longer one. */
enum l4_prefix_class { L4_CLASS_SHORT = 1, L4_CLASS_STEM = 2, L4_CLASS_LONG = 4 };

struct l4_list {
	uint32_t n, n_levels;
	uint32_t levels[14]; /* guard line where each begins; the first one is the root */
};

/* What a source has sent to a service, in the last unit of coarse time in which it sent anything. */
struct l4_source {
	uint32_t who; /* of its hash; 0: nobody */
	uint16_t since, pad;
	uint32_t packets, syns;
};

enum { L4_BUCKET_SOURCES = 4 };

struct l4_source_bucket {
	struct l4_source sources[L4_BUCKET_SOURCES];
};

/* Keys behind the last one are the highest address. Host order. */
struct l4_list4_node {
	uint32_t keys[L4_LIST4_KEYS];
};

struct l4_list6_node {
	uint64_t high[L4_LIST6_KEYS]; /* a line */
	uint64_t low[L4_LIST6_KEYS];  /* the next */
};

/* What is left of a pool when its id is all that is known: where its slots are. */
struct l4_pool {
	uint32_t ring_chunk, ring_mask;
	uint32_t member_base;
	uint16_t idle; /* the longest of its services' */
	uint8_t pad[50];
};

/* The member row of each server id, 0: the server serves no flows. */
enum { L4_LINE_SERVERS = 16 };

struct l4_server_lines {
	uint32_t lines[L4_LINE_SERVERS];
};

/* Ports by ranges: where what they lead to changes, sorted, each as protocol << 16 | port in host order, and the line
 * of the row that holds from there on; 0: none does. A table takes as many lines of the image as it has entries for; but a
 * body may read it as if it had all of them. */
enum { L4_PORTS_RANGES = 63, L4_PORTS_ENTRIES = 127, L4_PORTS_LINES = 16 };

struct l4_ports {
	struct {
		uint32_t from, line;
	} entries[L4_PORTS_ENTRIES];
};

/* The ranges of an address: the first line, and how many entries. */
struct l4_port_table {
	uint32_t line, n;
};

struct l4_address {
	struct l4_key key;
	uint32_t id;
	uint32_t ifindex;	    /* where ARP and ND are answered */
	uint32_t nd_flags;	    /* of an advertisement for it, network order */
	struct l4_port_table ports; /* of services; a service on one port has a row of its own */
	uint32_t rest; /* line of the service that takes what no other one does; 0: none */
	uint8_t mac
		[6]; /* that ARP and ND are answered with: a virtual one, or the interface's own */
	uint8_t pad[14];
};

/* A virtual MAC address of an interface: that there is such a row says it all. */
struct l4_virtual {
	struct l4_key key;
	uint8_t pad[44];
};

/* A server's reply and what it is translated back to. */
struct l4_reverse {
	struct l4_key key;
	uint32_t vip_id;
	uint32_t vip[4];
	uint16_t vip_port; /* 0: the server's own */
	uint16_t pad0;
	uint32_t service_id;
	uint8_t cookies; /* the service has L4_SERVICE_COOKIES */
	uint8_t pad1[15];
};

/* A server whose replies are found by ranges of ports. */
struct l4_replies {
	struct l4_key key;
	struct l4_port_table ports;
	uint8_t pad[36];
};

/* A server of a pool by the id in connection ids: the key's address is the id, zeros behind it, its port the pool's
 * stable id. */
enum { L4_QUIC_ID_BYTES = 15 };

struct l4_quic {
	struct l4_key key;
	uint32_t server; /* stable id */
	uint8_t pad[40];
};

/* How many bits of a tunnel's source may be the flow's. */
enum { L4_SOURCE_BITS = 32 };

/* What is outside; 0: IPv4 alone. */
enum l4_wrap {
	L4_WRAP_IS6 = 1,
	L4_WRAP_GUE = 2,
	L4_WRAP_NONE = 4, /* no tunnel can be made: there is no address that it could come from */
};

struct l4_member {
	uint32_t address[4];
	uint32_t id;
	uint32_t neighbour; /* row of its next hop, or L4_NO_NEIGHBOUR: there is no route */
	uint16_t port;	    /* network order; 0: the one that the client asked for */
	uint16_t mtu;	    /* of the path that tunnels to it take; UINT16_MAX: not known */
	/* What tunnels to it come from: an address, and which bits of its last word are the flow's. */
	uint32_t source[4], source_mask;
	uint8_t wrap; /* enum l4_wrap: how these are made */
	uint8_t pad0;
	uint16_t gue_port; /* network order; with L4_WRAP_GUE */
	uint8_t pad1[12];
};

/* An interface of the configuration. One on a VLAN has a key; others are found by where their frames come in alone. */
struct l4_port {
	struct l4_key key;
	uint32_t
		arrival; /* ifindex of where its frames come in: the device, or a part of it (a bond's); 0: none */
	uint32_t ifindex; /* of the interface */
	uint32_t device;  /* the same, or the device under the VLAN */
	uint8_t mac[6];
	uint16_t mtu;
	uint8_t has_virtual; /* MAC addresses besides */
	uint8_t pad[23];
};

/* Rings: chunks of slots. A slot is the index of the member that owns it, or NONE, and whether it is tracked. Behind
 * a ring with tracked slots two more of its size follow: the index of each tracked slot's base, and since when it
 * is tracked, in coarse time, which only a restarted control plane reads. */
enum { L4_CHUNK_SLOTS = 256 };
enum { L4_SLOT_NONE = 0x7fff, L4_SLOT_TRACKED = 0x8000 };

struct l4_chunk {
	uint16_t slots[L4_CHUNK_SLOTS];
};

#define L4_NO_NEIGHBOUR 0xffffffffu

/* The way to a next hop. `mac_state` is written with one 64-bit store by the control plane: bytes 0-5 the
 * next hop's MAC address, byte 6 nonzero while it is usable. `used` is set by the engine and cleared by
 * the control plane. The rest is written before the row is named anywhere, and when the interface itself
 * changes. */
struct l4_neighbour {
	union {
		uint64_t mac_state;
		struct {
			uint8_t mac[6], usable, pad0;
		};
	};
	uint8_t src_mac[6]; /* of the interface */
	uint16_t mtu;
	uint32_t ifindex; /* of the interface, and that of the device that frames leave by */
	uint32_t device;
	uint32_t tags[L4_MAX_TAGS]; /* that they are to have (l4_tag()) */
	uint32_t used;
	uint32_t is6;
	uint32_t address[4]; /* the next hop, to ask for; IPv4 in the first word */
	uint32_t pad1[2];
};

/* Where packets to a prefix go. */
enum l4_route_kind { L4_ROUTE_DISCARD, L4_ROUTE_LOCAL, L4_ROUTE_LINK, L4_ROUTE_GATEWAY };

struct l4_route {
	uint32_t kind;	    /* enum l4_route_kind */
	uint32_t ifindex;   /* LINK: the interface */
	uint32_t neighbour; /* GATEWAY: row of the router */
	uint32_t
		plen; /* the prefix's length, which a longest-match look-up does not tell otherwise */
};

/* Finds the neighbour row of a host on a link. */
struct l4_neighbour_key {
	uint32_t address[4];
	uint32_t ifindex;
	uint32_t is6;
};

struct l4_counter {
	uint64_t packets, bytes;
};

/* What a packet came to, where an engine is asked to tell. */
struct l4_trace {
	uint32_t verdict; /* enum l4_verdict */
	uint32_t ifindex, vip_id, service_id, server_id;
};

#define L4_IS_LINE(T) _Static_assert(sizeof(struct T) == sizeof(struct l4_line), "one line")
L4_IS_LINE(l4_root);
L4_IS_LINE(l4_keys);
L4_IS_LINE(l4_bucket);
L4_IS_LINE(l4_service);
L4_IS_LINE(l4_guard);
L4_IS_LINE(l4_list);
L4_IS_LINE(l4_source_bucket);
L4_IS_LINE(l4_list4_node);
L4_IS_LINE(l4_pool);
L4_IS_LINE(l4_server_lines);
L4_IS_LINE(l4_record_bucket);
L4_IS_LINE(l4_address);
L4_IS_LINE(l4_virtual);
L4_IS_LINE(l4_reverse);
L4_IS_LINE(l4_replies);
L4_IS_LINE(l4_quic);
L4_IS_LINE(l4_member);
L4_IS_LINE(l4_port);
#undef L4_IS_LINE
_Static_assert(sizeof(struct l4_key) == 20, "no padding");
_Static_assert(sizeof(struct l4_ports) <= L4_PORTS_LINES * sizeof(struct l4_line), "16 lines");
_Static_assert(sizeof(struct l4_neighbour) == 64 && sizeof(struct l4_chunk) == 512, "layout");

/* The last word of the table hash of a key. */
L4_INLINE uint32_t l4_key_tail(uint16_t port, uint8_t protocol, uint8_t kind)
{
	return port | (uint32_t)protocol << 16 | (uint32_t)kind << 24;
}

/* The line that a tag names in a bucket, or 0. */
L4_INLINE uint32_t l4_bucket_find(const struct l4_bucket *b, uint32_t tag)
{
	uint32_t line = 0;

#pragma GCC unroll 8
	for (int i = 0; i < L4_BUCKET_ENTRIES; i++)
		if (b->entries[i].tag == tag)
			line = b->entries[i].line;
	return line;
}

/* The last word of a key is compared first: it differs soonest. */
L4_INLINE bool l4_key_is(const struct l4_key *k, const uint32_t address[4], uint32_t tail)
{
	if (l4_key_tail(k->port, k->protocol, k->kind) != tail || k->address[0] != address[0])
		return false;
	return !(tail >> 24 & L4_KIND_IS6) ||
	       (k->address[1] == address[1] && k->address[2] == address[2] &&
		       k->address[3] == address[3]);
}
