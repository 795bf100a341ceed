/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the kernel's neighbour entries fresh that packets need.
 *
 * The engine sends by the MAC addresses that the kernel knows, but the kernel does not see those packets:
 * left alone, its entries would grow stale and be thrown away. So the next hops of all servers are asked for
 * when they appear, when they are lost and when they go stale; those of clients while packets use them. */
#pragma once
#include "controlplane/base/err.h"
#include "controlplane/engine/engine.h"
#include "controlplane/host/host.h"
#include "controlplane/pools/build.h"

struct event_base;
struct keeper;

/* A next hop that is kept, and when it may be asked for again. */
struct keeper_hop {
	struct build_hop hop;
	uint64_t next_ms;
};

enum {
	KEEPER_RETRY_MS =
		3000, /* the kernel gives up after three solicitations, one second apart */
	KEEPER_TICK_MS = 1000,
	KEEPER_TICK_ASKS = 256, /* at most so many questions a tick, of whatever cause */
	KEEPER_USED_TICKS = 5,	/* how often the engine is asked which neighbours packets use */
};

/* Whether to ask for a next hop now; if so, the next question waits for KEEPER_RETRY_MS. */
bool keeper_step(struct keeper_hop *h, enum host_neighbour_state state, uint64_t now_ms);

/* Both host and engine must outlive it. Returns 0 or a negative errno and a sentence. */
int keeper_new(struct keeper **out, struct event_base *base, struct host *host, struct err *e);
void keeper_free(struct keeper *k);

/* From now on the engine is asked for what packets use, and told what it wants; NULL: no longer. */
void keeper_watch(struct keeper *k, struct engine *engine);

/* Replaces the next hops that are kept; repeated ones and those without an interface are left out.
 * Returns 0 or -ENOMEM (then the old ones stand). */
int keeper_set(struct keeper *k, const struct build_hop *hops, unsigned count);

/* The kernel's entry has changed. */
void keeper_event(struct keeper *k, const struct host_neighbour *neighbour);

/* A packet wants the MAC address of a neighbour that has none. */
void keeper_wanted(struct keeper *k, uint32_t ifindex, const struct addr *addr);
