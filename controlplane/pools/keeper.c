/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/keeper.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/clock.h"

struct keeper {
	struct host *host;
	struct engine *engine;
	struct event *tick;
	unsigned ticks;
	unsigned asks;		 /* left in this tick */
	struct keeper_hop *hops; /* sorted */
	unsigned n, turn;	 /* turn: where the next tick begins, so that all get theirs */
};

bool keeper_step(struct keeper_hop *h, enum host_neighbour_state state, uint64_t now_ms)
{
	if (state == HOST_NEIGHBOUR_USABLE) {
		h->next_ms = 0;
		return false;
	}
	if (now_ms < h->next_ms)
		return false;
	h->next_ms = now_ms + KEEPER_RETRY_MS;
	return true;
}

static int compare_hops(const void *a, const void *b)
{
	const struct build_hop *x = &((const struct keeper_hop *)a)->hop;
	const struct build_hop *y = &((const struct keeper_hop *)b)->hop;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return addr_compare(&x->addr, &y->addr);
}

static struct keeper_hop *keeper_find(
	const struct keeper *k, uint32_t ifindex, const struct addr *addr)
{
	struct keeper_hop key = { .hop = { .ifindex = ifindex, .addr = *addr } };

	return k->n ? bsearch(&key, k->hops, k->n, sizeof *k->hops, compare_hops) : NULL;
}

static enum host_neighbour_state keeper_state(
	const struct keeper *k, uint32_t ifindex, const struct addr *addr)
{
	const struct host_neighbour *known = host_neighbour_find(k->host, ifindex, addr);

	return known ? known->state : HOST_NEIGHBOUR_NONE;
}

/* An error is the kernel's passing trouble (no buffers, an interface that is going): the next tick asks
 * again. */
static void keeper_ask(struct keeper *k, uint32_t ifindex, const struct addr *addr)
{
	if (!k->asks)
		return;
	k->asks--;
	host_neighbour_ask(k->host, ifindex, addr);
}

static void keeper_look(struct keeper *k, struct keeper_hop *h, uint64_t now_ms)
{
	enum host_neighbour_state state = keeper_state(k, h->hop.ifindex, &h->hop.addr);

	if (k->asks && keeper_step(h, state, now_ms))
		keeper_ask(k, h->hop.ifindex, &h->hop.addr);
}

static void keeper_used(void *arg, uint32_t ifindex, const struct addr *addr)
{
	struct keeper *k = arg;

	if (keeper_state(k, ifindex, addr) != HOST_NEIGHBOUR_USABLE)
		keeper_ask(k, ifindex, addr);
}

static void keeper_tick(evutil_socket_t fd, short what, void *arg)
{
	struct keeper *k = arg;
	uint64_t now_ms = clock_ms();
	unsigned i;

	(void)fd;
	(void)what;
	k->asks = KEEPER_TICK_ASKS;
	for (i = 0; i < k->n && k->asks; i++)
		keeper_look(k, &k->hops[(k->turn + i) % k->n], now_ms);
	if (k->n)
		k->turn = (k->turn + i) % k->n;
	if (k->engine && ++k->ticks % KEEPER_USED_TICKS == 0)
		engine_each_used_neighbour(k->engine, keeper_used, k);
}

int keeper_new(struct keeper **out, struct event_base *base, struct host *host, struct err *e)
{
	static const struct timeval interval = {
		.tv_sec = KEEPER_TICK_MS / 1000,
		.tv_usec = KEEPER_TICK_MS % 1000 * 1000,
	};
	struct keeper *k = calloc(1, sizeof *k);

	if (!k)
		return err_set(e, -ENOMEM, "out of memory");
	k->host = host;
	k->asks = KEEPER_TICK_ASKS;
	k->tick = event_new(base, -1, EV_PERSIST, keeper_tick, k);
	if (!k->tick || event_add(k->tick, &interval)) {
		keeper_free(k);
		return err_set(e, -ENOMEM, "out of memory");
	}
	*out = k;
	return 0;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	if (k->tick)
		event_free(k->tick);
	free(k->hops);
	free(k);
}

void keeper_watch(struct keeper *k, struct engine *engine)
{
	k->engine = engine;
}

/* Sorts and leaves out repetitions; returns how many are left. */
static unsigned hops_unique(struct keeper_hop *hops, unsigned n)
{
	unsigned kept = 0;

	qsort(hops, n, sizeof *hops, compare_hops);
	for (unsigned i = 0; i < n; i++)
		if (!kept || compare_hops(&hops[i], &hops[kept - 1]))
			hops[kept++] = hops[i];
	return kept;
}

int keeper_set(struct keeper *k, const struct build_hop *hops, unsigned count)
{
	struct keeper_hop *list = calloc((size_t)count + 1, sizeof *list);
	uint64_t now_ms = clock_ms();
	unsigned kept = 0;

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		if (hops[i].ifindex)
			list[kept++].hop = hops[i];
	kept = hops_unique(list, kept);
	for (unsigned i = 0; i < kept; i++) {
		struct keeper_hop *h = &list[i];
		const struct keeper_hop *old = keeper_find(k, h->hop.ifindex, &h->hop.addr);

		if (old)
			h->next_ms = old->next_ms;
	}
	free(k->hops);
	k->hops = list;
	k->n = kept;
	k->turn = 0;
	for (unsigned i = 0; i < kept; i++)
		keeper_look(k, &list[i], now_ms);
	return 0;
}

void keeper_event(struct keeper *k, const struct host_neighbour *neighbour)
{
	struct keeper_hop *h = keeper_find(k, neighbour->ifindex, &neighbour->addr);

	if (h)
		keeper_look(k, h, clock_ms());
}

/* What the kernel does know is told to the engine again: asking would bring no news. */
void keeper_wanted(struct keeper *k, uint32_t ifindex, const struct addr *addr)
{
	const struct host_neighbour *known = host_neighbour_find(k->host, ifindex, addr);

	if (!known || known->state == HOST_NEIGHBOUR_NONE)
		keeper_ask(k, ifindex, addr);
	else if (k->engine)
		engine_neighbour(k->engine, known, false, NULL);
}
