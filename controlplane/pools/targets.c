/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/targets.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { LABEL_BYTES = 128 }; /* "POOL/SERVER" of names of 63 characters at most */

static uint16_t service_port(const struct conf *c, unsigned pool)
{
	uint16_t port = 0;

	for (unsigned i = 0; i < c->n_services; i++) {
		if (!c->services[i].port || !conf_pool_reaches(c, c->services[i].pool, pool))
			continue;
		if (c->services[i].protocol == IPPROTO_TCP)
			return c->services[i].port;
		if (!port)
			port = c->services[i].port;
	}
	return port;
}

uint16_t target_port(const struct conf *c, unsigned server)
{
	const struct conf_server *s = &c->servers[server];
	int health = c->pools[s->pool].health;

	if (health >= 0 && c->healths[health].port)
		return c->healths[health].port;
	return s->port ? s->port : service_port(c, s->pool);
}

int targets_new(struct targets *out, const struct conf *c, const struct binding *ids,
	const struct state *st)
{
	*out = (struct targets){
		.list = calloc((size_t)c->n_servers + 1, sizeof *out->list),
		.labels = malloc((size_t)c->n_servers * LABEL_BYTES + 1),
	};
	if (!out->list || !out->labels) {
		targets_free(out);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < c->n_servers; i++) {
		const struct conf_server *s = &c->servers[i];
		const struct conf_pool *pool = &c->pools[s->pool];
		struct health_target *t = &out->list[out->n];
		uint16_t port = target_port(c, i);
		char *label = out->labels + (size_t)out->n * LABEL_BYTES;

		if (pool->health < 0 || !port)
			continue;
		snprintf(label, LABEL_BYTES, "%s/%s", pool->name, s->name);
		t->id = ids->servers[i];
		t->label = label;
		t->addr = s->address;
		t->port = port;
		t->check = &c->healths[pool->health];
		t->initial = state_server(st, t->id)->seen.state;
		out->n++;
	}
	return 0;
}

void targets_free(struct targets *t)
{
	free(t->list);
	free(t->labels);
	*t = (struct targets){ 0 };
}
