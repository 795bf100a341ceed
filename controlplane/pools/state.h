/* SPDX-License-Identifier: BSD-2-Clause */
/* What outlives the daemon: stable numbers, runtime changes, last seen states, the key of the flow hash. */
#pragma once
#include <stdint.h>
#include "controlplane/base/addr.h"
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"
#include "controlplane/engine/engine.h"
#include "controlplane/health/health.h"
#include "controlplane/pools/ids.h"
#include "controlplane/pools/site.h"
#include "controlplane/pools/tracking.h"

/* The most that any of conf's limits may be; a number above it in a file is damage. */
enum { STATE_ID_MAX = 1 << 17 };

/* A server's last verdict, and whose it is: of another address or port it says nothing. */
struct state_seen {
	enum health_state state;
	struct addr addr;
	uint16_t port; /* the configuration's; 0: the service's */
};

struct state_server {
	struct site_overlay overlay;
	struct state_seen seen;
};

struct state {
	uint8_t key[16];
	uint64_t round; /* counts applied configurations; orders what is gone */
	/* "vips/NAME" and "gateways/NAME"; NAME; NAME; "POOL/NAME" */
	struct ids addresses, services, pools, servers;
	struct state_server *server; /* by number; n_server of them, [0] is not used */
	uint32_t n_server;
};

/* A number that has another object now, whose counter still has what was before it. */
struct fresh_id {
	enum engine_counter_kind kind;
	uint32_t id;
};

/* What is kept apart, because it changes at other times and may be lost at another price. */
enum state_part {
	STATE_SEEN =
		1, /* last verdicts; not on the disk in time, they are found again by the checks */
	STATE_WANTED = 2, /* runtime changes; on the disk before whoever made one is answered */
	STATE_NUMBERS =
		4, /* the key, the numbers and whose they are; on the disk before packets see them */
	STATE_ALL = STATE_SEEN | STATE_WANTED | STATE_NUMBERS,
};

/* The numbers of one configuration's objects, by index into its arrays. */
struct binding {
	uint32_t *vips, *gateways, *services, *pools, *servers;
	struct fresh_id *fresh; /* until the engine's counters are reset */
	uint32_t n_fresh;
};

void state_free(struct state *st);

/* An empty state with a new random key. Returns NULL when memory or random bytes are lacking. */
struct state *state_new(void);

struct state *state_copy(const struct state *st);

/* The record of a server's number that the state knows. */
struct state_server *state_server(const struct state *st, uint32_t id);

/* The same, making room for it. Returns NULL when out of memory. */
struct state_server *state_server_new(struct state *st, uint32_t id);

/* Gives a number to every object of a configuration. Records of servers that are gone keep their overlay
 * and forget what was seen; a number that goes to another server starts with an empty record. Numbers that
 * live records name, as far as t (or NULL) knows, go to nobody else. Returns 0, or a negative errno and a
 * sentence; after an error the state is only good for state_free(). */
int state_bind(struct state *st, const struct conf *c, const struct tracking *t,
	struct binding *out, struct err *e);

void binding_free(struct binding *b);

/* The text of one part, to be freed with free(); NULL when out of memory. */
char *state_encode(const struct state *st, enum state_part part);

/* Reads the text of one part into st, which is new for STATE_NUMBERS and has them for the others: what those
 * say of servers without a number is passed over. `name` stands for the file in sentences. Returns the parts that
 * the text had (or'ed; old ones of the numbers have all), or -EINVAL (damaged: the sentence says where and what to do)
 * or -ENOMEM; then st is only good for state_free(). */
int state_decode(struct state *st, enum state_part part, const char *text, size_t len,
	const char *name, struct err *e);
