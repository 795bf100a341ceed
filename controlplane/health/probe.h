/* SPDX-License-Identifier: BSD-2-Clause */
/* One probe of one server. Probes know no time-outs: whoever starts one frees it when its time
 * is up, so that no trickle of bytes prolongs it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include "controlplane/base/addr.h"
#include "controlplane/conf/conf.h"

struct event_base;
struct probe;

enum probe_outcome {
	PROBE_OK,
	PROBE_FAILED,
	PROBE_NOT_MADE, /* this host's fault, not the server's */
};

/* Everything that it points to must last as long as the probe. */
struct probe_request {
	struct event_base *base;
	const struct addr *addr;
	uint16_t port; /* host order */
	const struct conf_health *check;
	/* Called once, from the loop and never from within start. reason is good during the
	 * call. The probe is not to be freed from within. */
	void (*done)(void *arg, enum probe_outcome outcome, const char *reason);
	void *arg;
};

struct probe_kind {
	/* Returns the probe, or NULL when memory ran out. */
	struct probe *(*start)(const struct probe_request *r);
	/* Ends the probe if it has not ended; then it does not report. */
	void (*free)(struct probe *p);
};

/* What all probes begin with. */
struct probe {
	const struct probe_kind *kind;
	struct probe_request request;
	TAILQ_ENTRY(probe) link; /* its owner's */
};

TAILQ_HEAD(probe_list, probe);

extern const struct probe_kind probe_tcp;  /* a connection is accepted */
extern const struct probe_kind probe_http; /* a request is answered as the check wants */

/* For the kinds: what a failed system call on the way to the server means, in words; and whether
 * it is this host's fault. */
const char *probe_errno_text(int err);
enum probe_outcome probe_errno_outcome(int err);

/* Writes the socket address and returns its length. */
socklen_t probe_sockaddr(const struct addr *addr, uint16_t port, struct sockaddr_storage *out);
