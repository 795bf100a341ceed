/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses that the appliance owns: VIPs and gateways. */
#include <string.h>
#include "controlplane/api/nouns.h"
#include "controlplane/api/values.h"
#include "controlplane/base/mac.h"

static json_t *services_of(const struct conf *conf, unsigned vip)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < conf->n_services; i++)
		if (conf->services[i].vip == vip)
			json_array_append_new(list, json_string(conf->services[i].name));
	return list;
}

static json_t *drops_value(const struct site *s, uint32_t id)
{
	uint64_t counts[L4_V_COUNT];

	return engine_vip_drops(site_engine(s), id, counts) ? json_object() : value_drops(counts);
}

/* VIPs first, then gateways, as if they were one array. */
static json_t *vip_value(const struct site *s, unsigned index)
{
	const struct conf *conf = site_conf(s);
	const struct conf_vip *v;
	const struct conf_gateway *g;
	uint32_t id;

	if (index < conf->n_vips) {
		v = &conf->vips[index];
		id = site_vip_id(s, index);
		return json_pack("{s:s, s:I, s:o, s:s, s:o, s:s, s:o, s:o}", "name", v->name, "id",
			(json_int_t)id, "address", value_addr(&v->address), "interface",
			conf->interfaces[v->interface].name, "mac",
			mac_is_unicast(v->mac) ? value_mac(v->mac) : json_null(), "kind", "vip",
			"services", services_of(conf, index), "drops", drops_value(s, id));
	}
	index -= conf->n_vips;
	g = &conf->gateways[index];
	id = site_gateway_id(s, index);
	return json_pack("{s:s, s:I, s:o, s:s, s:n, s:s, s:[], s:o}", "name", g->name, "id",
		(json_int_t)id, "address", value_addr(&g->address), "interface",
		conf->interfaces[g->interface].name, "mac", "kind", "gateway", "services", "drops",
		drops_value(s, id));
}

void api_vips_list(struct call *c)
{
	const struct conf *conf = site_conf(c->site);
	json_t *list = json_array();

	for (unsigned i = 0; i < conf->n_vips + conf->n_gateways; i++)
		json_array_append_new(list, vip_value(c->site, i));
	call_reply(c, json_pack("{s:o}", "vips", list));
}

void api_vips_get(struct call *c)
{
	const struct conf *conf = site_conf(c->site);

	for (unsigned i = 0; i < conf->n_vips + conf->n_gateways; i++) {
		const char *name = i < conf->n_vips ? conf->vips[i].name
						    : conf->gateways[i - conf->n_vips].name;

		if (!strcmp(name, c->names[0])) {
			call_reply(c, vip_value(c->site, i));
			return;
		}
	}
	call_not_found(c, "vip", c->names[0]);
}
