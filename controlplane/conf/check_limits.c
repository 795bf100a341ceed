/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configuration needs of the engine's tables. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"

#define SLOTS_PER_SERVER 100
#define RING_MIN	 256
#define RING_MAX	 (1u << 20)

/* The slots of a pool's ring. */
static uint64_t ring_size(unsigned servers)
{
	uint64_t size = RING_MIN;

	while (size < RING_MAX && size < (uint64_t)servers * SLOTS_PER_SERVER)
		size *= 2;
	return size;
}

/* Where the limit is written; the file as a whole when it is not. */
static const struct conf_spot *limit_spot(const struct conf_tree *t, const char *word, bool *bad)
{
	const config_setting_t *limits = config_setting_get_member(t->root, "limits"), *s;

	*bad = false;
	if (!limits || !config_setting_is_group(limits))
		return NULL;
	s = config_setting_get_member(limits, word);
	if (!s)
		return &conf_place_of(limits)->key;
	*bad = conf_place_of(s)->bad;
	return &conf_place_of(s)->value;
}

static uint64_t next_power(uint64_t n)
{
	uint64_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

static void check_limit(
	struct conf_tree *t, const char *word, uint64_t limit, uint64_t need, const char *what)
{
	const struct conf_key *key = conf_schema_find("limits", word);
	uint64_t most = (uint64_t)key->max, advice = next_power(need);
	bool bad;
	const struct conf_spot *at = limit_spot(t, word, &bad);

	if (need <= limit || bad)
		return;
	if (need > most)
		diags_add(t->diags, DIAG_ERROR, t->text, at,
			"%s need %" PRIu64 " of \"limits.%s\", but %" PRIu64
			" is the most that is possible",
			what, need, word, most);
	else
		diags_add(t->diags, DIAG_ERROR, t->text, at,
			"\"limits.%s\" is %" PRIu64 ", but %s need %" PRIu64 "; write %s = %" PRIu64
			"; in \"limits\"",
			word, limit, what, need, word, advice < most ? advice : most);
}

/* Of all pools together; a pool's servers are its own and those that it falls back on. */
struct pool_needs {
	uint64_t servers, slots;
};

static struct pool_needs check_sizes(struct conf_tree *t)
{
	const struct conf *c = t->conf;
	struct pool_needs need = { 0 };

	for (unsigned i = 0; i < c->n_pools; i++) {
		unsigned n = conf_pool_servers(c, i);

		need.servers += n;
		need.slots += ring_size(n);
		if (n > CONF_POOL_SERVERS_MAX)
			diags_add(t->diags, DIAG_ERROR, t->text,
				conf_tree_object_spot(t, CONF_POOL, i),
				"pool \"%.63s\" has %u servers%s; a pool can have %u at most",
				c->pools[i].name, n,
				n > c->pools[i].n_servers
					? " together with those that it falls back on"
					: "",
				CONF_POOL_SERVERS_MAX);
	}
	return need;
}

static int compare_digests(const void *a, const void *b)
{
	const struct conf_list *x = *(const struct conf_list *const *)a,
			       *y = *(const struct conf_list *const *)b;

	return (x->digest > y->digest) - (x->digest < y->digest);
}

/* Lists that are the same lie in the engine once. */
static int check_prefixes(struct conf_tree *t)
{
	const struct conf *c = t->conf;
	const struct conf_list **lists =
		conf_memory_take(t->memory, c->n_services + 1u, sizeof *lists);
	uint64_t need = 0;

	if (!lists)
		return -ENOMEM;
	lists[0] = &c->guard.sources.list;
	for (unsigned i = 0; i < c->n_services; i++)
		lists[i + 1] = &c->services[i].sources.list;
	qsort((void *)lists, c->n_services + 1u, sizeof *lists, compare_digests);
	for (unsigned i = 0; i <= c->n_services; i++)
		if (!i || compare_digests(&lists[i - 1], &lists[i]))
			need += lists[i]->n;
	check_limit(t, "guard_prefixes", c->limits.guard_prefixes, need, "the lists of sources");
	return 0;
}

/* Members of pools with an id. */
static uint64_t quic_ids(const struct conf *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < c->n_pools; i++)
		for (int p = (int)i; p >= 0; p = conf_pool_fallback(c, (unsigned)p))
			for (unsigned k = 0; k < c->pools[p].n_servers; k++)
				n += c->servers[c->pools[p].first_server + k].quic_id.n > 0;
	return n;
}

int conf_check_limits(struct conf_tree *t)
{
	const struct conf *c = t->conf;
	struct pool_needs need = check_sizes(t);

	check_limit(t, "vips", c->limits.vips, (uint64_t)c->n_vips + c->n_gateways,
		"the file's VIPs and gateways");
	check_limit(t, "services", c->limits.services, conf_places(c),
		conf_places(c) > c->n_services
			? "the file's services, one with several ports once for each port or range,"
			: "the file's services");
	check_limit(t, "pools", c->limits.pools, c->n_pools, "the file's pools");
	check_limit(t, "servers", c->limits.servers, need.servers,
		need.servers > c->n_servers
			? "the file's servers, those that a pool falls back on once more,"
			: "the file's servers");
	if (need.servers <= c->limits.servers)
		check_limit(t, "servers", c->limits.servers, conf_nat_replies(c) + quic_ids(c),
			quic_ids(c)
				? "replies from the servers of nat services, and servers with a quic_id,"
			: conf_places(c) > c->n_services
				? "replies from the servers of nat services, one for each service, "
				  "port or range and server,"
				: "replies from the servers of nat services, one for each service and "
				  "server,");
	check_limit(
		t, "ring_slots", c->limits.ring_slots, need.slots, "the rings of the file's pools");
	return check_prefixes(t);
}
