/* SPDX-License-Identifier: BSD-2-Clause */
/* Services against their VIP, their pool and each other. */
#include <errno.h>
#include <netinet/in.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/claims.h"
#include "controlplane/conf/diag.h"

static void same_listener(void *arg, const struct conf_claim *first, const struct conf_claim *other)
{
	struct conf_tree *t = arg;
	const struct conf_service *a = &t->conf->services[first->object],
				  *b = &t->conf->services[other->object];

	if (b->protocol == CONF_PROTOCOL_ANY) {
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_object_spot(t, CONF_SERVICE, other->object),
			"service \"%.63s\" takes what is left of vip \"%.63s\" (protocol = \"any\"), "
			"as service \"%.63s\" (line %d) does",
			b->name, t->conf->vips[b->vip].name, a->name, a->line);
		return;
	}
	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_object_spot(t, CONF_SERVICE, other->object),
		"service \"%.63s\" is on the same VIP and port as service \"%.63s\" (line %d): "
		"%s port %u of vip \"%.63s\"",
		b->name, a->name, a->line, conf_protocol_name(b->protocol), other->port,
		t->conf->vips[b->vip].name);
}

/* The ports that a service has by themselves. */
static size_t claim_ports(const struct conf_tree *t, unsigned service, struct conf_claim *list)
{
	const struct conf_service *s = &t->conf->services[service];
	size_t n = 0;

	if (s->protocol == CONF_PROTOCOL_ANY) {
		list[0] = (struct conf_claim){ .scope = s->vip,
			.protocol = s->protocol,
			.kind = CONF_SERVICE,
			.object = service };
		return 1;
	}
	for (uint32_t i = 0; i < s->ports.n; i++)
		if (s->ports.list[i].first == s->ports.list[i].last)
			list[n++] = (struct conf_claim){ .scope = s->vip,
				.port = s->ports.list[i].first,
				.protocol = s->protocol,
				.kind = CONF_SERVICE,
				.object = service };
	return n;
}

static int check_listeners(struct conf_tree *t)
{
	size_t n = 0;
	struct conf_claim *list = conf_memory_take(t->memory, conf_places(t->conf), sizeof *list);

	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < t->conf->n_services; i++)
		if (t->conf->services[i].vip != CONF_NO_REF &&
			!conf_tree_bad(t, CONF_SERVICE, i, "protocol"))
			n += claim_ports(t, i, list + n);
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

	if (!sv->port || !s->port || sv->port == s->port || s->forward == CONF_FORWARD_NAT)
		return;
	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_SERVER, server, "port"),
		"%s has port %u, but service \"%.63s\" (line %d) with forward = \"%s\" cannot "
		"change "
		"port %u; remove the server's port, or use nat",
		conf_tree_name(t, CONF_SERVER, server, name), sv->port, s->name, s->line,
		s->forward == CONF_FORWARD_TUNNEL ? "tunnel" : "dsr", s->port);
}

/* Nothing but a checksum over the whole packet says that SCTP is intact. */
static void check_sctp_port(struct conf_tree *t, const struct conf_service *s, unsigned server)
{
	const struct conf_server *sv = &t->conf->servers[server];
	char name[CONF_LABEL];

	if (s->protocol != IPPROTO_SCTP || s->forward != CONF_FORWARD_NAT || !sv->port ||
		!s->port || sv->port == s->port)
		return;
	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_SERVER, server, "port"),
		"%s has port %u, but service \"%.63s\" (line %d) cannot change port %u of sctp, "
		"whose checksum covers the ports and all data; remove the server's port",
		conf_tree_name(t, CONF_SERVER, server, name), sv->port, s->name, s->line, s->port);
}

/* Of several ports a server has each: a reply does not tell which one the client had asked for. */
static void check_own_port(struct conf_tree *t, const struct conf_service *s, unsigned server)
{
	const struct conf_server *sv = &t->conf->servers[server];
	char name[CONF_LABEL], ports[CONF_PORTS_TEXT];

	if (!sv->port || !s->ports.n || s->port)
		return;
	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_SERVER, server, "port"),
		"%s has port %u, but service \"%.63s\" (line %d) has several ports (%.100s), which "
		"servers get as they are; remove the server's port",
		conf_tree_name(t, CONF_SERVER, server, name), sv->port, s->name, s->line,
		conf_ports_text(&s->ports, ports));
}

static void check_pool(struct conf_tree *t, unsigned service, const struct conf_pool *pool)
{
	const struct conf_service *s = &t->conf->services[service];
	bool sure = conf_tree_sure(t, CONF_SERVICE, service, "forward");

	for (unsigned i = pool->first_server; i < pool->first_server + pool->n_servers; i++) {
		if (s->vip != CONF_NO_REF && sure && s->forward != CONF_FORWARD_TUNNEL)
			check_family(t, s, i);
		if (sure)
			check_kept_port(t, s, i);
		check_own_port(t, s, i);
		check_sctp_port(t, s, i);
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

/* What goes by addresses alone cannot be told apart on its way back; what has no records is UDP. */
static void check_protocol(struct conf_tree *t, unsigned service)
{
	const struct conf_service *s = &t->conf->services[service];

	if (s->protocol == CONF_PROTOCOL_ANY && s->forward == CONF_FORWARD_NAT)
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_spot(t, CONF_SERVICE, service, "forward"),
			"service \"%.63s\" has protocol = \"any\" and forward = \"nat\", but packets "
			"without ports cannot be translated; use dsr or tunnel",
			s->name);
	if (s->track == CONF_TRACK_NONE && s->protocol != IPPROTO_UDP &&
		!conf_tree_bad(t, CONF_SERVICE, service, "protocol"))
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_spot(t, CONF_SERVICE, service, "track"),
			"service \"%.63s\" has track = \"none\", which would cut connections of protocol "
			"\"%s\" at every change of the pool; it is for udp only",
			s->name, conf_protocol_name(s->protocol));
}

int conf_check_services(struct conf_tree *t)
{
	for (unsigned i = 0; i < t->conf->n_services; i++) {
		const struct conf_service *s = &t->conf->services[i];

		if (s->forward == CONF_FORWARD_LOCAL && s->vip != CONF_NO_REF)
			t->conf->vips[s->vip].local = true;
		check_protocol(t, i);
		check_servers(t, i);
	}
	return check_listeners(t);
}
