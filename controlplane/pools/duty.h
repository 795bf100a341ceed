/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may take flows: from what is configured, wanted and seen. A pure function.
 *
 * A server takes new flows when it is wanted ready, is up and has a weight. With fewer of them than the pool's
 * min_up, servers that failed their checks are used too: the few would not bear the load of all. When a pool
 * has nobody, the pool that it falls back on takes its flows, by the same rules, and so on. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/conf/conf.h"
#include "controlplane/pools/state.h"

/* Of a server in its own pool. */
struct duty_server {
	uint16_t weight; /* its share of new flows; 0: none */
	bool serves;	 /* flows that it has may stay */
};

struct duty_pool {
	bool forced; /* fewer than min_up are up, and failed ones are used */
	int from;    /* the pool whose servers take its new flows, mostly itself; -1: none does */
};

/* By index into the configuration's arrays. */
struct duty {
	struct duty_server *servers;
	struct duty_pool *pools;
};

/* The weight that was asked for: the overlay's or the configuration's. */
unsigned duty_weight(const struct conf_server *server, const struct state_server *record);

/* Whether a server takes new flows by itself: ready, up, and of some weight. */
bool duty_able(const struct conf_server *server, const struct state_server *record);

/* Whether a server is one of those that min_up brings back into use: ready and of some weight, but down. */
bool duty_failed(const struct conf_server *server, const struct state_server *record);

/* Returns 0 or -ENOMEM. */
int duty_new(
	struct duty *out, const struct conf *c, const struct binding *ids, const struct state *st);
void duty_free(struct duty *d);
