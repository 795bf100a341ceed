/* SPDX-License-Identifier: BSD-2-Clause */
/* An engine's inside: what every engine has, and what a body does for it. Others see engine.h alone. */
#pragma once
#include "controlplane/engine/engine.h"
#include "controlplane/engine/neighbours.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/result.h"
#include "dataplane/snapshot/guard.h"
#include "dataplane/snapshot/snapshot.h"

enum { ENGINE_MAX_PORTS = 64 };

/* Tables in plain memory, which packets use as well; the body's. */
struct engine_tables {
	struct l4_line *guard; /* guard_lines, zeroed; where packets go by a copy, nobody else's */
	struct l4_neighbour *neighbours;
	struct l4_record_bucket *records;
	struct l4_flood *floods; /* by service id */
	struct l4_proxied_bucket *proxied;
	struct l4_datagram_bucket *datagrams;
	uint32_t n_neighbours, n_floods;	    /* rows */
	uint32_t n_records, n_proxied, n_datagrams; /* buckets */
};

/* What a former process left, as far as the body can read it; the body's. All zero: nothing. */
struct engine_past {
	bool adopted;	     /* packets flow on by it */
	uint64_t generation; /* the last one; 0: unknown */
	const struct l4_neighbour *neighbours;
	uint32_t n_neighbours;
	const struct l4_line *image; /* and the rings that it names; NULL: none */
	uint32_t image_lines;
	const struct l4_chunk *rings;
	uint32_t n_chunks;
};

struct engine_body;

struct engine {
	const struct engine_body *body;
	void *own; /* the body's */
	struct engine_tables tables;
	struct engine_past past;
	/* How large the image, the rings and the lists of sources may become, by the limits. */
	uint32_t image_lines, ring_chunks, guard_lines;
	struct ring_store *ring_store;
	struct guard_store *guard_store;
	struct neighbours *neighbours;
	uint32_t *hop_rows; /* neighbour rows of the members that were compiled last */
	uint32_t n_hop_rows;
	uint64_t generation;
	struct engine_port ports[ENGINE_MAX_PORTS];
	unsigned n_ports;
	struct engine_alias aliases[ENGINE_MAX_PORTS];
	unsigned n_aliases;			/* 0, or n_ports */
	uint32_t n_vips, n_services, n_servers; /* that ids reach up to */
	bool attached, dry;
	struct engine_capture *capture; /* the one that there is, or NULL */
	void (*neighbour_wanted)(void *arg, uint32_t ifindex, const struct addr *addr);
	void (*path_told)(void *arg, const struct addr *from, const struct addr *to, uint16_t port,
		uint32_t mtu);
	void *arg;
};

struct engine_capture {
	struct engine *engine;
	int64_t real_ns; /* from CLOCK_MONOTONIC, which legs have, to CLOCK_REALTIME */
	engine_capture_fn *fn;
	void *arg;
	void *own; /* the body's */
};

/* Tables that packets count in: rows of so many 64-bit words, of each processor or worker. */
enum engine_counts {
	ENGINE_VERDICT_COUNTS, /* by enum l4_verdict: 1 word */
	ENGINE_PLACE_COUNTS,   /* by enum l4_record_place: 1 */
	ENGINE_SERVICE_COUNTS, /* by stable id: packets and bytes */
	ENGINE_SERVER_COUNTS,  /* likewise */
	ENGINE_VIP_DROPS,      /* by stable id: L4_V_COUNT */
	ENGINE_SERVICE_DROPS,  /* likewise */
	ENGINE_COUNT_TABLES
};

/* What differs from body to body. Functions return 0 or a negative errno unless they say otherwise; those with an err
 * leave a sentence there too. */
struct engine_body {
	/* Sets up the tables, with counters and records of a former process but all else empty, and fills own, tables and past.
	 * The engine's sizes stand already. close() follows an error too. */
	int (*open)(struct engine *en, struct event_base *base, const struct engine_options *o,
		struct err *e);
	/* Frees the process' side only; packets keep flowing. */
	void (*close)(struct engine *en);

	/* Keeps the slot tables of what is about to be published where no process' end takes them; and reads them, as
	 * engine_past_slots(), when no generation of a former process can be. NULL: generations outlive all processes themselves. */
	void (*keep_slots)(struct engine *en, const struct snapshot_input *in);
	int (*kept_slots)(const struct engine *en, snapshot_slots_fn *fn, void *arg);
	/* Makes the snapshot the published generation, all or nothing; sn->rings and the fresh lines of tables.guard are what
	 * came with it. When it returns no packet uses the former one. Leaves a sentence only where it knows one. */
	int (*publish)(struct engine *en, const struct snapshot *sn, struct guard_span fresh,
		struct err *e);
	/* Packets go by the tables from now on; ports get their modes. Called when a generation is published, until it succeeds. */
	int (*attach)(struct engine *en, struct err *e);

	/* Enters the route of a prefix, or with `is` NULL removes it. *was: what was there; without one its neighbour is
	 * L4_NO_NEIGHBOUR. */
	int (*route)(struct engine *en, const struct addr *dst, uint8_t plen,
		const struct l4_route *is, struct l4_route *was);
	/* Where packets find on-link neighbours; arg: the engine. */
	struct neighbours_index index;

	/* Sums a row of a table of counters; out: zeros when there is none. */
	int (*count)(const struct engine *en, enum engine_counts table, uint32_t row, uint64_t *out,
		unsigned words);
	/* Sets it to zero. */
	int (*clear)(struct engine *en, enum engine_counts table, uint32_t row, unsigned words);
	/* Has its sums be so much more, modulo 2^64; false in adds_live: what is counted meanwhile may be lost. */
	int (*add)(struct engine *en, enum engine_counts table, uint32_t row, const uint64_t *more,
		unsigned words);
	bool adds_live;

	/* As engine_trace(), of a frame that has a length that can be traced. */
	int (*trace)(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
		uint8_t *out, size_t *out_len, struct l4_way *way, struct err *e);
	/* As engine_line(). */
	bool (*line)(const struct engine *en, uint32_t line, void *out);

	/* Begins to hand legs to engine_capture_tell(), from the loop. capture_end() follows an error too. */
	int (*capture_begin)(struct engine_capture *c, struct event_base *base,
		const struct l4_capture_filter *filter);
	void (*capture_end)(struct engine_capture *c);
	/* As engine_capture_lost(). */
	uint64_t (*capture_lost)(const struct engine_capture *c);

	/* As engine_state(). */
	enum engine_state (*state)(const struct engine *en, uint64_t *since_ms);
	/* As engine_report(), over what is said of an engine without workers or gaps; NULL: that is so. */
	void (*report)(const struct engine *en, struct engine_report *out);

	/* As engine_changes(); NULL: there are none. */
	const struct engine_change *(*changes)(const struct engine *en, size_t *n);

	/* As engine_yield(), engine_cede() and engine_resume(), engine_ready(), engine_holds(), engine_is_in_front(), engine_take_back(),
	 * engine_take() and engine_give(). NULL in cede and take_back: nothing is to be done; in is_in_front: it never is. */
	int (*yield)(struct engine *en, struct err *e);
	int (*cede)(struct engine *en, struct err *e);
	int (*resume)(struct engine *en, struct err *e);
	int (*ready)(const struct engine *en, const struct engine_options *o, struct err *e);
	bool (*holds)(const char *run_dir);
	bool (*is_in_front)(const char *run_dir);
	int (*take_back)(const char *run_dir, struct err *e);
	int (*take)(const char *run_dir, struct err *e);
	int (*give)(const char *run_dir, struct err *e);

	/* Whether detach() would be refused because of a process that lives: 0, or a negative errno and a sentence. */
	int (*may_detach)(const char *run_dir, struct err *e);
	/* Removes what any process' engine of this body left. Returns the number of interfaces freed, or a negative errno. */
	int (*detach)(const char *run_dir, struct err *e);
};

extern const struct engine_body xdp_body, dpdk_body;

/* For bodies: what packets ask for or tell of. */
void engine_told(struct engine *en, const struct l4_want *w);

/* For bodies: a leg of a captured packet, of which `size` bytes are there. False: it is cut short, and nobody is told. */
bool engine_capture_tell(
	const struct engine_capture *c, const struct l4_captured *leg, size_t size);

/* How large an image may become. */
uint32_t engine_image_lines(const struct conf_limits *limits);

/* Says that there is no memory for tables, and returns -ENOMEM. */
int engine_no_memory(struct err *e);

/* What the engine has for the host's interface, or the same number. */
uint32_t engine_own_ifindex(const struct engine *en, uint32_t host_ifindex);
/* The input in the engine's own numbers: itself, or a copy in *own, to be freed with engine_own_input_free(). Returns 0 or -ENOMEM. */
struct engine_own_input {
	struct snapshot_input in;
	struct snapshot_port *ports;
	struct snapshot_address *addresses;
	struct snapshot_member *members;
};
int engine_own_input(
	const struct engine *en, const struct snapshot_input *in, struct engine_own_input *own);
void engine_own_input_free(struct engine_own_input *own);

/* The interfaces when the engine is opened, and what is known of them with a generation. Return 0 or a negative errno. */
int engine_open_ports(struct engine *en, const struct engine_options *o);
int engine_learn_ports(struct engine *en, const struct snapshot_input *in);
