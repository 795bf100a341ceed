/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/nouns.h"
#include "controlplane/api/tracking.h"
#include "controlplane/api/values.h"

static json_t *when_empty_value(const struct conf *conf, unsigned index)
{
	uint32_t value = conf->pools[index].when_empty;

	return json_string(value == CONF_EMPTY_DROP    ? "drop"
			   : value == CONF_EMPTY_RESET ? "reset"
						       : conf->pools[value].name);
}

static json_t *pool_value(const struct site *s, unsigned index)
{
	const struct conf *conf = site_conf(s);
	const struct conf_pool *pool = &conf->pools[index];
	json_t *services = json_array(), *servers = json_array(), *value;
	struct site_pool_state state;

	for (unsigned i = 0; i < conf->n_services; i++)
		if (conf->services[i].pool == index)
			json_array_append_new(services, json_string(conf->services[i].name));
	for (unsigned i = 0; i < pool->n_servers; i++)
		json_array_append_new(servers, api_servers_value(s, pool->first_server + i));
	site_pool_state(s, index, &state);
	value = json_pack("{s:s, s:I, s:o, s:o, s:o, s:i, s:o, s:b, s:o, s:o}", "name", pool->name,
		"id", (json_int_t)site_pool_id(s, index), "health",
		value_text(pool->health < 0 ? NULL : conf->healths[pool->health].name), "services",
		services, "when_empty", when_empty_value(conf, index), "min_up", pool->min_up,
		"encapsulation", value_encapsulation(pool->encapsulation), "below_min_up",
		state.below_min_up, "fallen_back_on",
		value_text(state.fallen_back < 0 ? NULL : conf->pools[state.fallen_back].name),
		"servers", servers);
	return value_with(value, tracking_pool_value(s, index));
}

void api_pools_list(struct call *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < site_conf(c->site)->n_pools; i++)
		json_array_append_new(list, pool_value(c->site, i));
	call_reply(c, json_pack("{s:o}", "pools", list));
}

void api_pools_get(struct call *c)
{
	int i = conf_find_pool(site_conf(c->site), c->names[0]);

	if (i < 0)
		call_not_found(c, "pool", c->names[0]);
	else
		call_reply(c, pool_value(c->site, (unsigned)i));
}
