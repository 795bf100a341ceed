/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "controlplane/api/nouns.h"
#include "controlplane/api/tracking.h"
#include "controlplane/api/values.h"
#include "controlplane/nic/ledger.h"

/* What was changed about the devices of a port, by this process and by an engine that is another one. */
struct changed {
	json_t *off, *groups, *macs;
	bool promiscuous, all_groups;
};

static void add_own(struct changed *c, const struct site *s, uint32_t ifindex, uint32_t real)
{
	const struct ledger *changes = site_nic_changes(s);

	for (size_t i = 0; i < changes->n; i++) {
		const struct ledger_entry *e = &changes->list[i];

		if (e->kind == LEDGER_FEATURE && e->ifindex == real)
			json_array_append_new(c->off, json_string(e->what));
		if (e->kind == LEDGER_GROUP && e->ifindex == ifindex)
			json_array_append_new(c->groups, json_string(e->what));
		if (e->kind == LEDGER_UNICAST && e->ifindex == ifindex)
			json_array_append_new(c->macs, json_string(e->what));
		c->promiscuous |= e->kind == LEDGER_PROMISC && e->ifindex == ifindex;
	}
}

static void add_engines(struct changed *c, const struct site *s, uint32_t ifindex)
{
	const struct engine_change *list;
	size_t n;

	list = engine_changes(site_engine(s), &n);
	for (size_t i = 0; i < n; i++) {
		if (list[i].ifindex != ifindex)
			continue;
		if (list[i].kind == ENGINE_OFFLOAD)
			json_array_append_new(c->off, value_text(list[i].what));
		if (list[i].kind == ENGINE_MAC)
			json_array_append_new(c->macs, value_text(list[i].what));
		c->promiscuous |= list[i].kind == ENGINE_ALL_FRAMES;
		c->all_groups |= list[i].kind == ENGINE_ALL_GROUPS;
	}
}

/* {"off": [offloads], "groups": [MAC addresses], "macs": [virtual ones], "promiscuous": whether it takes all frames for
 * their sake, "all_groups": whether it takes those to all groups} of those devices. */
static json_t *nic_value(const struct site *s, uint32_t ifindex, uint32_t real)
{
	struct changed c = { .off = json_array(), .groups = json_array(), .macs = json_array() };

	add_own(&c, s, ifindex, real);
	add_engines(&c, s, ifindex);
	return json_pack("{s:o, s:o, s:o, s:b, s:b}", "off", c.off, "groups", c.groups, "macs",
		c.macs, "promiscuous", c.promiscuous, "all_groups", c.all_groups);
}

/* The addresses that this host was given for services of its own stack. */
static json_t *addresses_value(const struct site *s)
{
	const struct ledger *changes = site_nic_changes(s);
	json_t *list = json_array();

	for (size_t i = 0; i < changes->n; i++)
		if (changes->list[i].kind == LEDGER_ADDRESS)
			json_array_append_new(list, json_string(changes->list[i].what));
	return list;
}

/* Settings of this host's TCP stack that are others meanwhile, and what they were. */
static json_t *settings_value(const struct site *s)
{
	const struct ledger *changes = site_nic_changes(s);
	json_t *list = json_array();

	for (size_t i = 0; i < changes->n; i++) {
		const char *what = changes->list[i].what, *was = strchr(what, '=');

		if (changes->list[i].kind == LEDGER_SETTING && was)
			json_array_append_new(list, json_pack("{s:s%, s:s}", "name", what,
							    (size_t)(was - what), "was", was + 1));
	}
	return list;
}

static json_t *ports_value(const struct site *s)
{
	const struct conf *conf = site_conf(s);
	bool dpdk = conf->engine.type == CONF_ENGINE_DPDK;
	json_t *list = json_array();
	const struct engine_port *ports;
	unsigned n;

	ports = engine_ports(site_engine(s), &n);
	for (unsigned i = 0; i < n; i++) {
		const char *name = ports[i].device;

		for (unsigned j = 0; j < conf->n_interfaces; j++)
			if (!strcmp(conf->interfaces[j].device, ports[i].device))
				name = conf->interfaces[j].name;
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:I, s:o, s:o, s:s, s:s, s:s?, s:s?, s:o}",
				      "name", name, "device", ports[i].device, "ifindex",
				      (json_int_t)ports[i].ifindex, "mac", value_mac(ports[i].mac),
				      "vlans", value_vlans(ports[i].tags), "real", ports[i].real,
				      "mode", ports[i].mode, "driver", dpdk ? ports[i].mode : NULL,
				      "host_path", ports[i].host_path, "nic",
				      nic_value(s, ports[i].ifindex, ports[i].real_ifindex)));
	}
	return list;
}

/* Of an engine with threads of its own. */
static json_t *workers_value(const struct engine_report *run)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < run->n_workers; i++) {
		const struct engine_worker *w = &run->workers[i];
		json_t *busy = w->busy_permille < 0 ? json_null()
						    : json_real(w->busy_permille / 10.0);

		json_array_append_new(
			list, json_pack("{s:i, s:i, s:I, s:I, s:I, s:o}", "worker", i, "cpu",
				      w->cpu, "busy_cycles", (json_int_t)w->busy_cycles,
				      "idle_cycles", (json_int_t)w->idle_cycles, "sleeps",
				      (json_int_t)w->sleeps, "busy_percent", busy));
	}
	return list;
}

/* The mode of all interfaces: "native" or "generic", "adaptive" or "busy". */
static json_t *mode_value(const struct site *s)
{
	const struct conf *c = site_conf(s);
	const struct engine_port *ports;
	unsigned n;

	if (engine_type(site_engine(s)) == CONF_ENGINE_DPDK)
		return json_string(
			c->engine.dpdk.polling == CONF_POLLING_BUSY ? "busy" : "adaptive");
	ports = engine_ports(site_engine(s), &n);
	return n ? json_string(ports->mode) : json_null();
}

/* Whether its packets are served, and how it has been running. */
static json_t *run_value(const struct site *s, const struct site_status *status)
{
	static const char *const states[] = {
		[ENGINE_SERVING] = "serving", [ENGINE_GONE] = "gone", [ENGINE_OTHER] = "other"
	};
	struct engine_report run;
	uint64_t since_ms;
	enum engine_state state = engine_state(site_engine(s), &since_ms);
	bool dpdk = engine_type(site_engine(s)) == CONF_ENGINE_DPDK;

	engine_report(site_engine(s), &run);
	return json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:o}", "type", dpdk ? "dpdk" : "xdp",
		"state", status->detached ? "detached" : states[state], "since",
		since_ms ? value_monotonic_ms(since_ms) : value_time_ms(status->started_s * 1000),
		dpdk ? "polling" : "mode", status->detached ? json_null() : mode_value(s), "gaps",
		run.gaps, "last_gap_ms",
		run.last_gap_ms < 0 ? json_null() : json_integer(run.last_gap_ms),
		"cycles_per_second",
		run.cycles_per_second ? json_integer((json_int_t)run.cycles_per_second)
				      : json_null(),
		"workers", workers_value(&run));
}

static json_t *engine_value(const struct site *s, const struct site_status *status)
{
	json_t *shape = json_pack("{s:I, s:b, s:b, s:o, s:o, s:o}", "generation",
		(json_int_t)status->generation, "adopted", status->adopted, "detached",
		status->detached, "addresses", status->detached ? json_array() : addresses_value(s),
		"settings", status->detached ? json_array() : settings_value(s), "ports",
		status->detached ? json_array() : ports_value(s));

	return value_with(run_value(s, status), shape);
}

static json_t *servers_count(const struct site *s)
{
	unsigned n = site_conf(s)->n_servers, serving = 0;
	unsigned seen[HEALTH_DOWN + 1] = { 0 }, wanted[SERVER_MAINT + 1] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		struct health_report r;

		site_server_health(s, i, &r);
		seen[r.state]++;
		wanted[site_server_overlay(s, i)->wanted]++;
		serving += site_server_serving(s, i);
	}
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "total", n, "serving", serving,
		"up", seen[HEALTH_UP], "down", seen[HEALTH_DOWN], "starting", seen[HEALTH_STARTING],
		"drain", wanted[SERVER_DRAIN], "maint", wanted[SERVER_MAINT]);
}

static json_t *warnings_value(const struct site_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < status->n_warnings; i++)
		json_array_append_new(list, value_text(status->warnings[i]));
	return list;
}

/* Servers for which something else is wanted than the file says. */
static json_t *changes_value(const struct site *s)
{
	const struct conf *conf = site_conf(s);
	json_t *list = json_array();

	for (unsigned i = 0; i < conf->n_servers; i++) {
		const struct conf_server *server = &conf->servers[i];
		const struct site_overlay *o = site_server_overlay(s, i);

		if (o->wanted == SERVER_READY && o->weight < 0)
			continue;
		json_array_append_new(list,
			json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "server",
				json_sprintf("%s/%s", conf->pools[server->pool].name, server->name),
				"wanted", server_wanted_name(o->wanted), "weight",
				o->weight < 0 ? json_null() : json_integer(o->weight), "who",
				value_text_or_null(o->who), "why", value_text_or_null(o->why),
				"when", value_time_ms(o->when_s * 1000)));
	}
	return list;
}

void api_status_get(struct call *c)
{
	const struct conf *conf = site_conf(c->site);
	struct site_status status;

	site_status(c->site, &status);
	call_reply(c,
		json_pack("{s:s, s:s, s:o, s:{s:o, s:o}, s:o, s:i, s:i, s:i, s:o, s:o, s:o, s:o}",
			"node", conf->node, "version", TANDEM_VERSION, "started",
			value_time_ms(status.started_s * 1000), "config", "path",
			value_text(site_config_path(c->site)), "applied",
			value_time_ms(status.applied_s * 1000), "engine",
			engine_value(c->site, &status), "vips", conf->n_vips, "services",
			conf->n_services, "pools", conf->n_pools, "servers", servers_count(c->site),
			"records", tracking_node_value(c->site), "warnings",
			warnings_value(&status), "changes", changes_value(c->site)));
}
