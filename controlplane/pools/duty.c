/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/duty.h"
#include <errno.h>
#include <stdlib.h>

unsigned duty_weight(const struct conf_server *server, const struct state_server *record)
{
	return record->overlay.weight < 0 ? server->weight : (unsigned)record->overlay.weight;
}

bool duty_able(const struct conf_server *server, const struct state_server *record)
{
	return record->overlay.wanted == SERVER_READY && record->seen.state == HEALTH_UP &&
	       duty_weight(server, record) > 0;
}

bool duty_failed(const struct conf_server *server, const struct state_server *record)
{
	return record->overlay.wanted == SERVER_READY && record->seen.state == HEALTH_DOWN &&
	       duty_weight(server, record) > 0;
}

static bool is_forced(
	const struct conf *c, unsigned pool, const struct binding *ids, const struct state *st)
{
	const struct conf_pool *p = &c->pools[pool];
	unsigned able = 0, failed = 0;

	for (unsigned i = p->first_server; i < p->first_server + p->n_servers; i++) {
		const struct state_server *record = state_server(st, ids->servers[i]);

		able += duty_able(&c->servers[i], record);
		failed += duty_failed(&c->servers[i], record);
	}
	return able < p->min_up && failed;
}

static struct duty_server server_duty(
	const struct conf_server *s, const struct state_server *record, bool forced)
{
	bool brought_back = forced && duty_failed(s, record);

	return (struct duty_server){
		.weight = duty_able(s, record) || brought_back ? (uint16_t)duty_weight(s, record)
							       : 0,
		.serves = brought_back || (record->overlay.wanted != SERVER_MAINT &&
						  record->seen.state != HEALTH_DOWN),
	};
}

static bool offers(const struct conf *c, unsigned pool, const struct duty_server *servers)
{
	const struct conf_pool *p = &c->pools[pool];

	for (unsigned i = p->first_server; i < p->first_server + p->n_servers; i++)
		if (servers[i].weight)
			return true;
	return false;
}

static int find_source(const struct conf *c, unsigned pool, const struct duty_server *servers)
{
	int p = (int)pool;

	while (p >= 0 && !offers(c, (unsigned)p, servers))
		p = conf_pool_fallback(c, (unsigned)p);
	return p;
}

int duty_new(
	struct duty *out, const struct conf *c, const struct binding *ids, const struct state *st)
{
	*out = (struct duty){
		.servers = calloc((size_t)c->n_servers + 1, sizeof *out->servers),
		.pools = calloc((size_t)c->n_pools + 1, sizeof *out->pools),
	};
	if (!out->servers || !out->pools) {
		duty_free(out);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < c->n_pools; i++)
		out->pools[i].forced = is_forced(c, i, ids, st);
	for (unsigned i = 0; i < c->n_servers; i++)
		out->servers[i] = server_duty(&c->servers[i], state_server(st, ids->servers[i]),
			out->pools[c->servers[i].pool].forced);
	for (unsigned i = 0; i < c->n_pools; i++)
		out->pools[i].from = find_source(c, i, out->servers);
	return 0;
}

void duty_free(struct duty *d)
{
	free(d->servers);
	free(d->pools);
	*d = (struct duty){ 0 };
}
