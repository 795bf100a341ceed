/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one probe to its end. */
#pragma once
#include "controlplane/health/probe.h"
#include "tests/unit/health/peer.h"

struct trial {
	struct event_base *base;
	struct peer *peer;
	struct conf_health check;
	/* What came of it. */
	bool ended, timed_out;
	enum probe_outcome outcome;
	char reason[256];
};

/* cmocka fixtures: a network namespace of the test program's own, with a loopback. Fail without
 * the right to make one. */
int trial_group_setup(void **state);
int trial_setup(void **state);
int trial_teardown(void **state);

/* Probes a new peer on addr (port 0: any) that follows the script, until the probe ends; after
 * timeout_ms of the check it is freed and has timed out. */
void trial_run(struct trial *t, const struct probe_kind *kind, const char *addr, uint16_t port,
	const struct peer_script *script);

/* The same at an address and port without a peer. */
void trial_run_at(
	struct trial *t, const struct probe_kind *kind, const struct addr *addr, uint16_t port);

/* What the last probe has to have come to. */
void trial_is(const struct trial *t, enum probe_outcome outcome, const char *reason);
void trial_timed_out(const struct trial *t);
