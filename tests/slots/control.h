/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane's side of slot tracking without its loop: what controlplane/pools/publish.c and sweep.c do, when
 * the schedule says so. */
#pragma once
#include "controlplane/pools/tracker.h"
#include "tests/slots/site.h"

enum { CONTROL_SLOTS = 4096 }; /* of a pool with SITE_PLACES servers, and room */

/* A pool's table as packets go by it. */
struct control_table {
	uint32_t n, n_tracked;
	uint16_t owner[CONTROL_SLOTS], base[CONTROL_SLOTS];
};

struct control {
	struct site *site;
	const struct body_ops *ops;
	struct body *body;
	struct tracker *tracker;
	struct l4_record *records;
	uint32_t n_records, sweep_at;
	uint64_t described; /* the version of the site that the tables were brought up to */
	uint64_t
		published; /* the one that packets go by; 0: none since the control plane started */
	struct control_table shown[SITE_POOLS];
	uint64_t publishes, failures, sweeps, restarts, settled; /* counts */
};

int control_open(struct control *c, struct site *s, const struct body_ops *ops, struct err *e);
void control_close(struct control *c);

/* Whether packets go by something else than what is so. */
bool control_is_behind(const struct control *c);

/* The two halves of a publish, between which packets may come; fail: the engine takes it not. */
int control_update(struct control *c, uint16_t now, struct err *e);
int control_publish(struct control *c, bool fail, uint64_t event, struct err *e);

/* Goes on with the sweep, or begins one where that is due. Returns whether one has ended. */
bool control_sweep(struct control *c, uint32_t part, uint16_t now);

/* The process ends and another begins: it reads the tables back. */
int control_restart(struct control *c);
