/* SPDX-License-Identifier: BSD-2-Clause */
/* Services against their VIP, their pool and each other. */
#include <errno.h>
#include <netinet/in.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/claims.h"
#include "controlplane/conf/diag.h"

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

static void same_listener(void *arg, const struct conf_claim *first, const struct conf_claim *other)
{
	struct conf_tree *t = arg;
	const struct conf_service *a = &t->conf->services[first->object],
				  *b = &t->conf->services[other->object];

	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_object_spot(t, CONF_SERVICE, other->object),
		"service \"%.63s\" is on the same VIP and port as service \"%.63s\" (line %d): "
		"%s port %u of vip \"%.63s\"",
		b->name, a->name, a->line, protocol_name(b->protocol), b->port,
		t->conf->vips[b->vip].name);
}

static int check_listeners(struct conf_tree *t)
{
	size_t n = 0;
	struct conf_claim *list = conf_memory_take(t->memory, t->conf->n_services, sizeof *list);

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < t->conf->n_services; i++) {
		const struct conf_service *s = &t->conf->services[i];
		if (s->vip != CONF_NO_REF && s->port &&
			!conf_tree_bad(t, CONF_SERVICE, i, "protocol"))
			list[n++] = (struct conf_claim){ .scope = s->vip,
				.port = s->port,
				.protocol = s->protocol,
				.kind = CONF_SERVICE,
				.object = i };
	}
	conf_claims_clashes(t, list, n, same_listener, t);
	return 0;
}

/* How a service comes to a server. */
static const char *use_text(
	const struct conf_tree *t, const struct conf_service *s, unsigned server)
{
	return t->conf->servers[server].pool == s->pool ? "uses it" : "falls back on it";
}

static void check_family(struct conf_tree *t, const struct conf_service *s, unsigned server)
{
	const struct addr *a = &t->conf->servers[server].address,
			  *vip = &t->conf->vips[s->vip].address;
	char name[CONF_LABEL], a_text[ADDR_TEXT], vip_text[ADDR_TEXT];

	if (!a->af || !vip->af || a->af == vip->af)
		return;
	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_SERVER, server, "address"),
		"%s is IPv%u (%s), but service \"%.63s\" (line %d), which %s, is IPv%u (%s): only "
		"forward = \"tunnel\" goes from one to the other",
		conf_tree_name(t, CONF_SERVER, server, name), a->af, addr_text(a, a_text), s->name,
		s->line, use_text(t, s, server), vip->af, addr_text(vip, vip_text));
}

/* dsr and tunnels leave the port alone: a server that listens on another never sees the packets. */
static void check_kept_port(struct conf_tree *t, const struct conf_service *s, unsigned server)
{
	const struct conf_server *sv = &t->conf->servers[server];
	char name[CONF_LABEL];

	if (!sv->port || !s->port || sv->port == s->port)
		return;
	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_SERVER, server, "port"),
		"%s has port %u, but service \"%.63s\" (line %d) with forward = \"%s\" cannot "
		"change "
		"port %u; remove the server's port, or use nat",
		conf_tree_name(t, CONF_SERVER, server, name), sv->port, s->name, s->line,
		s->forward == CONF_FORWARD_TUNNEL ? "tunnel" : "dsr", s->port);
}

static void check_pool(struct conf_tree *t, unsigned service, const struct conf_pool *pool)
{
	const struct conf_service *s = &t->conf->services[service];
	bool sure = conf_tree_sure(t, CONF_SERVICE, service, "forward"),
	     kept = sure && s->forward != CONF_FORWARD_NAT;

	for (unsigned i = pool->first_server; i < pool->first_server + pool->n_servers; i++) {
		if (s->vip != CONF_NO_REF && sure && s->forward != CONF_FORWARD_TUNNEL)
			check_family(t, s, i);
		if (kept)
			check_kept_port(t, s, i);
	}
}

static void check_servers(struct conf_tree *t, unsigned service)
{
	const struct conf *c = t->conf;

	if (c->services[service].pool == CONF_NO_REF)
		return;
	for (int p = (int)c->services[service].pool; p >= 0; p = conf_pool_fallback(c, (unsigned)p))
		check_pool(t, service, &c->pools[p]);
}

int conf_check_services(struct conf_tree *t)
{
	for (unsigned i = 0; i < t->conf->n_services; i++) {
		const struct conf_service *s = &t->conf->services[i];

		if (s->forward == CONF_FORWARD_LOCAL && s->vip != CONF_NO_REF)
			t->conf->vips[s->vip].local = true;
		check_servers(t, i);
	}
	return check_listeners(t);
}
