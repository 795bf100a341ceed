/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/state.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const struct state_server server_untouched = { .overlay.weight = -1 };

void state_free(struct state *st)
{
	if (!st)
		return;
	ids_free(&st->addresses);
	ids_free(&st->services);
	ids_free(&st->pools);
	ids_free(&st->servers);
	free(st->server);
	free(st);
}

/* Room for the records 0..id. */
static int state_reserve(struct state *st, uint32_t id)
{
	struct state_server *list;

	if (id < st->n_server)
		return 0;
	list = reallocarray(st->server, (size_t)id + 1, sizeof *list);
	if (!list)
		return -ENOMEM;
	for (uint32_t i = st->n_server; i <= id; i++)
		list[i] = server_untouched;
	st->server = list;
	st->n_server = id + 1;
	return 0;
}

struct state *state_new(void)
{
	struct state *st = calloc(1, sizeof *st);

	if (!st)
		return NULL;
	if (getrandom(st->key, sizeof st->key, 0) != sizeof st->key || state_reserve(st, 0)) {
		state_free(st);
		return NULL;
	}
	return st;
}

struct state *state_copy(const struct state *st)
{
	struct state *copy = calloc(1, sizeof *copy);

	if (!copy)
		return NULL;
	memcpy(copy->key, st->key, sizeof copy->key);
	copy->round = st->round;
	if (ids_copy(&copy->addresses, &st->addresses) ||
		ids_copy(&copy->services, &st->services) || ids_copy(&copy->pools, &st->pools) ||
		ids_copy(&copy->servers, &st->servers) || state_reserve(copy, st->n_server - 1)) {
		state_free(copy);
		return NULL;
	}
	memcpy(copy->server, st->server, st->n_server * sizeof *st->server);
	return copy;
}

struct state_server *state_server(const struct state *st, uint32_t id)
{
	return &st->server[id];
}

struct state_server *state_server_new(struct state *st, uint32_t id)
{
	return state_reserve(st, id) ? NULL : state_server(st, id);
}

/* Names of objects as the tables of numbers know them: one array, and the text that it points into. */
struct names {
	char *text;
	const char **list;
	uint32_t n;
	size_t used;
};

enum { NAME_BYTES = 2 * 64 + 16 }; /* "POOL/SERVER" with the longest names, or "gateways/NAME" */

static int names_new(struct names *t, uint32_t cap)
{
	*t = (struct names){ 0 };
	t->text = malloc((size_t)cap * NAME_BYTES + 1);
	t->list = calloc((size_t)cap + 1, sizeof *t->list);
	return t->text && t->list ? 0 : -ENOMEM;
}

static void names_free(struct names *t)
{
	free(t->text);
	free(t->list);
}

static void names_add(struct names *t, const char *first, const char *second)
{
	char *at = t->text + t->used;
	int len = snprintf(at, NAME_BYTES, "%s%s%s", first, *first ? "/" : "", second);

	t->list[t->n++] = at;
	t->used += (size_t)(len < NAME_BYTES ? len : NAME_BYTES - 1) + 1;
}

/* What binding one kind of objects takes. */
struct binder {
	struct state *st;
	const struct conf *conf;
	const struct tracking *tracking; /* or NULL */
	struct binding *out;
};

static bool server_held(const void *arg, const struct ids_entry *e)
{
	const struct tracking *t = arg;
	const struct tracking_server *s = tracking_server(t, e->id);

	return e->gone > t->round || (s && !tracking_server_idle(s));
}

static bool pool_held(const void *arg, const struct ids_entry *e)
{
	const struct tracking *t = arg;
	const struct tracking_pool *p = tracking_pool(t, e->id);

	return e->gone > t->round || (p && p->records);
}

static void add_fresh(struct binding *b, enum engine_counter_kind kind, uint32_t id)
{
	b->fresh[b->n_fresh++] = (struct fresh_id){ kind, id };
}

static int bind_addresses(const struct binder *b)
{
	const struct conf *c = b->conf;
	bool *fresh = calloc((size_t)c->limits.vips + 1, sizeof *fresh);
	struct names names;
	int err = names_new(&names, c->n_vips + c->n_gateways);

	for (unsigned i = 0; i < c->n_vips && !err; i++)
		names_add(&names, "vips", c->vips[i].name);
	for (unsigned i = 0; i < c->n_gateways && !err; i++)
		names_add(&names, "gateways", c->gateways[i].name);
	if (!fresh)
		err = -ENOMEM;
	if (!err)
		err = ids_bind(&b->st->addresses, names.list, names.n, c->limits.vips, b->st->round,
			NULL, b->out->vips, fresh);
	for (uint32_t i = 0; i < names.n && !err; i++)
		if (fresh[b->out->vips[i]])
			add_fresh(b->out, ENGINE_VIP, b->out->vips[i]);
	names_free(&names);
	free(fresh);
	return err;
}

static int bind_services(const struct binder *b)
{
	const struct conf *c = b->conf;
	bool *fresh = calloc((size_t)c->limits.services + 1, sizeof *fresh);
	struct names names;
	int err = names_new(&names, c->n_services);

	for (unsigned i = 0; i < c->n_services && !err; i++)
		names_add(&names, "", c->services[i].name);
	if (!fresh)
		err = -ENOMEM;
	if (!err)
		err = ids_bind(&b->st->services, names.list, names.n, c->limits.services,
			b->st->round, NULL, b->out->services, fresh);
	for (uint32_t i = 0; i < names.n && !err; i++)
		if (fresh[b->out->services[i]])
			add_fresh(b->out, ENGINE_SERVICE, b->out->services[i]);
	names_free(&names);
	free(fresh);
	return err;
}

static int bind_pools(const struct binder *b)
{
	const struct ids_held held = { pool_held, b->tracking };
	const struct conf *c = b->conf;
	struct names names;
	int err = names_new(&names, c->n_pools);

	for (unsigned i = 0; i < c->n_pools && !err; i++)
		names_add(&names, "", c->pools[i].name);
	if (!err)
		err = ids_bind(&b->st->pools, names.list, names.n, c->limits.pools, b->st->round,
			b->tracking ? &held : NULL, b->out->pools, NULL);
	names_free(&names);
	return err;
}

static int bind_servers(const struct binder *b)
{
	const struct ids_held held = { server_held, b->tracking };
	const struct conf *c = b->conf;
	bool *fresh = calloc((size_t)c->limits.servers + 1, sizeof *fresh);
	struct names names;
	int err = names_new(&names, c->n_servers);

	for (unsigned i = 0; i < c->n_servers && !err; i++)
		names_add(&names, c->pools[c->servers[i].pool].name, c->servers[i].name);
	if (!fresh || state_reserve(b->st, c->limits.servers))
		err = -ENOMEM;
	if (!err)
		err = ids_bind(&b->st->servers, names.list, names.n, c->limits.servers,
			b->st->round, b->tracking ? &held : NULL, b->out->servers, fresh);
	for (uint32_t i = 0; i < names.n && !err; i++) {
		uint32_t id = b->out->servers[i];

		if (!fresh[id])
			continue;
		b->st->server[id] = server_untouched;
		add_fresh(b->out, ENGINE_SERVER, id);
	}
	names_free(&names);
	free(fresh);
	return err;
}

/* Brings what was seen in line with the configuration: nothing is known of a server that is gone or that
 * has another address now; one without a check counts as up. */
static void bind_seen(struct state *st, const struct conf *c, const struct binding *b)
{
	for (uint32_t i = 0; i < st->servers.n; i++)
		if (st->servers.list[i].gone)
			st->server[st->servers.list[i].id].seen = (struct state_seen){ 0 };
	for (unsigned i = 0; i < c->n_servers; i++) {
		const struct conf_server *s = &c->servers[i];
		struct state_seen *seen = &st->server[b->servers[i]].seen;

		if (!addr_equal(&seen->addr, &s->address) || seen->port != s->port)
			seen->state = HEALTH_STARTING;
		seen->addr = s->address;
		seen->port = s->port;
		if (c->pools[s->pool].health < 0)
			seen->state = HEALTH_UP;
	}
}

static int binding_new(struct binding *b, const struct conf *c)
{
	*b = (struct binding){
		.vips = calloc((size_t)c->n_vips + c->n_gateways + 1, sizeof *b->vips),
		.services = calloc((size_t)c->n_services + 1, sizeof *b->services),
		.pools = calloc((size_t)c->n_pools + 1, sizeof *b->pools),
		.servers = calloc((size_t)c->n_servers + 1, sizeof *b->servers),
		.fresh =
			calloc((size_t)c->n_vips + c->n_gateways + c->n_services + c->n_servers + 1,
				sizeof *b->fresh),
	};
	if (!b->vips || !b->services || !b->pools || !b->servers || !b->fresh)
		return -ENOMEM;
	b->gateways = b->vips + c->n_vips; /* one array: they share their numbers */
	return 0;
}

void binding_free(struct binding *b)
{
	free(b->vips);
	free(b->services);
	free(b->pools);
	free(b->servers);
	free(b->fresh);
	*b = (struct binding){ 0 };
}

static int bind_error(int err, const char *limit, struct err *e)
{
	if (err == -ENOSPC)
		return err_set(e, err,
			"there are more objects than limits.%s allows: raise it and restart",
			limit);
	if (err == -EAGAIN)
		return err_set(e, err,
			"all of limits.%s are taken, and open connections still belong to some that "
			"were removed: try again later, or raise it and restart",
			limit);
	return err_set(e, err, "out of memory");
}

int state_bind(struct state *st, const struct conf *c, const struct tracking *t,
	struct binding *out, struct err *e)
{
	static const struct {
		int (*bind)(const struct binder *b);
		const char *limit;
	} kinds[] = {
		{ bind_addresses, "vips" },
		{ bind_services, "services" },
		{ bind_pools, "pools" },
		{ bind_servers, "servers" },
	};
	const struct binder b = { st, c, t, out };
	int err = binding_new(out, c);

	if (err)
		err_set(e, err, "out of memory");
	st->round++;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !err; i++) {
		err = kinds[i].bind(&b);
		if (err)
			bind_error(err, kinds[i].limit, e);
	}
	if (err) {
		binding_free(out);
		return err;
	}
	bind_seen(st, c, out);
	return 0;
}
