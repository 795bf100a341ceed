/* SPDX-License-Identifier: BSD-2-Clause */
/* Which servers are probed, and where. */
#pragma once
#include "controlplane/conf/conf.h"
#include "controlplane/health/health.h"
#include "controlplane/pools/state.h"

struct targets {
	struct health_target *list;
	unsigned n;
	char *labels; /* what the list's labels point into */
};

/* The port that a server's check connects to: the check's, the server's, or that of the first service on one port (one
 * over TCP before one over UDP) that uses the pool. 0: there is none, since no service uses it. */
uint16_t target_port(const struct conf *c, unsigned server);

/* The targets of a configuration; what was last seen of a server is what it starts as. Servers without a
 * check or without a port have none. Returns 0 or -ENOMEM. */
int targets_new(struct targets *out, const struct conf *c, const struct binding *ids,
	const struct state *st);
void targets_free(struct targets *t);
