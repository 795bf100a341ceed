/* SPDX-License-Identifier: BSD-2-Clause */
/* Health checks: runs a probe per target on its schedule and tells when a verdict changes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/addr.h"
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"

struct event_base;
struct health;

enum health_state { HEALTH_STARTING, HEALTH_UP, HEALTH_DOWN };

const char *health_state_name(enum health_state s); /* "starting", "up", "down" */

/* One server to watch. `id` is the server's stable id; `check` and `label` are copied. */
struct health_target {
	uint32_t id;
	const char *label; /* "POOL/SERVER", for logs */
	struct addr addr;
	uint16_t port; /* host order, never 0 */
	const struct conf_health *check;
	/* What a new target starts as: STARTING, or the last known state after a restart. */
	enum health_state initial;
};

/* What is known of a target. Times are milliseconds of CLOCK_MONOTONIC, 0: never. */
struct health_report {
	uint32_t id;
	enum health_state state;
	uint64_t since_ms;	   /* when the state was entered */
	uint64_t last_probe_ms;	   /* when the last probe ended */
	uint32_t last_duration_us; /* how long it took */
	bool last_ok;
	uint64_t probes, failures; /* counted since the target was set */
	uint16_t streak;	   /* consecutive results against the present state */
	char last_reason[128];	   /* "connection refused", "status 503, want 200-399", … */
};

/* Called from the loop whenever a target's state changes. May call health_set(), but not
 * health_free(). */
typedef void (*health_change_fn)(
	void *arg, uint32_t id, enum health_state from, enum health_state to, const char *reason);

/* Probes write to servers that may have gone: the process has to ignore SIGPIPE. Half of the files
 * that the process may have open now is the most that probes take. Returns 0 or -ENOMEM with a
 * sentence. */
int health_new(struct health **out, struct event_base *base, health_change_fn fn, void *arg,
	struct err *e);
void health_free(struct health *h);

/* Replaces the set of targets. A target whose id, address, port and check are as before keeps
 * its state, its streak and its schedule; others start anew (with `initial`); missing ones are
 * forgotten, their probes cancelled. Returns 0; -ENOMEM, or -EINVAL when two have one id: then
 * the old set stands. */
int health_set(struct health *h, const struct health_target *targets, unsigned n);

/* Fills *out for a target; returns 0 or -ENOENT. */
int health_report(const struct health *h, uint32_t id, struct health_report *out);
