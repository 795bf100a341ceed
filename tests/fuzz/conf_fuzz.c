/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration reader under any bytes: no fault, and a result that goes with what it says. */
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/conf.h"
#include "controlplane/conf/file.h"
#include "controlplane/conf/scan.h"
#include "controlplane/conf/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int holds)
{
	if (!holds)
		abort();
}

static int is_utf8(const char *text)
{
	const char *end = text + strlen(text);

	for (size_t n; text < end; text += n) {
		n = conf_utf8(text, end);
		if (!n)
			return 0;
	}
	return 1;
}

/* Messages end up on terminals and in JSON; libconfig and our own scanner must agree. */
static void check_diags(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *one = &d->list[i];
		insist(one->message && *one->message && is_utf8(one->message));
		insist(strncmp(one->message, CONF_DISAGREEMENT, strlen(CONF_DISAGREEMENT)) != 0);
		insist(one->line >= 0 && one->column >= 0 && (one->line || !one->column));
		insist(!one->source || is_utf8(one->source));
		insist(!one->source || one->column <= (int)strlen(one->source) + 1);
		insist(!i || d->list[i - 1].line <= one->line || d->n_hidden);
	}
}

/* Every index leads somewhere. */
static void check_references(const struct conf *c)
{
	for (unsigned i = 0; i < c->n_vips; i++)
		insist(c->vips[i].address.af && c->vips[i].interface < c->n_interfaces);
	for (unsigned i = 0; i < c->n_gateways; i++)
		insist(c->gateways[i].address.af && c->gateways[i].interface < c->n_interfaces);
	for (unsigned i = 0; i < c->n_services; i++)
		insist(c->services[i].vip < c->n_vips && c->services[i].pool < c->n_pools &&
			c->services[i].port);
	for (unsigned i = 0; i < c->n_pools; i++)
		insist(c->pools[i].health < (int)c->n_healths &&
			c->pools[i].first_server + c->pools[i].n_servers <= c->n_servers);
	for (unsigned i = 0; i < c->n_servers; i++)
		insist(c->servers[i].address.af && c->servers[i].pool < c->n_pools);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c = NULL;
	struct diags d;
	int rc = conf_parse_bytes((const char *)data, size, "fuzz", &c, &d);

	insist(!rc == !d.n_errors && !rc == !!c);
	check_diags(&d);
	if (c)
		check_references(c);
	conf_free(c);
	diags_free(&d);
	return 0;
}
