/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/nouns.h"
#include "controlplane/api/values.h"
#include "controlplane/pools/targets.h"

static json_t *check_value(const struct site *s, unsigned server)
{
	const struct conf *conf = site_conf(s);
	const struct conf_server *v = &conf->servers[server];
	const struct conf_pool *pool = &conf->pools[v->pool];
	const struct conf_health *check = &conf->healths[pool->health];
	struct health_report r;

	site_server_health(s, server, &r);
	return json_pack("{s:o, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:i}",
		"server", json_sprintf("%s/%s", pool->name, v->name), "check", check->name, "type",
		check->type == CONF_HEALTH_HTTP ? "http" : "tcp", "target",
		value_target(&v->address, target_port(conf, server)), "state",
		health_state_name(r.state), "since", value_monotonic_ms(r.since_ms), "last_probe",
		value_monotonic_ms(r.last_probe_ms), "last_duration_us",
		r.last_probe_ms ? json_integer(r.last_duration_us) : json_null(), "last_ok",
		r.last_probe_ms ? json_boolean(r.last_ok) : json_null(), "reason",
		value_text_or_null(r.last_reason), "probes", (json_int_t)r.probes, "failures",
		(json_int_t)r.failures, "streak", r.streak);
}

void api_health_list(struct call *c)
{
	const struct conf *conf = site_conf(c->site);
	json_t *list = json_array();

	for (unsigned i = 0; i < conf->n_servers; i++)
		if (conf->pools[conf->servers[i].pool].health >= 0)
			json_array_append_new(list, check_value(c->site, i));
	call_reply(c, json_pack("{s:o}", "health", list));
}
