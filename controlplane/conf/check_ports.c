/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports and ranges of them: every service has some, and what is found by a range is one thing. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"

/* A port or range of a service; of a server's replies, where there is one. */
struct span {
	struct addr server; /* af 0: what clients send to the VIP */
	unsigned vip, at;   /* at: of the server */
	unsigned service;
	uint8_t protocol;
	struct conf_range range;
};

struct spans {
	struct conf_tree *tree;
	struct span *list;
	size_t n;
	bool *told; /* by service */
};

static bool is_range(struct conf_range r)
{
	return r.first != r.last;
}

size_t conf_places(const struct conf *c)
{
	size_t n = 0;

	for (unsigned i = 0; i < c->n_services; i++)
		n += c->services[i].ports.n ? c->services[i].ports.n : 1;
	return n;
}

static void check_given(struct conf_tree *t, unsigned service)
{
	const struct conf_service *s = &t->conf->services[service];
	bool port = conf_tree_setting(t, CONF_SERVICE, service, "port"),
	     ports = conf_tree_setting(t, CONF_SERVICE, service, "ports");

	if (s->protocol == CONF_PROTOCOL_ANY && (port || ports))
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_spot(t, CONF_SERVICE, service, port ? "port" : "ports"),
			"service \"%.63s\" has protocol = \"any\", which takes packets to any port and of "
			"protocols without; remove \"%s\"",
			s->name, port ? "port" : "ports");
	else if (s->protocol == CONF_PROTOCOL_ANY)
		return;
	else if (port && ports)
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_spot(t, CONF_SERVICE, service, "ports"),
			"service \"%.63s\" has both \"port\" and \"ports\"; write all of them in "
			"\"ports\"",
			s->name);
	else if (!port && !ports)
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_object_spot(t, CONF_SERVICE, service),
			"service \"%.63s\" has no \"port\"; write for instance: port = 80; or "
			"ports = \"80,443,8000-8999\";",
			s->name);
}

static int compare_numbers(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

/* By whose ports they are. */
static int compare_owners(const struct span *a, const struct span *b)
{
	int order = addr_compare(&a->server, &b->server);

	if (!order && !a->server.af)
		order = compare_numbers(a->vip, b->vip);
	return order ? order : compare_numbers(a->protocol, b->protocol);
}

/* A range comes before a port that it begins with. */
static int compare(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;
	int order = compare_owners(a, b);

	if (!order)
		order = compare_numbers(a->range.first, b->range.first);
	if (!order)
		order = compare_numbers(b->range.last, a->range.last);
	return order ? order : compare_numbers(a->service, b->service);
}

static const char *span_text(const struct span *s, char buf[32])
{
	const struct conf_ports one = { (struct conf_range *)&s->range, 1 };
	char text[CONF_PORTS_TEXT];

	snprintf(buf, 32, "%s %.11s", conf_protocol_name(s->protocol), conf_ports_text(&one, text));
	return buf;
}

static void tell_overlap(const struct spans *s, const struct span *a, const struct span *b)
{
	const struct conf *c = s->tree->conf;
	char a_text[32], b_text[32];

	diags_add(s->tree->diags, DIAG_ERROR, s->tree->text,
		conf_tree_spot(s->tree, CONF_SERVICE, b->service, "ports"),
		"service \"%.63s\" (%s) and service \"%.63s\" (line %d, %s) have ports of vip "
		"\"%.63s\" in common; only a port by itself may lie in another service's range",
		c->services[b->service].name, span_text(b, b_text), c->services[a->service].name,
		c->services[a->service].line, span_text(a, a_text), c->vips[b->vip].name);
}

static void tell_ambiguous(const struct spans *s, const struct span *a, const struct span *b)
{
	const struct conf *c = s->tree->conf;
	char a_text[32], b_text[32], name[CONF_LABEL];

	if (s->told[b->service])
		return;
	s->told[b->service] = true;
	diags_add(s->tree->diags, DIAG_ERROR, s->tree->text,
		conf_tree_object_spot(s->tree, CONF_SERVICE, b->service),
		"service \"%.63s\" (%s) and service \"%.63s\" (line %d, %s) both translate (forward "
		"= \"nat\") to %s (line %d): replies from the ports that they have in common could "
		"not be told apart",
		c->services[b->service].name, span_text(b, b_text), c->services[a->service].name,
		c->services[a->service].line, span_text(a, a_text),
		conf_tree_name(s->tree, CONF_SERVER, b->at, name), c->servers[b->at].line);
}

/* A port that is another service's by itself takes no reply from a range of the same VIP, if it is the server's too. */
static bool is_told_apart(const struct conf *c, const struct span *range, const struct span *port)
{
	const struct conf_server *s = &c->servers[port->at];

	return !is_range(port->range) && port->vip == range->vip &&
	       (!s->port || s->port == c->services[port->service].port);
}

/* Of sorted spans those that lie in a range before them. */
static void check_overlaps(struct spans *s,
	void (*tell)(const struct spans *s, const struct span *a, const struct span *b))
{
	const struct span *range = NULL;

	qsort(s->list, s->n, sizeof *s->list, compare);
	for (size_t i = 0; i < s->n; i++) {
		const struct span *next = &s->list[i];
		bool inside = range && !compare_owners(range, next) &&
			      next->range.first <= range->range.last;

		if (inside && !is_told_apart(s->tree->conf, range, next))
			tell(s, range, next);
		if (is_range(next->range) && !(inside && next->range.last <= range->range.last))
			range = next;
	}
}

static void add_spans(
	struct spans *s, unsigned service, struct addr server, unsigned at, bool ports)
{
	const struct conf_service *sv = &s->tree->conf->services[service];

	for (uint32_t i = 0; i < sv->ports.n; i++) {
		struct span *to = &s->list[s->n];

		if (!ports && !is_range(sv->ports.list[i]))
			continue;
		*to = (struct span){ server, sv->vip, at, service, sv->protocol,
			sv->ports.list[i] };
		if (at != CONF_NO_REF && s->tree->conf->servers[at].port)
			to->range.first = to->range.last = s->tree->conf->servers[at].port;
		s->n++;
	}
}

/* What clients send: ranges of one VIP. */
static int check_vips(struct conf_tree *t)
{
	struct spans s = { .tree = t };
	unsigned *ranges = conf_memory_take(t->memory, t->conf->n_vips, sizeof *ranges);

	s.list = conf_memory_take(t->memory, conf_places(t->conf), sizeof *s.list);
	if (!s.list || !ranges)
		return -ENOMEM;
	for (unsigned i = 0; i < t->conf->n_services; i++) {
		size_t before = s.n;

		if (t->conf->services[i].vip == CONF_NO_REF ||
			conf_tree_bad(t, CONF_SERVICE, i, "protocol"))
			continue;
		add_spans(&s, i, (struct addr){ 0 }, CONF_NO_REF, false);
		ranges[t->conf->services[i].vip] += (unsigned)(s.n - before);
	}
	check_overlaps(&s, tell_overlap);
	for (unsigned i = 0; i < t->conf->n_vips; i++)
		if (ranges[i] > CONF_RANGES_MAX)
			diags_add(t->diags, DIAG_ERROR, t->text,
				conf_tree_object_spot(t, CONF_VIP, i),
				"the services of vip \"%.63s\" have %u ranges of ports together; a VIP can "
				"have %d at most",
				t->conf->vips[i].name, ranges[i], CONF_RANGES_MAX);
	return 0;
}

static bool is_nat(const struct conf_tree *t, unsigned service)
{
	const struct conf_service *s = &t->conf->services[service];

	return s->forward == CONF_FORWARD_NAT && s->pool != CONF_NO_REF &&
	       !conf_tree_bad(t, CONF_SERVICE, service, "protocol");
}

static void add_pool(struct spans *s, unsigned service, const struct conf_pool *pool)
{
	const struct conf *c = s->tree->conf;

	for (unsigned i = pool->first_server; i < pool->first_server + pool->n_servers; i++)
		if (c->servers[i].address.af && !conf_tree_bad(s->tree, CONF_SERVER, i, "port"))
			add_spans(s, service, c->servers[i].address, i, true);
}

/* Of how many ranges replies of each server come. */
static void check_reply_ranges(const struct spans *s)
{
	size_t first = 0;
	unsigned n = 0;
	char name[CONF_LABEL];

	for (size_t i = 0; i < s->n; i++) {
		if (addr_compare(&s->list[first].server, &s->list[i].server)) {
			first = i;
			n = 0;
		}
		n += is_range(s->list[i].range);
		if (n != CONF_RANGES_MAX + 1)
			continue;
		diags_add(s->tree->diags, DIAG_ERROR, s->tree->text,
			conf_tree_object_spot(s->tree, CONF_SERVER, s->list[i].at),
			"%s has more than %d ranges of ports of all nat services that translate to it",
			conf_tree_name(s->tree, CONF_SERVER, s->list[i].at, name), CONF_RANGES_MAX);
		n++;
	}
}

/* What servers of nat services send. */
static int check_replies(struct conf_tree *t)
{
	const struct conf *c = t->conf;
	uint64_t most = conf_nat_replies(c);
	struct spans s = { .tree = t };
	bool any = false;

	for (unsigned i = 0; i < c->n_services; i++)
		for (uint32_t k = 0; is_nat(t, i) && k < c->services[i].ports.n; k++)
			any |= is_range(c->services[i].ports.list[k]);
	if (!any || most > CONF_REPLIES_MAX)
		return 0;
	s.list = conf_memory_take(t->memory, (size_t)most, sizeof *s.list);
	s.told = conf_memory_take(t->memory, c->n_services, sizeof *s.told);
	if (!s.list || !s.told)
		return -ENOMEM;
	for (unsigned i = 0; i < c->n_services; i++)
		for (int p = is_nat(t, i) ? (int)c->services[i].pool : -1; p >= 0;
			p = conf_pool_fallback(c, (unsigned)p))
			add_pool(&s, i, &c->pools[p]);
	check_overlaps(&s, tell_ambiguous);
	check_reply_ranges(&s);
	return 0;
}

int conf_check_ports(struct conf_tree *t)
{
	int rc;

	for (unsigned i = 0; i < t->conf->n_services; i++)
		check_given(t, i);
	rc = check_vips(t);
	return rc ? rc : check_replies(t);
}
