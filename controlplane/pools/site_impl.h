/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the site share; nobody else includes this. */
#pragma once
#include <net/if.h>
#include "controlplane/host/host.h"
#include "controlplane/pools/build.h"
#include "controlplane/pools/duty.h"
#include "controlplane/pools/floods.h"
#include "controlplane/pools/live.h"
#include "controlplane/nic/nic.h"
#include "controlplane/pools/keeper.h"
#include "controlplane/pools/paths.h"
#include "controlplane/pools/site.h"
#include "controlplane/pools/state.h"
#include "controlplane/pools/state_file.h"
#include "controlplane/pools/tracker.h"

struct event;

/* An interface of the configuration as the host has it. Interfaces do not change while the daemon runs, so
 * these are numbered as in the configuration that it started with. */
struct site_port {
	char device[IF_NAMESIZE];
	struct snapshot_port facts; /* the last known ones where the device is gone */
	bool up, present;
	/* Of the device that its frames come in by: the same, or the one under a VLAN. */
	char real[IF_NAMESIZE];
	uint32_t real_mtu;
};

enum { SITE_WARNINGS = 16 };

struct site {
	struct event_base *base;
	char *config_path; /* of the start; SIGHUP returns to it */
	char *run_dir;

	struct live *live;
	struct state_file *file;
	struct state *state;
	struct host *host;
	struct site_port *ports;
	unsigned n_ports;
	struct engine *engine;
	struct nic *nic;
	struct health *health;
	struct keeper *keeper;
	struct tracker *tracker;
	struct paths *paths;
	struct event *age;     /* pending until one of the paths is forgotten */
	struct event *sweep;   /* pending until the next sweep over the records, or part of one */
	uint64_t sweep_round;  /* of the state, when the sweep began */
	uint64_t records_lost; /* as the engine counted at the last sweep */
	bool records_lost_known;
	uint32_t sweep_at; /* the record where it goes on; 0: it is to begin */

	struct floods *floods;
	uint32_t n_floods; /* rows of the engine's that they are for */
	struct event *
		flood; /* pending until the next look at floods, or part of a sweep over what they left */
	uint32_t flood_at; /* the connection where that goes on; 0: it is to begin */
	bool stack_ready;  /* this host's TCP stack takes cookies; then `stack` says how */
	struct nic_stack stack;

	const struct tracking *tracking; /* as the last sweep left it; NULL: none yet */
	struct build
		*published; /* what the engine was told last; NULL: nothing yet by this process */
	bool must_publish;  /* also what is the same: the engine is another than was told so */
	struct event *publish; /* pending while there is something to publish */
	struct event *save;    /* pending while a file is behind the state */
	unsigned unsaved;      /* the parts of the state (enum state_part) whose files are */
	struct event *hold;    /* pending while an adopted engine waits for verdicts */
	struct site_changeover changeover;
	bool changed_over; /* by the last site_apply() */
	bool unsettled; /* at the start: another engine than the configuration's may have packets */
	bool holding, adopted, detached;
	int64_t started_s, applied_s;
	uint64_t started_ms;

	/* What went wrong last, in sentences; empty while all is well. */
	struct err publish_fault, save_fault, table_fault, nic_fault, stack_fault;
	struct err *warnings; /* SITE_WARNINGS of them; the text behind site_status() */
};

/* facts.c: the host's side. */

/* Opens the mirror and finds the configuration's interfaces. Returns 0 or a negative errno and a sentence. */
int facts_open(struct site *s, struct err *e);

/* For the engine: what ICMP says of a path. */
void facts_path_told(
	void *arg, const struct addr *from, const struct addr *to, uint16_t port, uint32_t mtu);

/* For the loop: forgets paths that were told too long ago. */
void facts_age_event(int fd, short what, void *arg);

/* Reads everything of the host anew, since interfaces have changed hands: devices of the same names are others. Then the engine is
 * to be told of what there is; the mirror before goes to *before, for facts_forget(), and is to be freed. On error, a negative errno
 * and a sentence, all is as it was. */
int facts_reopen(struct site *s, struct host **before, struct err *e);
/* Tells the engine of routes that are gone. */
void facts_forget(struct site *s, const struct host *before);

/* What interface `port` is if another device has its frames. Returns 0, or a negative errno and a sentence. */
int facts_port_on(
	struct site *s, unsigned port, uint32_t ifindex, struct snapshot_port *out, struct err *e);

/* Tells a newly opened engine all routes and neighbours. Neighbours that it has no room for are a warning, since
 * they come and go. Returns 0, or the engine's error for a route. */
int facts_feed(struct site *s, struct err *e);

/* The port of a device that the configuration names. */
const struct site_port *facts_port(const struct site *s, const char *device);

/* Fails with -EADDRINUSE where this host's kernel itself owns an address of the configuration that it has no service on, or another
 * interface of it has a virtual MAC address. */
int facts_check_addresses(const struct site *s, const struct conf *c, struct err *e);

/* The ports in the order of c's interfaces and the next hops of c's servers; both are to be freed with
 * free(). Returns 0 or -ENOMEM. */
int facts_get(const struct site *s, const struct conf *c, struct snapshot_port **ports,
	struct build_hop **hops);

/* nics.c: what devices are told. */

/* Makes the devices of the site as the engine needs them for configuration c. What cannot be done is a warning: packets
 * may flow all the same. */
void nics_apply(struct site *s, const struct conf *c);

/* Makes devices ready for an XDP engine that another engine has packets before: those below its interfaces, and parts of them. The rest
 * is the other's until it gives the interfaces back. */
void nics_prepare(struct site *s, const struct conf *c);

/* publish.c: what the engine is told. */

/* Builds what follows from l and st and publishes it where it differs from what packets use; counters of
 * l's fresh numbers start at zero with it.
 * Returns 0 or a negative errno and a sentence. */
int publish_now(struct site *s, struct live *l, const struct state *st, struct err *e);

/* The same for an engine that packets do not go by yet: devices are left as the one needs them that has packets. */
int publish_aside(struct site *s, struct live *l, const struct state *st, struct err *e);

/* Publishes after delay_ms, together with all that happens until then; 0: at the end of this turn of the
 * loop. */
void publish_later(struct site *s, unsigned delay_ms);

/* For the loop: publishes unless held or detached; failures are logged and tried again. */
void publish_event(int fd, short what, void *arg);

/* Starts waiting for verdicts where an adopted engine knows more than we do. */
void publish_hold(struct site *s);
void publish_hold_event(int fd, short what, void *arg);

/* Whether a change may be published now: 0, or -EAGAIN or -EBUSY and a sentence. */
int publish_allowed(const struct site *s, struct err *e);

/* sweep.c: the records of flows, counted and cleared now and then. */

/* Takes over the slot tables that a former process left, and begins. Returns 0 or -ENOMEM. */
int sweep_open(struct site *s);
void sweep_event(int fd, short what, void *arg);

/* cookies.c: floods of SYNs, and the connections that SYN cookies began. */

/* Begins to look. Returns 0 or -ENOMEM. */
int cookies_open(struct site *s);
/* The engine is another one, which goes on with what the former knew. */
void cookies_follow(struct site *s);
void cookies_event(int fd, short what, void *arg);

/* Which services of l have connections that cookies began; to be freed. NULL when out of memory. */
bool *cookies_proxied(const struct site *s, const struct live *l);

/* changeover.c: from one engine to another. */

/* *type: the engine that is to be opened at the start: whichever has packets, else the configuration's; what dead processes left in the
 * way is put back. Returns 0, or a negative errno and a sentence: the XDP engine's devices are not the host's, -EBUSY: since a process that
 * lives has them, and does not give them back. */
int changeover_begin(struct site *s, enum conf_engine_type *type, struct err *e);
/* When the first generation has been published: changes over to the configuration's engine; what cannot be is told. */
void changeover_settle(struct site *s);
/* Publishes what follows from l and st to the engine that l wants, and has packets change over to it. Returns 0; or a negative errno and a
 * sentence: then packets go by the engine before, as it was. */
int changeover(struct site *s, struct live *l, const struct state *st, struct err *e);

/* Opens an engine for the interfaces as they are. aliases: for those that will be, set aside; NULL: none. Returns 0 or a negative
 * errno and a sentence. */
int site_open_engine(struct site *s, const struct conf *c, enum conf_engine_type type,
	const struct engine_alias *aliases, struct engine **out, bool *adopted, struct err *e);

/* seen.c: verdicts. */

/* health_change_fn, with the site as its argument. */
void seen_change(
	void *arg, uint32_t id, enum health_state from, enum health_state to, const char *reason);

/* Sets the targets of l. Returns 0 or -ENOMEM. */
int seen_watch(struct site *s, const struct live *l, const struct state *st);

/* How many servers have a check and no verdict yet. */
unsigned seen_starting(const struct site *s);

/* site.c: the state's files. Parts (enum state_part, or'ed) that have changed are written a little later, or at once;
 * what cannot be written is tried again. */
void site_save_later(struct site *s, unsigned parts);
void site_save_now(struct site *s, unsigned parts);
void site_save_event(int fd, short what, void *arg);
