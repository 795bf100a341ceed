/* SPDX-License-Identifier: BSD-2-Clause */
/* Health checks by themselves, and against the pools that they watch. */
#include <errno.h>
#include <netinet/in.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"
#include "controlplane/conf/units.h"

static void check_timeout(struct conf_tree *t, unsigned health)
{
	const struct conf_health *h = &t->conf->healths[health];
	char timeout[CONF_DURATION_TEXT], interval[CONF_DURATION_TEXT];
	bool given = conf_tree_setting(t, CONF_HEALTH, health, "timeout");

	if (h->timeout_ms <= h->interval_ms || conf_tree_bad(t, CONF_HEALTH, health, "timeout") ||
		conf_tree_bad(t, CONF_HEALTH, health, "interval"))
		return;
	conf_duration_text(h->timeout_ms, timeout);
	conf_duration_text(h->interval_ms, interval);
	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_spot(t, CONF_HEALTH, health, given ? "timeout" : "interval"),
		"the timeout of health \"%.63s\" is %s%s, longer than its interval of %s; write "
		"for "
		"instance: timeout = \"%s\";",
		h->name, timeout, given ? "" : " by default", interval, interval);
}

/* What the services of a pool mean for a check that has no port of its own. */
struct use {
	const struct conf_service *tcp; /* the first */
	const struct conf_service *other_protocol;
	const struct conf_service *other; /* a further tcp service, on another port */
	const struct conf_service *many;  /* the first with several ports */
};

static void add_use(struct use *u, const struct conf_service *s)
{
	if (!s->port && (s->ports.n || s->protocol == CONF_PROTOCOL_ANY))
		u->many = u->many ? u->many : s;
	else if (s->protocol != IPPROTO_TCP)
		u->other_protocol = u->other_protocol ? u->other_protocol : s;
	else if (!u->tcp)
		u->tcp = s;
	else if (!u->other && s->port != u->tcp->port)
		u->other = s;
}

/* By pool; NULL: out of memory. */
static struct use *find_uses(const struct conf_tree *t)
{
	const struct conf *c = t->conf;
	struct use *uses = conf_memory_take(t->memory, c->n_pools, sizeof *uses);

	for (unsigned i = 0; uses && i < c->n_services; i++) {
		const struct conf_service *s = &c->services[i];

		for (int p = s->pool == CONF_NO_REF ? -1 : (int)s->pool; p >= 0;
			p = conf_pool_fallback(c, (unsigned)p))
			add_use(&uses[p], s);
	}
	return uses;
}

static bool lacks_port(const struct conf *c, const struct conf_pool *pool)
{
	for (unsigned i = pool->first_server; i < pool->first_server + pool->n_servers; i++)
		if (!c->servers[i].port)
			return true;
	return false;
}

/* A check without a port goes to the server's port, or the service's, which must then be one where tcp is
 * answered, and only one. */
static void check_port(struct conf_tree *t, unsigned pool, struct use u)
{
	const struct conf_pool *p = &t->conf->pools[pool];
	const struct conf_health *h = &t->conf->healths[p->health];

	if (u.many && !u.tcp && !u.other_protocol && lacks_port(t->conf, p))
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_spot(t, CONF_POOL, pool, "health"),
			"health \"%.63s\" (line %d) has no \"port\", and service \"%.63s\" (line %d) of "
			"pool \"%.63s\" has not one alone: give the health the port that is to be checked",
			h->name, h->line, u.many->name, u.many->line, p->name);
	else if (u.other_protocol && !u.tcp)
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_spot(t, CONF_POOL, pool, "health"),
			"health \"%.63s\" (line %d) checks pool \"%.63s\", which serves %s only "
			"(service "
			"\"%.63s\", line %d), over tcp: give it the \"port\" of something that "
			"answers "
			"tcp on the servers",
			h->name, h->line, p->name, conf_protocol_name(u.other_protocol->protocol),
			u.other_protocol->name, u.other_protocol->line);
	else if (u.tcp && u.other && lacks_port(t->conf, p))
		diags_add(t->diags, DIAG_WARNING, t->text,
			conf_tree_spot(t, CONF_POOL, pool, "health"),
			"pool \"%.63s\" serves port %u (service \"%.63s\", line %d) and port %u "
			"(service "
			"\"%.63s\", line %d), but health \"%.63s\" (line %d) has no \"port\": only "
			"port %u "
			"is checked",
			p->name, u.tcp->port, u.tcp->name, u.tcp->line, u.other->port,
			u.other->name, u.other->line, h->name, h->line, u.tcp->port);
}

int conf_check_health(struct conf_tree *t)
{
	const struct conf *c = t->conf;
	const struct use *uses = find_uses(t);

	if (!uses)
		return -ENOMEM;
	for (unsigned i = 0; i < c->n_healths; i++)
		check_timeout(t, i);
	for (unsigned i = 0; i < c->n_pools; i++)
		if (c->pools[i].health >= 0 &&
			!conf_tree_setting(t, CONF_HEALTH, (unsigned)c->pools[i].health, "port"))
			check_port(t, i, uses[i]);
	return 0;
}
