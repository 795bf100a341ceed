/* SPDX-License-Identifier: BSD-2-Clause */
/* The body of the DPDK engine, which is a process of its own: what its files share.
 *
 * The tables that outlive that process are mapped (dataplane/dpdk/store.h); generations and routes are sent to it in files; and it is
 * asked for the rest. When it is gone packets wait for it: once it is back it is sent all that it has forgotten. */
#pragma once
#include "controlplane/engine/body.h"
#include "controlplane/engine/dpdk_link.h"
#include "dataplane/dpdk/neighbour_index.h"
#include "dataplane/dpdk/store.h"
#include "dataplane/snapshot/routes.h"
#include "dataplane/snapshot/sealed.h"

struct event;
struct event_base;

/* What an engine must have to serve this control plane. driver: of the one that does. */
struct dpdk_needs {
	struct conf_limits limits;
	uint32_t lines, chunks, guard;
	struct {
		char name[IF_NAMESIZE];
		char driver[sizeof(((struct protocol_port *)0)->driver) + 1];
		char host_path[sizeof(((struct protocol_port *)0)->host_path) + 1];
		uint32_t ifindex, nic; /* nic: of protocol_port */
	} ports[ENGINE_MAX_PORTS];
	unsigned n_ports;
};

/* Routes as they are, and those that the engine has. */
struct dpdk_routes {
	struct routes *set;
	bool dirty;		/* it has others */
	uint64_t not_before_us; /* monotonic; they are sent again */
	struct event *timer;	/* NULL: they are sent at once */
	/* Neighbours' rows that only routes which the engine still has go by. */
	uint32_t *held;
	uint32_t n_held;
	bool *is_held; /* by row */
};

/* The generation that was published last. */
struct dpdk_sent {
	struct l4_line *image;
	uint32_t lines, room; /* lines 0: none was */
	uint64_t
		after; /* its number, if the engine that is there now has it; 0: it has none of ours */
};

/* Its workers, as it told last of them; n 0: it has not yet. */
struct dpdk_workers {
	struct engine_worker list[PROTOCOL_WORKERS];
	unsigned n;
	uint64_t cycles_per_second;
};

/* What it has changed about devices, as it said last. */
struct dpdk_changes {
	struct engine_change *list;
	size_t n, room;
};

enum { DPDK_PATH = 256 };

struct dpdk {
	char *run_dir;
	unsigned wait_ms;
	struct event_base *base; /* NULL: without a loop */
	struct dpdk_needs needs;
	struct dpdk_link link, told;
	struct event *on_told;
	struct protocol_hello hello; /* of the process that is there now, or was last */
	struct store store;
	uint32_t bank; /* of neighbours: ours */
	struct neighbour_index index;
	struct dpdk_routes routes;
	struct dpdk_sent sent;
	enum engine_state state;
	uint64_t since_ms; /* monotonic, when that began; 0: with the process */
	unsigned gaps;
	int64_t last_gap_ms; /* -1: there is none */
	struct dpdk_workers workers;
	struct dpdk_changes changes;
	struct event *retry;
	struct l4_capture_filter filter; /* of the capture that there is */
	uint64_t capture_lost;
	/* What a former process left. */
	struct sealed past;
	struct memfd past_rings;
	bool none_kept; /* the file of slot tables is known to have none */
};

/* dpdk.c: what a former process published is read no more, and its memory is the engine's alone. */
void dpdk_forget_past(struct engine *en);

/* dpdk_hello.c: whether the engine is one that can serve us. Return 0 or a negative errno and a sentence. */
void dpdk_need(struct dpdk *d, const struct engine *en, const struct engine_options *o);
int dpdk_check_hello(const struct dpdk *d, const struct protocol_hello *h, struct err *e);
int dpdk_check_room(const struct dpdk_needs *n, const struct protocol_hello *h, struct err *e);
int dpdk_join_store(struct dpdk *d, struct err *e);
void dpdk_learn_drivers(struct dpdk *d);

/* dpdk_return.c: the connections. dpdk_meet() makes them, with files that came with HELLO (or NULL), and then the engine has nothing of
 * ours. */
int dpdk_meet(struct engine *en, struct dpdk_files *files, struct err *e);
/* The connection is over: packets may not be served until dpdk_served(). */
void dpdk_lost(struct engine *en, const char *why);
void dpdk_served(struct engine *en);
/* Makes them again, if the engine is there with the same tables. Returns 0 or a negative errno and a sentence. */
int dpdk_return(struct engine *en, struct err *e);
int dpdk_return_open(struct engine *en);
void dpdk_return_close(struct dpdk *d);
enum engine_state dpdk_state(const struct engine *en, uint64_t *since_ms);
uint64_t dpdk_now_us(void);

/* Asks as dpdk_link_ask(), without files to come; tells dpdk_lost(). */
int dpdk_ask(struct engine *en, struct protocol_ask *ask, int file, struct protocol_answer *answer,
	struct err *e);

/* dpdk_told.c: what the engine tells of, from the loop. */
int dpdk_told_open(struct engine *en, struct err *e);
void dpdk_told_close(struct dpdk *d);

/* dpdk_workers.c: how they spend their time. size: of what came. */
void dpdk_workers_take(struct dpdk *d, const struct protocol_status *s, size_t size);
void dpdk_workers_forget(struct dpdk *d);
void dpdk_report(const struct engine *en, struct engine_report *out);

/* dpdk_changes.c: what it has changed about devices. learn() asks for it; an engine that says what cannot be has changed nothing. */
void dpdk_changes_learn(struct engine *en);
const struct engine_change *dpdk_changes(const struct engine *en, size_t *n);

/* dpdk_routes.c */
int dpdk_routes_open(struct engine *en, uint32_t limit);
void dpdk_routes_close(struct dpdk *d);
int dpdk_route(struct engine *en, const struct addr *dst, uint8_t plen, const struct l4_route *is,
	struct l4_route *was);
/* Sends them if the engine has others. Returns 0 or a negative errno and a sentence. */
int dpdk_routes_send(struct engine *en, struct err *e);

/* dpdk_publish.c */
int dpdk_publish(
	struct engine *en, const struct snapshot *sn, struct guard_span fresh, struct err *e);
/* Sends what was published last, whole. Returns 0 (also where there is nothing) or a negative errno and a sentence. */
int dpdk_publish_again(struct engine *en, struct err *e);
bool dpdk_line(const struct engine *en, uint32_t line, void *out);

/* dpdk_slots.c: see struct engine_body. */
void dpdk_keep_slots(struct engine *en, const struct snapshot_input *in);
int dpdk_kept_slots(const struct engine *en, snapshot_slots_fn *fn, void *arg);
int dpdk_remove_slots(const char *run_dir);

/* dpdk_counters.c */
int dpdk_count(const struct engine *en, enum engine_counts table, uint32_t row, uint64_t *out,
	unsigned words);
int dpdk_clear(struct engine *en, enum engine_counts table, uint32_t row, unsigned words);
int dpdk_add(struct engine *en, enum engine_counts table, uint32_t row, const uint64_t *more,
	unsigned words);

/* dpdk_trace.c */
int dpdk_trace(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_way *way, struct err *e);

/* dpdk_capture.c */
int dpdk_capture_begin(
	struct engine_capture *c, struct event_base *base, const struct l4_capture_filter *filter);
void dpdk_capture_end(struct engine_capture *c);
uint64_t dpdk_capture_lost(const struct engine_capture *c);
/* Of an engine that has come back. */
void dpdk_capture_again(struct engine *en);

/* dpdk_ports.c: who has the interfaces, and whose packets wait. */
int dpdk_yield(struct engine *en, struct err *e);
int dpdk_resume(struct engine *en, struct err *e);
int dpdk_ready(const struct engine *en, const struct engine_options *o, struct err *e);
bool dpdk_holds(const char *run_dir);
/* How many interfaces the process has that answers within so long, or a negative errno and a sentence; -ETIMEDOUT: it does not; -EPROTO: it
 * is of another version. */
int dpdk_count_ports(const char *run_dir, unsigned wait_ms, struct err *e);
int dpdk_take(const char *run_dir, struct err *e);
int dpdk_give(const char *run_dir, struct err *e);

/* dpdk_detach.c */
int dpdk_may_detach(const char *run_dir, struct err *e);
int dpdk_detach(const char *run_dir, struct err *e);
