/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/churn.h"
#include <errno.h>
#include <stdlib.h>
#include "tests/packets/random.h"

/* How many single slots are changed at once, of rings of 256 and more; and how many buckets of records. */
enum { SLOTS_MAX = 60, BUCKETS_MAX = 20 };

int churn_init(struct churn *c, const struct conf *conf, uint64_t seed)
{
	*c = (struct churn){ .conf = conf, .state = seed };
	c->has_table = calloc(conf->n_pools + 1u, sizeof *c->has_table);
	return c->has_table ? 0 : -ENOMEM;
}

void churn_free(struct churn *c)
{
	free(c->has_table);
}

/* Around the time-outs of embryonic and closing records and of the services; seldom so long that all is over. */
static uint16_t later(struct churn *c)
{
	static const uint16_t steps[] = { 1, 1, 1, 1, 1, 2, 2, 3, 5, 6, 9, 10, 50, 56, 57, 93, 187,
		188 };
	static const uint16_t leaps[] = { 838, 840, 0x7fff, 0xffff };

	if (random_chance(&c->state, 3))
		return leaps[random_below(&c->state, sizeof leaps / sizeof *leaps)];
	return steps[random_below(&c->state, sizeof steps / sizeof *steps)];
}

/* A pool, mostly one of several servers: their slots change hands. */
static unsigned any_pool(struct churn *c)
{
	unsigned p = random_below(&c->state, c->conf->n_pools);

	for (unsigned tries = 0; tries < 4 && c->conf->pools[p].n_servers < 2; tries++)
		p = random_below(&c->state, c->conf->n_pools);
	return p;
}

/* Any server of the pool, also one that is drained or down, or none. */
static int any_server(struct churn *c, unsigned p)
{
	const struct conf_pool *from = &c->conf->pools[p];

	if (random_chance(&c->state, 5))
		return CASE_NONE;
	return (int)(from->first_server + random_below(&c->state, from->n_servers));
}

static void sides(struct churn *c, struct case_slots *s)
{
	s->owner = any_server(c, s->pool);
	s->base = random_chance(&c->state, 35) ? CASE_SETTLED : any_server(c, s->pool);
}

/* Of the flow with any hash. */
static void any_flow(struct churn *c, struct frame *flow)
{
	uint64_t hash = random_draw(&c->state);

	for (flow->len = 0; flow->len < sizeof hash; flow->len++)
		flow->bytes[flow->len] = (uint8_t)(hash >> 8 * flow->len);
}

/* All slots of a pool and some that differ; or only some, so that most records meet what they met before. */
static int change_slots(struct churn *c, churn_tell_fn *tell, void *arg, struct err *e)
{
	struct case_step s = { .kind = CASE_SLOTS, .slots.pool = any_pool(c) };
	bool *has_table = &c->has_table[s.slots.pool];
	int rc = 0;

	sides(c, &s.slots);
	if (!*has_table || random_chance(&c->state, 30))
		rc = tell(arg, &s, e);
	*has_table = true;
	for (unsigned n = random_below(&c->state, SLOTS_MAX); n && !rc; n--) {
		sides(c, &s.slots);
		any_flow(c, &s.slots.flow);
		rc = tell(arg, &s, e);
	}
	return rc;
}

int churn_next(struct churn *c, churn_tell_fn *tell, void *arg, struct err *e)
{
	struct case_step s = { .kind = CASE_NOW };

	if (random_chance(&c->state, 50))
		return change_slots(c, tell, arg, e);
	s.now = c->now += later(c);
	return tell(arg, &s, e);
}

/* Of a flow that is never seen. Mostly as an engine leaves it; some name what is not there, or a writer that died. */
static struct l4_record any_record(struct churn *c, uint8_t state, bool agrees)
{
	uint64_t server = 1 + random_below(&c->state, c->conf->n_servers);
	uint64_t in = 1 + c->conf->servers[server - 1].pool;
	uint64_t time = (uint16_t)(c->now + 1 - random_below(&c->state, 5));

	if (random_chance(&c->state, 2))
		return (struct l4_record){ random_draw(&c->state), random_draw(&c->state) };
	return (struct l4_record){
		.who = random_draw(&c->state),
		.what = state | (uint64_t)agrees << 3 | time << 4 | server << 20 | in << 36 |
			random_draw(&c->state) << 52,
	};
}

/* The record names another server from here on, which may be down or of another pool. */
static void mislead(struct churn *c, struct l4_record *r)
{
	uint64_t server = 1 + random_below(&c->state, c->conf->n_servers);

	if (r->what)
		r->what = (r->what & ~(0xffffull << 20)) | server << 20;
}

void churn_records(struct churn *c, struct l4_record *records, uint32_t n)
{
	static const uint8_t states[] = { L4_RECORD_EMPTY, L4_RECORD_EMBRYONIC, L4_RECORD_LIVE,
		L4_RECORD_LIVE, L4_RECORD_LIVE, L4_RECORD_CLOSING };

	for (unsigned i = random_below(&c->state, BUCKETS_MAX); i; i--) {
		uint32_t bucket = random_below(&c->state, n / 4) * 4;
		uint8_t state = states[random_below(&c->state, sizeof states)];
		bool agrees = random_chance(&c->state, 30), fill = random_chance(&c->state, 70);

		for (uint32_t k = bucket; k < bucket + 4; k++)
			if (fill)
				records[k] = any_record(c, state, agrees);
			else
				mislead(c, &records[k]);
	}
}

static struct l4_proxied any_proxied(struct churn *c, uint8_t state)
{
	uint64_t time = (uint16_t)(c->now + 1 - random_below(&c->state, 8));

	return (struct l4_proxied){
		.who = random_draw(&c->state),
		.what = state | time << 3 | (random_draw(&c->state) & ~0x7ffffull),
		.shift = (uint32_t)random_draw(&c->state),
		.isn = (uint32_t)random_draw(&c->state),
		.idle = random_below(&c->state, 300),
	};
}

/* As the control plane does it once no connection is left. */
static void end_all(
	struct l4_proxied *proxied, uint32_t n, struct l4_flood *floods, uint32_t n_floods)
{
	for (uint32_t i = 0; i < n; i++)
		if (proxied[i].what)
			proxied[i] = (struct l4_proxied){ 0 };
	for (uint32_t i = 0; i < n_floods; i++)
		floods[i].ended = floods[i].begun;
}

void churn_proxied(struct churn *c, struct l4_proxied *proxied, uint32_t n, struct l4_flood *floods,
	uint32_t n_floods)
{
	static const uint8_t states[] = { L4_PROXIED_EMPTY, L4_PROXIED_BUSY, L4_PROXIED_ASKED,
		L4_PROXIED_OPENING, L4_PROXIED_OPEN, L4_PROXIED_OPEN, L4_PROXIED_CLOSING };

	if (random_chance(&c->state, 10))
		end_all(proxied, n, floods, n_floods);
	for (unsigned i = random_below(&c->state, n / 8); i; i--) {
		uint32_t bucket = random_below(&c->state, n / 4) * 4;

		for (uint32_t k = bucket; k < bucket + 4; k++)
			proxied[k] = any_proxied(c, states[random_below(&c->state, sizeof states)]);
	}
}
