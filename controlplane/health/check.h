/* SPDX-License-Identifier: BSD-2-Clause */
/* The state machine of a health check. Pure: the time is an argument, and so is chance.
 *
 * Timers. A probe starts when it is `due`; the next is due one interval after that start, off by up
 * to jitter percent to either side at random. A probe that has not ended `timeout` after its start
 * has failed. At most one probe of a check runs: one that falls due meanwhile is due when the
 * running one ends. Where the caller is told of that late it has stood still, and has not seen what
 * came meanwhile: the probe is given as much time again, once.
 *
 * States. "Against" counts the results in a row that speak against the state.
 *
 *   state     a success                          a failure
 *   starting  up, at once                        against + 1; at `fall`: down
 *   up        against = 0                        against + 1; at `fall`: down
 *   down      against + 1; at `rise`: up         against = 0
 *
 * Entering a state sets `against` to 0. A time-out is a failure. A probe that could not be made for
 * a reason that is not the server's (no file descriptors left) ends without a result and changes
 * nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/health/health.h"

struct check_rules {
	uint32_t interval_ms, timeout_ms; /* interval at least 1 */
	uint16_t rise, fall;		  /* 0 counts as 1 */
	uint8_t jitter_percent;		  /* less than 100 */
};

struct check {
	enum health_state state;
	uint64_t since_ms; /* when the state was entered */
	uint16_t against;
	bool probing;
	uint64_t due_ms;      /* when the next probe starts */
	uint64_t deadline_ms; /* while probing: when the running one has failed */
	bool extended;	      /* that was put off */
};

/* A caller whose CHECK_TIME comes so much later has stood still. */
enum { CHECK_LATE_MS = 50 };

enum check_event_kind {
	CHECK_TIME,	 /* time has passed */
	CHECK_SUCCESS,	 /* the running probe ended well */
	CHECK_FAILURE,	 /* … or badly */
	CHECK_NO_RESULT, /* … or could not be made */
};

struct check_event {
	enum check_event_kind kind;
	uint32_t random; /* even over all values; decides the jitter of a probe that starts now */
};

/* What the caller is to do. */
struct check_actions {
	bool probe;	/* start a probe */
	bool timed_out; /* cancel the running probe */
	bool changed;	/* tell that the state changed; it was `from` */
	enum health_state from;
	uint64_t wake_ms; /* give CHECK_TIME not before, and soon after, this time */
};

/* A check that has its first probe phase_ms from now. */
void check_init(struct check *c, enum health_state initial, uint32_t phase_ms, uint64_t now_ms);

struct check_actions check_step(struct check *c, const struct check_rules *r,
	const struct check_event *event, uint64_t now_ms);
