/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/emergency.h"
#include "controlplane/base/log.h"

int emergency_fallen_back(const struct live *l, const struct build *b, unsigned pool)
{
	int p = conf_pool_fallback(l->conf, pool);

	while (p >= 0 && l->ids.pools[p] != b->states[pool].from)
		p = conf_pool_fallback(l->conf, (unsigned)p);
	return p;
}

static void tell_min_up(const struct conf_pool *p, bool was, bool is)
{
	if (is && !was)
		log_warn("pool %s has fewer than %u servers up (min_up): those that failed their "
			 "checks are used too",
			p->name, p->min_up);
	else if (was && !is)
		log_warn("pool %s does without servers that failed their checks again", p->name);
}

/* Of a pool that falls back on no other, its own servers' messages say enough. */
static void tell_source(const struct live *l, const struct build *is, unsigned pool,
	uint32_t was_from, uint32_t own)
{
	uint32_t from = is->states[pool].from;
	const char *name = l->conf->pools[pool].name;
	int other = emergency_fallen_back(l, is, pool);

	if (from == was_from || conf_pool_fallback(l->conf, pool) < 0)
		return;
	if (other >= 0)
		log_warn("no server of pool %s takes new connections: it falls back on pool %s",
			name, l->conf->pools[other].name);
	else if (from == own)
		log_warn("pool %s has servers of its own again that take new connections", name);
	else
		log_warn("no server takes new connections of pool %s, nor of what it falls back on",
			name);
}

/* The place in b of the pool with a number, or -1. Pools mostly keep their order: it is looked for from `at` on. */
static int find_pool(const struct build *b, uint32_t id, uint32_t at)
{
	uint32_t n = b->input.n_pools;

	for (uint32_t i = 0; i < n; i++)
		if (b->pools[(at + i) % n].id == id)
			return (int)((at + i) % n);
	return -1;
}

void emergency_tell(const struct live *l, const struct build *was, const struct build *is)
{
	uint32_t next = 0;

	for (unsigned i = 0; i < l->conf->n_pools; i++) {
		uint32_t id = l->ids.pools[i];
		int before = was ? find_pool(was, id, next) : -1;
		struct build_pool old = { .from = id };

		if (before >= 0) {
			old = was->states[before];
			next = (uint32_t)before + 1;
		}
		tell_min_up(&l->conf->pools[i], old.forced, is->states[i].forced);
		tell_source(l, is, i, old.from, id);
	}
}
