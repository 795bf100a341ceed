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
	copy->generation = st->generation;
	copy->round = st->round;
	if (ids_copy(&copy->addresses, &st->addresses) ||
		ids_copy(&copy->services, &st->services) ||
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

static int bind_addresses(struct state *st, const struct conf *c, struct binding *out)
{
	struct names names;
	int err = names_new(&names, c->n_vips + c->n_gateways);

	if (!err) {
		for (unsigned i = 0; i < c->n_vips; i++)
			names_add(&names, "vips", c->vips[i].name);
		for (unsigned i = 0; i < c->n_gateways; i++)
			names_add(&names, "gateways", c->gateways[i].name);
		err = ids_bind(&st->addresses, names.list, names.n, c->limits.vips, st->round,
			out->vips, NULL);
	}
	names_free(&names);
	return err;
}

static int bind_services(struct state *st, const struct conf *c, struct binding *out)
{
	struct names names;
	int err = names_new(&names, c->n_services);

	if (!err) {
		for (unsigned i = 0; i < c->n_services; i++)
			names_add(&names, "", c->services[i].name);
		err = ids_bind(&st->services, names.list, names.n, c->limits.services, st->round,
			out->services, NULL);
	}
	names_free(&names);
	return err;
}

static int bind_servers(struct state *st, const struct conf *c, struct binding *out)
{
	bool *fresh = calloc((size_t)c->limits.servers + 1, sizeof *fresh);
	struct names names;
	int err = names_new(&names, c->n_servers);

	if (!err && fresh) {
		for (unsigned i = 0; i < c->n_servers; i++)
			names_add(&names, c->pools[c->servers[i].pool].name, c->servers[i].name);
		err = ids_bind(&st->servers, names.list, names.n, c->limits.servers, st->round,
			out->servers, fresh);
	}
	if (!fresh || (!err && state_reserve(st, c->limits.servers)))
		err = -ENOMEM;
	for (uint32_t id = 1; !err && id <= c->limits.servers; id++)
		if (fresh[id])
			st->server[id] = server_untouched;
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
		.servers = calloc((size_t)c->n_servers + 1, sizeof *b->servers),
	};
	if (!b->vips || !b->services || !b->servers)
		return -ENOMEM;
	b->gateways = b->vips + c->n_vips; /* one array: they share their numbers */
	return 0;
}

void binding_free(struct binding *b)
{
	free(b->vips);
	free(b->services);
	free(b->servers);
	*b = (struct binding){ 0 };
}

int state_bind(struct state *st, const struct conf *c, struct binding *out, struct err *e)
{
	static const char *const limits[] = { "vips", "services", "servers" };
	int (*const binders[])(struct state *, const struct conf *, struct binding *) = {
		bind_addresses,
		bind_services,
		bind_servers,
	};
	int err = binding_new(out, c);

	st->round++;
	for (size_t i = 0; i < sizeof binders / sizeof *binders && !err; i++) {
		err = binders[i](st, c, out);
		if (err == -ENOSPC)
			err_set(e, err,
				"there are more objects than limits.%s allows: raise it and "
				"restart",
				limits[i]);
	}
	if (err) {
		binding_free(out);
		return err == -ENOSPC ? err : err_set(e, err, "out of memory");
	}
	bind_seen(st, c, out);
	return 0;
}
