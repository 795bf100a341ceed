/* SPDX-License-Identifier: BSD-2-Clause */
/* The live site: the applied configuration, stable ids, wanted and seen states of servers, and the
 * snapshot that follows from them. One per daemon; all calls from the loop's thread. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"
#include "controlplane/engine/engine.h"
#include "controlplane/health/health.h"

struct event_base;
struct site;
struct tracking;
struct tracking_node;
struct tracking_pool;
struct tracking_server;

enum server_wanted { SERVER_READY, SERVER_DRAIN, SERVER_MAINT };

const char *server_wanted_name(enum server_wanted w); /* "ready", "drain", "maint" */
int server_wanted_parse(const char *name);	      /* the enum, or -1 */

enum { SITE_WEIGHT_MAX = 1000 };

/* A runtime change that an operator made on top of the configuration; kept in the state file. */
struct site_overlay {
	enum server_wanted wanted;
	int weight;	/* -1: the configuration's */
	char who[64];	/* user name of the API's caller, "" when nothing was changed */
	char why[128];	/* free text, may be empty */
	int64_t when_s; /* CLOCK_REALTIME seconds of the last change */
};

/* How packets changed over from one engine to another. */
struct site_changeover {
	enum conf_engine_type from, to;
	struct engine_carried carried;
	uint64_t gap_ns; /* in which neither took packets */
};

/* "xdp", "dpdk" */
const char *site_engine_name(enum conf_engine_type type);

/* Of the last site_apply(), or NULL: it has not changed the engine. */
const struct site_changeover *site_changed_over(const struct site *s);

/* On whose behalf a file is read. */
struct site_caller {
	uid_t uid;
	gid_t gid;
};

struct site_options {
	const char *config_path;
	const char *run_dir;   /* e.g. /run/tandem: socket, lock, bpffs; must exist */
	const char *state_dir; /* e.g. /var/lib/tandem: what outlives the daemon */
};

/* Loads configuration and state, opens the engine, starts health checks. Packets flow as before the call
 * until site_start(). d gets the configuration's diagnostics. Returns 0 or a negative errno and a
 * sentence. */
int site_new(struct site **out, struct event_base *base, const struct site_options *o,
	struct diags *d, struct err *e);

/* Publishes for the first time, which attaches the engine; of an adopted engine whose servers' health is not
 * known, the loop does so later. Returns 0 or a negative errno and a sentence; then packets flow as
 * before. */
int site_start(struct site *s, struct err *e);

/* Ends health checks and the process' side of the engine, saves state; packets keep flowing. A site that never
 * got to publish takes away what it set up. */
void site_free(struct site *s);

/* Reads the configuration file again and applies it, all or nothing. path NULL: the file the daemon was
 * started with, read with the daemon's rights; otherwise that file, read with the caller's rights, becomes
 * the running configuration (until the next start or SIGHUP).
 * Returns 0; -EINVAL with d filled; -EBUSY (needs a restart of the daemon, or is refused after a detach);
 * -EAGAIN (the daemon has just adopted an engine and does not know its servers' health yet);
 * -EADDRINUSE; -ENOSPC; or another negative errno; always with a sentence in e. */
int site_apply(struct site *s, const char *path, const struct site_caller *as, struct diags *d,
	struct err *e);

/* Changes what is wanted of a server (index into the configuration's servers). weight -1 leaves the weight
 * alone, -2 goes back to the configuration's; wanted -1 leaves the wanted state alone. why NULL: no reason is
 * given; then one that was given before holds on unless it was for what is changed now. It is taken to be
 * for the wanted state, or for the weight while the server is wanted ready; and it goes when nothing differs
 * from the configuration any more. The change is
 * saved and published before the call returns; after an error nothing has changed. Returns 0, -EAGAIN
 * and -EBUSY as site_apply(), or another negative errno and a sentence. */
int site_server_set(struct site *s, unsigned server, int wanted, int weight, const char *who,
	const char *why, struct err *e);

/* Takes the engine away: packets are left to the host. The daemon stays, to say so, but publishes no more;
 * only its restart attaches again. Returns the number of interfaces freed, or a negative errno and a
 * sentence. */
int site_detach(struct site *s, struct err *e);

const struct conf *site_conf(const struct site *s);
const char *site_config_path(const struct site *s);
const char *site_config_text(const struct site *s); /* as it was when it was applied */
const struct engine *site_engine(const struct site *s);
/* For what packets are looked at by, and nothing else: what they go by is the site's to change. */
struct engine *site_engine_look(struct site *s);
const struct site_overlay *site_server_overlay(const struct site *s, unsigned server);
/* The weight in force: the overlay's or the configuration's. */
unsigned site_server_weight(const struct site *s, unsigned server);
/* Seen state; a server without a check is up since the daemon's start. */
void site_server_health(const struct site *s, unsigned server, struct health_report *out);
/* Whether the server takes new flows just now: ready, weight above 0, and up or needed for min_up. */
bool site_server_serving(const struct site *s, unsigned server);

/* What a pool does without enough healthy servers of its own. */
struct site_pool_state {
	bool below_min_up; /* servers that failed their checks are used too */
	int fallen_back;   /* the pool whose servers take its new flows, or -1 */
};
void site_pool_state(const struct site *s, unsigned pool, struct site_pool_state *out);

/* From now on this is what the sweep found (tracking.h); NULL: nothing is known. It stays the caller's and must
 * hold until the next call. */
void site_set_tracking(struct site *s, const struct tracking *t);
/* What it says; NULL: nothing is known. */
const struct tracking_server *site_server_tracking(const struct site *s, unsigned server);
const struct tracking_pool *site_pool_tracking(const struct site *s, unsigned pool);
const struct tracking_node *site_tracking(const struct site *s);

/* How long tunnels to the server may be at most, as ICMP told; 0: nothing is known of its path. */
unsigned site_server_path_mtu(const struct site *s, unsigned server);

/* What SYN cookies do for a service that has them, or has had them and still has connections that they began. */
struct site_flood {
	bool on;	     /* SYNs are answered with cookies now, or were some seconds ago */
	int64_t since_ms;    /* CLOCK_REALTIME */
	uint64_t syns_per_s; /* that are answered so */
	unsigned proxied;    /* connections that they began */
};
void site_service_flood(const struct site *s, unsigned service, struct site_flood *out);

/* Stable ids, by index into the configuration's arrays. */
uint32_t site_vip_id(const struct site *s, unsigned vip);
uint32_t site_gateway_id(const struct site *s, unsigned gateway);
uint32_t site_service_id(const struct site *s, unsigned service);
uint32_t site_pool_id(const struct site *s, unsigned pool);
uint32_t site_server_id(const struct site *s, unsigned server);

/* What was changed about a device for the engine's sake, as it stands in the ledger: the names of offloads that were
 * turned off, MAC addresses of groups that were joined. */
struct ledger;
const struct ledger *site_nic_changes(const struct site *s);

struct site_status {
	uint64_t generation;
	int64_t started_s;	  /* CLOCK_REALTIME seconds */
	int64_t applied_s;	  /* when the configuration was last applied */
	bool adopted;		  /* the engine was adopted from a former process */
	bool detached;		  /* by site_detach() */
	const char *warnings[16]; /* what is wrong just now, in sentences */
	unsigned n_warnings;
};
void site_status(const struct site *s, struct site_status *out);
