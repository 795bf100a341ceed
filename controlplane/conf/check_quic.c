/* SPDX-License-Identifier: BSD-2-Clause */
/* Server ids in QUIC connection ids: as long as their services say, and of one server in a pool. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"

static void check_service(struct conf_tree *t, unsigned service)
{
	const struct conf_service *s = &t->conf->services[service];

	if (!conf_tree_bad(t, CONF_SERVICE, service, "protocol") && s->protocol != IPPROTO_UDP)
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_spot(t, CONF_SERVICE, service, "quic_id_bytes"),
			"service \"%.63s\" has \"quic_id_bytes\", but QUIC is udp and not %s; write protocol = "
			"\"udp\";",
			s->name, conf_protocol_name(s->protocol));
	if (s->track == CONF_TRACK_NONE)
		diags_add(t->diags, DIAG_ERROR, t->text,
			conf_tree_spot(t, CONF_SERVICE, service, "track"),
			"service \"%.63s\" has \"quic_id_bytes\" and track = \"none\", with which connections "
			"would change servers before these have given them an id",
			s->name);
}

static void check_length(struct conf_tree *t, const struct conf_service *s, unsigned server)
{
	const struct conf_server *sv = &t->conf->servers[server];
	char name[CONF_LABEL];

	if (!sv->quic_id.n || sv->quic_id.n == s->quic_id_bytes)
		return;
	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_SERVER, server, "quic_id"),
		"%s has a \"quic_id\" of %u bytes, but service \"%.63s\" (line %d) has quic_id_bytes = %u",
		conf_tree_name(t, CONF_SERVER, server, name), sv->quic_id.n, s->name, s->line,
		s->quic_id_bytes);
}

static int compare(const void *pa, const void *pb, void *servers)
{
	const struct conf_server *list = servers;
	unsigned a = *(const unsigned *)pa, b = *(const unsigned *)pb;
	int order = memcmp(&list[a].quic_id, &list[b].quic_id, sizeof list[a].quic_id);

	return order ? order : (a > b) - (a < b);
}

static void tell_same(
	struct conf_tree *t, const struct conf_service *s, unsigned first, unsigned other)
{
	char one[CONF_LABEL], two[CONF_LABEL];

	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_SERVER, other, "quic_id"),
		"%s has the \"quic_id\" of %s (line %d): service \"%.63s\" (line %d) could not tell "
		"them apart",
		conf_tree_name(t, CONF_SERVER, other, two),
		conf_tree_name(t, CONF_SERVER, first, one), t->conf->servers[first].line, s->name,
		s->line);
}

/* The servers of a service, those that its pool falls back on included, have ids of their own. */
static int check_servers(struct conf_tree *t, const struct conf_service *s)
{
	const struct conf *c = t->conf;
	unsigned n = 0;
	unsigned *list =
		conf_memory_take(t->memory, conf_pool_servers(c, s->pool) + 1u, sizeof *list);

	if (!list)
		return -ENOMEM;
	for (int p = (int)s->pool; p >= 0; p = conf_pool_fallback(c, (unsigned)p))
		for (unsigned i = 0; i < c->pools[p].n_servers; i++) {
			list[n] = c->pools[p].first_server + i;
			check_length(t, s, list[n]);
			n += c->servers[list[n]].quic_id.n > 0;
		}
	qsort_r(list, n, sizeof *list, compare, c->servers);
	for (unsigned i = 1; i < n; i++)
		if (!memcmp(&c->servers[list[i]].quic_id, &c->servers[list[i - 1]].quic_id,
			    sizeof c->servers->quic_id))
			tell_same(t, s, list[i - 1], list[i]);
	return 0;
}

int conf_check_quic(struct conf_tree *t)
{
	int rc = 0;

	for (unsigned i = 0; i < t->conf->n_services && !rc; i++) {
		if (!t->conf->services[i].quic_id_bytes)
			continue;
		check_service(t, i);
		if (t->conf->services[i].pool != CONF_NO_REF)
			rc = check_servers(t, &t->conf->services[i]);
	}
	return rc;
}
