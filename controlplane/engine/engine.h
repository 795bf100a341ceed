/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control plane asks of a packet engine, whichever body it has. */
#pragma once
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"
#include "controlplane/host/host.h"
#include "dataplane/l4/capture.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/record.h"
#include "dataplane/l4/trace.h"
#include "dataplane/l4/verdict.h"
#include "dataplane/snapshot/read.h"
#include "dataplane/snapshot/snapshot.h"

struct event_base;
struct engine;
struct snapshot_input;

struct engine_counter {
	uint64_t packets, bytes; /* bytes of whole frames as received, without FCS */
};

struct engine_port {
	char device[IF_NAMESIZE];
	uint32_t ifindex;
	uint8_t mac[6];
	char real
		[IF_NAMESIZE]; /* the device that runs the program: the same, or the one under a VLAN */
	uint32_t real_ifindex, real_mtu; /* its MTU when the engine was opened */
	uint32_t tags[L4_MAX_TAGS];	 /* of frames there, the outer one first (l4_tag()) */
	unsigned n_parts; /* of a bond: the devices that they may come in by instead */
	uint32_t parts[SNAPSHOT_PARTS];
	uint32_t nic;	  /* of a DPDK engine: the kernel's device whose frames it takes; 0: none */
	const char *mode; /* of that one: "native", "generic"; of the DPDK engine: its driver */
	const char *host_path; /* of the DPDK engine: "tap" or "vhost"; else NULL */
};

/* An interface by which the host reaches what the engine is to run on: the tap of another engine. */
struct engine_alias {
	uint32_t ifindex;
	char device[IF_NAMESIZE]; /* its name, which will be that of the device below it */
	struct snapshot_port port;
};

struct engine_options {
	enum conf_engine_type type;
	/* The bpffs is mounted at RUN_DIR/bpf; the DPDK engine is met at RUN_DIR/dpdk. */
	const char *run_dir;
	const struct conf_limits *limits;
	enum conf_xdp_mode mode; /* of the XDP engine */
	/* Load and publish, but attach to nothing, pin nothing and report each packet in the program's `trace` map:
	 * for tests and tools that run the program by hand. run_dir is not used. */
	bool dry;
	bool aside;	  /* packets pass to whoever stands behind it until engine_resume() */
	unsigned wait_ms; /* for an answer of an engine that is another process; 0: 5 s */
	/* The interfaces, and the devices to attach to for them, which may be the same; all must exist. */
	const struct host_link *const *links;
	const struct host_link *const *devices; /* NULL: the interfaces */
	unsigned n_links;
	/* What the host has for the interfaces just now, in their order, and the ports that they will be: what the engine is told of the
	 * former it takes for the latter, until engine_end_aliases(). NULL: the same. */
	const struct engine_alias *aliases;
	/* A next hop's MAC address is wanted: called from the loop, already rate limited. */
	void (*neighbour_wanted)(void *arg, uint32_t ifindex, const struct addr *addr);
	/* An ICMP error says that packets from one address to another, by UDP to a port (host order) or without (0), may be so long
	 * only. Anybody may have sent it; likewise. */
	void (*path_told)(void *arg, const struct addr *from, const struct addr *to, uint16_t port,
		uint32_t mtu);
	void *arg;
};

/* The largest MTU of a device that runs the program in native mode. */
unsigned engine_native_mtu(void);

/* Opens the engine: adopts what a former process left behind (then *adopted is true and packets flow on
 * by its last snapshot), or sets up afresh. Does not attach yet: that is done by the first publish, so
 * that no packet meets an empty table. Returns 0, or a negative errno and a sentence. */
int engine_open(struct engine **out, struct event_base *base, const struct engine_options *o,
	bool *adopted, struct err *e);

/* Frees the process' side only; packets keep flowing. */
void engine_close(struct engine *en);

enum conf_engine_type engine_type(const struct engine *en);

/* From one engine to another that has been opened beside it, for the same interfaces in the same order; controlplane/pools/changeover.c has
 * the order of things. */

/* Whether an engine of the type, of any process, has interfaces below run_dir. */
bool engine_holds(enum conf_engine_type type, const char *run_dir);
/* Whether packets go by one that stands before all others, of any process; the DPDK engine never does. */
bool engine_is_in_front(enum conf_engine_type type, const char *run_dir);
/* Has packets go by one again that was about to leave them to another when its process was killed, between engine_yield() and
 * engine_cede(). Returns 0, also where there is none, or a negative errno and a sentence. */
int engine_take_back(enum conf_engine_type type, const char *run_dir, struct err *e);
/* Whether one could be opened by these options, whose interfaces do not count. Returns 0, or a negative errno and a sentence. */
int engine_ready(const struct engine_options *o, struct err *e);
/* Has an engine in a process of its own take over the interfaces, which stands by; they get other numbers. To be called before
 * engine_open(). Of other types nothing is done. Returns 0, or a negative errno and a sentence: nothing has changed. */
int engine_take(enum conf_engine_type type, const char *run_dir, struct err *e);
/* Has whatever engine of the type there is leave the interfaces to the host. Returns 0, or a negative errno and a sentence. */
int engine_give(enum conf_engine_type type, const char *run_dir, struct err *e);

/* Has packets pass to whoever stands behind the engine, or wait where nobody does, and returns when none is under way in it any more;
 * generations may be published meanwhile. An engine that has not ceded packets resumes when this process ends: one in a process of its
 * own by itself, another by that which stands behind it and is about to resume. Return 0, or a negative errno and a sentence. */
int engine_yield(struct engine *en, struct err *e);
int engine_cede(struct engine *en, struct err *e);
int engine_resume(struct engine *en, struct err *e);

/* The host has the engine's own ports now. */
void engine_end_aliases(struct engine *en);

/* Generations are counted on, and neighbours that packets of `from` go by serve until the kernel says otherwise. */
void engine_inherit(struct engine *to, const struct engine *from);

/* Flows that were copied, and those that found no room. */
struct engine_carried {
	uint32_t flows, lost;
};

/* Copies what `from` knows of flows: records, connections begun by SYN cookies, floods, datagrams in fragments. What `to` knows besides
 * is forgotten, unless packets go by it already. Called again, it copies what has changed. */
void engine_carry(struct engine *to, const struct engine *from, struct engine_carried *out);

/* Has counters of `to` go on from those of `from`; and, once packets pass that, what it has counted since. */
struct engine_tally;
int engine_tally_begin(
	struct engine_tally **out, struct engine *to, const struct engine *from, struct err *e);
/* Whether packets may go by `to` already when engine_tally_end() is called. */
bool engine_tally_may_wait(const struct engine_tally *t);
/* Frees it. The rest is lost without. */
void engine_tally_end(struct engine_tally *t, bool with_rest);

/* Compiles and publishes the next generation, and attaches where that is still to be done. All or
 * nothing: on error the former generation stays. Returns 0, -ENOSPC (a table is full; e says which limit to
 * raise), -EBUSY (another program owns an interface), … */
int engine_publish(struct engine *en, const struct snapshot_input *in, struct err *e);

/* The number of the generation that packets use, counted across restarts; 0: none yet. */
uint64_t engine_generation(const struct engine *en);

/* Whether packets are served. */
enum engine_state {
	ENGINE_SERVING,
	ENGINE_GONE,  /* the engine's process has ended, and its return is waited for */
	ENGINE_OTHER, /* what has come back has other tables, and this process must be restarted */
};

/* *since_ms: CLOCK_MONOTONIC when that began, 0 for the start. */
enum engine_state engine_state(const struct engine *en, uint64_t *since_ms);

/* A worker of an engine that has some, since it began: cycles of the time stamp counter in polls that found packets, and in others or
 * asleep. */
struct engine_worker {
	unsigned cpu;
	uint64_t busy_cycles, idle_cycles, sleeps;
	int busy_permille; /* of all cycles in the last second; -1: not known yet */
};

/* How the engine has been running. */
struct engine_report {
	unsigned gaps; /* how often it has gone since this process began */
	int64_t last_gap_ms; /* how long it was gone, when it was last; -1: it has not come back from one */
	uint64_t cycles_per_second;	     /* of workers; 0: not known */
	const struct engine_worker *workers; /* until the loop turns */
	unsigned n_workers;		     /* 0: it has none, or is gone */
};
void engine_report(const struct engine *en, struct engine_report *out);

/* What an engine in a process of its own has changed about the devices of its ports. Of others the list is empty. */
enum engine_change_kind {
	ENGINE_OFFLOAD,	   /* was turned off */
	ENGINE_MAC,	   /* frames for it are taken too */
	ENGINE_ALL_FRAMES, /* are taken, since there is no room for some MAC address */
	ENGINE_ALL_GROUPS, /* frames to all of them are taken */
};

struct engine_change {
	enum engine_change_kind kind;
	uint32_t ifindex; /* of the port */
	char what[48];	  /* the offload as ethtool(8) has it, the MAC address, or "" */
};

/* As it was after the last publish, or the return of the engine; until the loop turns. */
const struct engine_change *engine_changes(const struct engine *en, size_t *n);

/* Routes and neighbours may change at any time between publishes. */
int engine_route(struct engine *en, const struct host_route *route, bool gone, struct err *e);
int engine_neighbour(struct engine *en, const struct host_neighbour *n, bool gone, struct err *e);
/* Walks the on-link neighbours that packets used since the last call, so that they can be refreshed. */
void engine_each_used_neighbour(struct engine *en,
	void (*fn)(void *arg, uint32_t ifindex, const struct addr *addr), void *arg);

/* Counters since the engine was first set up; ids are the stable ids of the snapshot. */
int engine_service_counter(const struct engine *en, uint32_t id, struct engine_counter *out);
int engine_server_counter(const struct engine *en, uint32_t id, struct engine_counter *out);
int engine_verdict_counters(const struct engine *en, uint64_t out[L4_V_COUNT]);
/* Drops of packets to an address of ours, and of packets and replies of a service, by verdict. */
int engine_vip_drops(const struct engine *en, uint32_t vip_id, uint64_t out[L4_V_COUNT]);
int engine_service_drops(const struct engine *en, uint32_t service_id, uint64_t out[L4_V_COUNT]);
/* SYNs to a service that were answered with cookies. */
int engine_service_cookies(const struct engine *en, uint32_t service_id, uint64_t *out);

/* The table of records of flows (dataplane/l4/record.h), as packets use it, and the number of its entries. */
struct l4_record *engine_records(struct engine *en, uint32_t *n);
/* Where new records were put since the engine was first set up, by enum l4_record_place. */
int engine_record_counters(const struct engine *en, uint64_t out[L4_PLACE_COUNT]);

/* Floods of SYNs (dataplane/l4/flood.h) as packets know them, by the stable ids of services; n is how many rows there are. */
struct l4_flood *engine_floods(struct engine *en, uint32_t *n);
/* The table of connections that were begun by SYN cookies (dataplane/l4/proxied.h), as packets use it, and the number of its
 * entries. */
struct l4_proxied *engine_proxied(struct engine *en, uint32_t *n);

/* Reads the slot tables of the generation that a former process published last; see snapshot_read_slots(). Where its engine has ended
 * too, only those with tracked slots are left. Returns 0 too where there is none. */
int engine_past_slots(const struct engine *en, snapshot_slots_fn *fn, void *arg);

enum engine_counter_kind { ENGINE_VIP, ENGINE_SERVICE, ENGINE_SERVER };

/* Sets what is counted for a stable id back to zero, since the number has another object now; a service's flood is over
 * too. Packets that are counted meanwhile may be lost to the count. Returns 0 or a negative errno. */
int engine_counter_reset(struct engine *en, enum engine_counter_kind kind, uint32_t id);

/* Bytes of a frame that fit into a page, with the room that the kernel keeps before and behind it. */
enum { ENGINE_FRAME_MAX = 3500 };

/* What becomes of one frame that would come in by the interface now: by the program and the tables that packets use,
 * but nothing is sent and nothing changes. out holds *out_len bytes; *out_len becomes the length of the frame
 * afterwards. Returns 0; -EMSGSIZE (shorter than an Ethernet header, or longer than ENGINE_FRAME_MAX); another negative
 * errno; always with a sentence in e. */
int engine_trace(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_way *way, struct err *e);

/* Reads back what a step names: a line of the published image (into one of the structs of a line), a row of the table of
 * neighbours. False: there is none. */
bool engine_line(const struct engine *en, uint32_t line, void *out);
bool engine_neighbour_row(const struct engine *en, uint32_t row, struct l4_neighbour *out);

/* A capture of packets as they pass. One leg of a packet, and its CLOCK_REALTIME in nanoseconds. */
struct engine_capture;
typedef void engine_capture_fn(void *arg, const struct l4_captured *leg, int64_t real_ns);

/* Begins to call fn, from the loop, for packets that the filter wants; it must not free the capture. Returns 0; -EBUSY
 * (there is a capture already); -EAGAIN (the engine is not attached); another negative errno; always with a sentence. */
int engine_capture_new(struct engine_capture **out, struct engine *en, struct event_base *base,
	const struct l4_capture_filter *filter, engine_capture_fn *fn, void *arg, struct err *e);
void engine_capture_free(struct engine_capture *c);
/* Whether there is one. */
bool engine_captures(const struct engine *en);
/* Legs that were wanted and found no room on their way here. */
uint64_t engine_capture_lost(const struct engine_capture *c);

const struct engine_port *engine_ports(const struct engine *en, unsigned *n);

/* Removes what engines of any type left under run_dir: programs, maps and pins, whether or not a daemon made them; unmounts
 * the bpffs. Returns the number of interfaces freed, or a negative errno. */
int engine_detach(const char *run_dir, struct err *e);
