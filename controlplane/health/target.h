/* SPDX-License-Identifier: BSD-2-Clause */
/* One server under watch: what it was set to, and what is known of it. */
#pragma once
#include <sys/queue.h>
#include "controlplane/health/check.h"
#include "controlplane/health/health.h"
#include "controlplane/health/probe.h"

struct event;

struct target {
	struct health *health;
	struct addr addr;
	uint16_t port;
	char label[136];	  /* "POOL/SERVER", 63 characters each */
	struct conf_health conf;  /* its strings are owned */
	struct check_rules rules; /* from conf */
	struct check check;
	struct event *timer;	  /* gives the check the time */
	struct probe *probe;	  /* the running one, or NULL */
	bool scheduled;		  /* it is watched; else it is only being made */
	bool waiting;		  /* a probe is due, but too many run */
	TAILQ_ENTRY(target) link; /* among the waiting */
	uint64_t started_us;	  /* when the running probe started */
	struct health_report report;
};

TAILQ_HEAD(target_list, target);

/* A target without a timer and a schedule, in its initial state; NULL when memory ran out. */
struct target *target_new(struct health *h, const struct health_target *t);

/* Frees what it owns, its timer too; it must not have a probe or be in a list. */
void target_free(struct target *t);

/* Whether t watches the same address and port by the same check. */
bool target_is(const struct target *t, const struct health_target *other);

void target_set_label(struct target *t, const char *label);
