/* SPDX-License-Identifier: BSD-2-Clause */
/* What records and slot tables say of servers, pools and the node. The sweep over the records fills it in; the API
 * shows it, and no number is given away that it still counts. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one server, in whatever pools it takes flows. */
struct tracking_server {
	uint64_t records;    /* live ones that name it */
	uint32_t slots;	     /* that it owns, in all rings of the published generation */
	uint32_t base_slots; /* tracked ones whose base it is */
};

/* Of one pool, whose ring may be another's too. */
struct tracking_pool {
	uint64_t records; /* that name the pool */
	uint32_t slots;	  /* of its ring */
	uint32_t slots_tracked;
};

/* What was evicted from a full bucket, in the order of preference. */
enum tracking_evicted {
	TRACKING_VOID,
	TRACKING_EMBRYONIC,
	TRACKING_AGREEING, /* said what the slot says without it */
	TRACKING_LIVE,	   /* a live confirmed flow: it may have moved */
	TRACKING_EVICTED
};

struct tracking_node {
	uint64_t capacity;		    /* records that the table has room for */
	uint64_t embryonic, live, closing;  /* that it holds */
	uint64_t evicted[TRACKING_EVICTED]; /* since the engine was first set up */
	uint64_t not_recorded;		    /* flows that found no room at all, likewise */
};

/* Indexed by stable id; [0] is nobody's. The slots are those of the published generation at any time; records
 * are as the last whole sweep found them. */
struct tracking {
	const struct tracking_server *servers;
	const struct tracking_pool *pools;
	uint32_t n_servers, n_pools; /* of the arrays */
	/* The state's round whose generation was published when that sweep began: what has left the
	 * configuration later may have records that it did not see. */
	uint64_t round;
	struct tracking_node node;
};

/* NULL: nothing is known, since t is NULL or does not reach so far. */
static inline const struct tracking_server *tracking_server(const struct tracking *t, uint32_t id)
{
	return t && id < t->n_servers ? &t->servers[id] : NULL;
}

static inline const struct tracking_pool *tracking_pool(const struct tracking *t, uint32_t id)
{
	return t && id < t->n_pools ? &t->pools[id] : NULL;
}

/* Whether no flow is left that could go to the server by a record or by a slot. */
static inline bool tracking_server_idle(const struct tracking_server *s)
{
	return !s->records && !s->slots && !s->base_slots;
}
