/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of packets: every verdict of the whole engine, then the drops of each address of ours, and behind those
 * of a VIP, which count them too, the drops of each of its services. */
#include "controlplane/api/nouns.h"
#include "controlplane/api/values.h"

/* vip, service: NULL of rows that are not about one. */
static void add_row(
	json_t *list, const char *vip, const char *service, enum l4_verdict v, uint64_t count)
{
	json_array_append_new(
		list, json_pack("{s:s?, s:s?, s:s, s:s, s:I, s:s}", "vip", vip, "service", service,
			      "reason", verdict_name(v), "action", action_name(verdict_action(v)),
			      "count", (json_int_t)count, "help", verdict_help(v)));
}

static void add_drops(
	json_t *list, const char *vip, const char *service, const uint64_t counts[L4_V_COUNT])
{
	for (int v = 0; v < L4_V_COUNT; v++)
		if (counts[v] && verdict_action((enum l4_verdict)v) == L4_DROP)
			add_row(list, vip, service, (enum l4_verdict)v, counts[v]);
}

static void add_address(json_t *list, const struct site *s, const char *name, uint32_t id)
{
	uint64_t counts[L4_V_COUNT];

	if (!engine_vip_drops(site_engine(s), id, counts))
		add_drops(list, name, NULL, counts);
}

static void add_services(json_t *list, const struct site *s, unsigned vip)
{
	const struct conf *conf = site_conf(s);
	uint64_t counts[L4_V_COUNT];

	for (unsigned i = 0; i < conf->n_services; i++)
		if (conf->services[i].vip == vip &&
			!engine_service_drops(site_engine(s), site_service_id(s, i), counts))
			add_drops(list, conf->vips[vip].name, conf->services[i].name, counts);
}

void api_drops_list(struct call *c)
{
	const struct conf *conf = site_conf(c->site);
	json_t *list = json_array();
	uint64_t counts[L4_V_COUNT];

	if (!engine_verdict_counters(site_engine(c->site), counts))
		for (int v = 0; v < L4_V_COUNT; v++)
			if (counts[v])
				add_row(list, NULL, NULL, (enum l4_verdict)v, counts[v]);
	for (unsigned i = 0; i < conf->n_vips; i++) {
		add_address(list, c->site, conf->vips[i].name, site_vip_id(c->site, i));
		add_services(list, c->site, i);
	}
	for (unsigned i = 0; i < conf->n_gateways; i++)
		add_address(list, c->site, conf->gateways[i].name, site_gateway_id(c->site, i));
	call_reply(c, json_pack("{s:o}", "drops", list));
}
