/* SPDX-License-Identifier: BSD-2-Clause */
/* nat translates replies back without a record of the flow, by the server's address, port and protocol
 * alone: so each may serve one service only, and replies have to pass this machine. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/claims.h"
#include "controlplane/conf/diag.h"

static bool is_nat(const struct conf *c, unsigned service)
{
	/* dsr is 0, what the field also holds when "forward" is missing or bad. */
	return c->services[service].forward == CONF_FORWARD_NAT;
}

uint64_t conf_nat_replies(const struct conf *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < c->n_services; i++)
		if (is_nat(c, i) && c->services[i].pool != CONF_NO_REF)
			n += (uint64_t)conf_pool_servers(c, c->services[i].pool) *
			     c->services[i].ports.n;
	return n;
}

/* The clashes of one service with services before it: the first is told, the others are counted. */
struct clashes {
	struct conf_claim first, other;
	unsigned n;
};

static void count_clash(void *arg, const struct conf_claim *first, const struct conf_claim *other)
{
	struct clashes *c = &((struct clashes *)arg)[other->service];

	if (!c->n++)
		*c = (struct clashes){ .first = *first, .other = *other, .n = 1 };
}

static const char *reply_text(const struct conf_claim *c, char buf[ADDR_TEXT + 16])
{
	char text[ADDR_TEXT];

	snprintf(buf, ADDR_TEXT + 16, "%s %s port %u", addr_text(&c->address, text),
		conf_protocol_name(c->protocol), c->port);
	return buf;
}

/* Two servers of one pool come to the same port, one of them by the service's. */
static void tell_same_server(struct conf_tree *t, const struct clashes *c)
{
	const struct conf_service *s = &t->conf->services[c->other.service];
	char reply[ADDR_TEXT + 16], one[CONF_LABEL], two[CONF_LABEL];

	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_object_spot(t, CONF_SERVER, c->other.object),
		"%s is the same as %s (line %d) to service \"%.63s\" (line %d): %s",
		conf_tree_name(t, CONF_SERVER, c->other.object, two),
		conf_tree_name(t, CONF_SERVER, c->first.object, one),
		t->conf->servers[c->first.object].line, s->name, s->line,
		reply_text(&c->other, reply));
}

static void tell_clashes(struct conf_tree *t, const struct clashes *c)
{
	const struct conf_service *a = &t->conf->services[c->first.service],
				  *b = &t->conf->services[c->other.service];
	char reply[ADDR_TEXT + 16], name[CONF_LABEL], more[32] = "";

	if (a == b) {
		tell_same_server(t, c);
		return;
	}
	if (c->n > 1)
		snprintf(more, sizeof more, " and %u more", c->n - 1);
	diags_add(t->diags, DIAG_ERROR, t->text,
		conf_tree_object_spot(t, CONF_SERVICE, c->other.service),
		"service \"%.63s\" and service \"%.63s\" (line %d) both translate (forward = "
		"\"nat\") to %s "
		"(%s, line %d)%s: replies could not be told apart; let servers listen on a port "
		"for each "
		"service, or use dsr",
		b->name, a->name, a->line, reply_text(&c->other, reply),
		conf_tree_name(t, CONF_SERVER, c->other.object, name),
		t->conf->servers[c->other.object].line, more);
}

static size_t claim_pool(const struct conf_tree *t, unsigned service, const struct conf_pool *pool,
	struct conf_claim *list, size_t n)
{
	const struct conf_service *s = &t->conf->services[service];

	for (unsigned i = pool->first_server; i < pool->first_server + pool->n_servers; i++) {
		const struct conf_server *sv = &t->conf->servers[i];

		if (!sv->address.af || conf_tree_bad(t, CONF_SERVER, i, "port") ||
			(sv->port && !s->port)) /* which is told of elsewhere */
			continue;
		for (uint32_t k = 0; k < s->ports.n; k++)
			if (s->ports.list[k].first == s->ports.list[k].last)
				list[n++] = (struct conf_claim){ .address = sv->address,
					.port = sv->port ? sv->port : s->ports.list[k].first,
					.protocol = s->protocol,
					.kind = CONF_SERVER,
					.object = i,
					.service = service };
	}
	return n;
}

/* Adds what replies of a service's servers look like. */
static size_t claim_replies(
	const struct conf_tree *t, unsigned service, struct conf_claim *list, size_t n)
{
	const struct conf *c = t->conf;

	for (int p = (int)c->services[service].pool; p >= 0; p = conf_pool_fallback(c, (unsigned)p))
		n = claim_pool(t, service, &c->pools[p], list, n);
	return n;
}

static int check_replies(struct conf_tree *t)
{
	uint64_t most = conf_nat_replies(t->conf);
	struct clashes *clashes;
	struct conf_claim *list;
	size_t n = 0;

	if (most > CONF_REPLIES_MAX)
		return 0;
	list = conf_memory_take(t->memory, (size_t)most, sizeof *list);
	clashes = conf_memory_take(t->memory, t->conf->n_services, sizeof *clashes);
	if (!list || !clashes)
		return -ENOMEM;
	for (unsigned i = 0; i < t->conf->n_services; i++)
		if (is_nat(t->conf, i) && t->conf->services[i].pool != CONF_NO_REF &&
			!conf_tree_bad(t, CONF_SERVICE, i, "protocol"))
			n = claim_replies(t, i, list, n);
	conf_claims_clashes(t, list, n, count_clash, clashes);
	for (unsigned i = 0; i < t->conf->n_services; i++)
		if (clashes[i].n)
			tell_clashes(t, &clashes[i]);
	return 0;
}

/* A gateway of the VIP's family on the VIP's own interface, or NULL: then clients may well sit next to
 * the servers. */
static const struct conf_gateway *gateway_beside(const struct conf *c, const struct conf_service *s)
{
	const struct conf_vip *vip;

	if (s->vip == CONF_NO_REF)
		return NULL;
	vip = &c->vips[s->vip];
	for (unsigned i = 0; vip->interface != CONF_NO_REF && i < c->n_gateways; i++)
		if (c->gateways[i].interface == vip->interface &&
			c->gateways[i].address.af == vip->address.af)
			return &c->gateways[i];
	return NULL;
}

/* Says for which clients nat cannot work. The file does not know subnets, so it names addresses. */
static void note_own_subnet(struct conf_tree *t, unsigned service)
{
	const struct conf_service *s = &t->conf->services[service];
	const struct conf_pool *pool = &t->conf->pools[s->pool];
	const struct conf_gateway *beside = gateway_beside(t->conf, s);
	char text[ADDR_TEXT], more[32] = "", where[256] = "";

	if (!pool->n_servers || !t->conf->servers[pool->first_server].address.af)
		return;
	if (pool->n_servers > 1)
		snprintf(more, sizeof more, " and %u more", pool->n_servers - 1);
	if (beside)
		snprintf(where, sizeof where,
			"; its VIP is on the interface of gateway \"%.63s\" (line %d), where such "
			"clients are likely",
			beside->name, beside->line);
	diags_add(t->diags, beside ? DIAG_WARNING : DIAG_NOTE, t->text,
		conf_tree_spot(t, CONF_SERVICE, service, "forward"),
		"clients in the servers' own subnet (%s%s) cannot use service \"%.63s\" "
		"(forward = \"nat\"): replies to them do not come back through this machine; use "
		"dsr for "
		"them%s",
		addr_text(&t->conf->servers[pool->first_server].address, text), more, s->name,
		where);
}

static bool has_gateway(const struct conf *c, uint8_t af)
{
	for (unsigned i = 0; i < c->n_gateways; i++)
		if (c->gateways[i].address.af == af || !c->gateways[i].address.af)
			return true;
	return false;
}

static void warn_no_gateway(struct conf_tree *t, unsigned service, uint8_t af)
{
	diags_add(t->diags, DIAG_WARNING, t->text,
		conf_tree_spot(t, CONF_SERVICE, service, "forward"),
		"service \"%.63s\" has forward = \"nat\", but there is no IPv%u gateway: replies "
		"come back "
		"only if this machine is a router for its servers by other means; write for "
		"instance "
		"gateways: { back: { address = \"%s\"; interface = \"back\"; }; };",
		t->conf->services[service].name, af, af == 4 ? "198.51.100.1" : "2001:db8::1");
}

int conf_check_nat(struct conf_tree *t)
{
	const struct conf *c = t->conf;
	bool warned[7] = { false }; /* by family, 4 or 6 */

	for (unsigned i = 0; i < c->n_services; i++) {
		uint8_t af = c->services[i].vip == CONF_NO_REF
				     ? 0
				     : c->vips[c->services[i].vip].address.af;
		if (!is_nat(c, i) || c->services[i].pool == CONF_NO_REF)
			continue;
		note_own_subnet(t, i);
		if (!af || warned[af] || has_gateway(c, af))
			continue;
		warned[af] = true;
		warn_no_gateway(t, i, af);
	}
	return check_replies(t);
}
