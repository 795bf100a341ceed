/* SPDX-License-Identifier: BSD-2-Clause */
/* What the site says of itself. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "controlplane/pools/emergency.h"
#include "controlplane/pools/site_impl.h"

static const char *const wanted_names[] = {
	[SERVER_READY] = "ready",
	[SERVER_DRAIN] = "drain",
	[SERVER_MAINT] = "maint",
};

const char *server_wanted_name(enum server_wanted w)
{
	return wanted_names[w];
}

int server_wanted_parse(const char *name)
{
	for (int i = SERVER_READY; i <= SERVER_MAINT; i++)
		if (!strcmp(wanted_names[i], name))
			return i;
	return -1;
}

const struct conf *site_conf(const struct site *s)
{
	return s->live->conf;
}

const char *site_config_path(const struct site *s)
{
	return s->live->path;
}

const char *site_config_text(const struct site *s)
{
	return s->live->text;
}

const struct engine *site_engine(const struct site *s)
{
	return s->engine;
}

struct engine *site_engine_look(struct site *s)
{
	return s->engine;
}

static const struct state_server *record(const struct site *s, unsigned server)
{
	return state_server(s->state, s->live->ids.servers[server]);
}

const struct site_overlay *site_server_overlay(const struct site *s, unsigned server)
{
	return &record(s, server)->overlay;
}

unsigned site_server_weight(const struct site *s, unsigned server)
{
	return duty_weight(&s->live->conf->servers[server], record(s, server));
}

bool site_server_serving(const struct site *s, unsigned server)
{
	const struct conf_server *v = &s->live->conf->servers[server];

	return duty_able(v, record(s, server)) ||
	       (s->published && s->published->states[v->pool].forced &&
		       duty_failed(v, record(s, server)));
}

void site_pool_state(const struct site *s, unsigned pool, struct site_pool_state *out)
{
	*out = (struct site_pool_state){ .fallen_back = -1 };
	if (!s->published)
		return;
	out->below_min_up = s->published->states[pool].forced;
	out->fallen_back = emergency_fallen_back(s->live, s->published, pool);
}

void site_server_health(const struct site *s, unsigned server, struct health_report *out)
{
	uint32_t id = s->live->ids.servers[server];

	if (!health_report(s->health, id, out))
		return;
	*out = (struct health_report){
		.id = id,
		.state = record(s, server)->seen.state,
		.since_ms = s->started_ms,
	};
	snprintf(out->last_reason, sizeof out->last_reason, "%s",
		out->state == HEALTH_UP ? "no check"
					: "no service uses the pool, so its check has no port");
}

uint32_t site_vip_id(const struct site *s, unsigned vip)
{
	return s->live->ids.vips[vip];
}

uint32_t site_gateway_id(const struct site *s, unsigned gateway)
{
	return s->live->ids.gateways[gateway];
}

uint32_t site_service_id(const struct site *s, unsigned service)
{
	return s->live->ids.services[service];
}

uint32_t site_pool_id(const struct site *s, unsigned pool)
{
	return s->live->ids.pools[pool];
}

unsigned site_server_path_mtu(const struct site *s, unsigned server)
{
	return paths_mtu(s->paths, &s->live->conf->servers[server].address);
}

void site_service_flood(const struct site *s, unsigned service, struct site_flood *out)
{
	const struct floods_service *f = floods_service(s->floods, site_service_id(s, service));

	*out = (struct site_flood){ 0 };
	if (!f || s->detached)
		return;
	*out = (struct site_flood){ f->on, f->since_ms, f->on ? f->syns_per_s : 0, f->proxied };
}

uint32_t site_server_id(const struct site *s, unsigned server)
{
	return s->live->ids.servers[server];
}

const struct ledger *site_nic_changes(const struct site *s)
{
	return nic_changes(s->nic);
}

void site_set_tracking(struct site *s, const struct tracking *t)
{
	s->tracking = t;
}

const struct tracking_server *site_server_tracking(const struct site *s, unsigned server)
{
	return tracking_server(s->tracking, site_server_id(s, server));
}

const struct tracking_pool *site_pool_tracking(const struct site *s, unsigned pool)
{
	return tracking_pool(s->tracking, site_pool_id(s, pool));
}

const struct tracking_node *site_tracking(const struct site *s)
{
	return s->tracking ? &s->tracking->node : NULL;
}

__attribute__((format(printf, 3, 4))) static void warn(
	const struct site *s, struct site_status *out, const char *fmt, ...)
{
	struct err *to = &s->warnings[out->n_warnings];
	va_list ap;

	if (out->n_warnings == SITE_WARNINGS)
		return;
	va_start(ap, fmt);
	vsnprintf(to->text, sizeof to->text, fmt, ap);
	va_end(ap);
	out->warnings[out->n_warnings++] = to->text;
}

/* An engine in a process of its own, which comes and goes. */
static void warn_engine(const struct site *s, struct site_status *out)
{
	uint64_t since_ms;
	enum engine_state state = engine_state(s->engine, &since_ms);

	if (state == ENGINE_GONE)
		warn(s, out,
			"the engine's process is gone, and packets wait for it: see why tandem-dpdk does "
			"not run");
	else if (state == ENGINE_OTHER)
		warn(s, out,
			"the engine's process has come back with other tables or interfaces, and packets "
			"wait: restart tandemd");
}

static void warn_site(const struct site *s, struct site_status *out)
{
	struct err e;

	if (s->detached)
		warn(s, out,
			"the engine is detached, packets are left to this host: restart tandemd to "
			"attach it again");
	if (s->holding)
		warn(s, out,
			"packets flow by the adopted generation until the health of %u servers is "
			"known",
			seen_starting(s));
	warn_engine(s, out);
	if (s->publish_fault.text[0])
		warn(s, out, "the last change is not published: %s", s->publish_fault.text);
	if (s->table_fault.text[0])
		warn(s, out, "%s", s->table_fault.text);
	if (s->save_fault.text[0])
		warn(s, out, "%s", s->save_fault.text);
	if (facts_check_addresses(s, s->live->conf, &e))
		warn(s, out, "%s", e.text);
}

/* A driver without native mode, or an MTU that it does not take; or one that came later and that it does not carry. */
static void warn_mode(const struct site *s, const struct engine_port *p, struct site_status *out)
{
	const struct host_link *real = host_link_by_index(s->host, p->real_ifindex);
	unsigned mtu = real ? real->mtu : 0, most = engine_native_mtu();

	if (!strcmp(p->mode, "native") && mtu > most)
		warn(s, out,
			"interface %s has an MTU of %u, but native XDP takes at most %u: larger packets "
			"are lost; lower its MTU",
			p->real, mtu, most);
	if (s->live->conf->engine.mode == CONF_XDP_GENERIC || strcmp(p->mode, "generic") != 0)
		return;
	if (mtu > most)
		warn(s, out,
			"interface %s runs in generic mode, which is slow: its MTU is %u, and native XDP "
			"takes at most %u",
			p->real, mtu, most);
	else
		warn(s, out,
			"interface %s runs in generic mode, which is slow: its driver has no native XDP",
			p->real);
}

static void warn_ports(const struct site *s, struct site_status *out)
{
	const struct engine_port *ports;
	unsigned n;

	for (unsigned i = 0; i < s->n_ports; i++) {
		const struct site_port *p = &s->ports[i];

		if (!p->present)
			warn(s, out, "interface %s is gone; when it is back, restart tandemd",
				p->device);
		else if (!p->up)
			warn(s, out, "interface %s is down", p->device);
	}
	ports = engine_ports(s->engine, &n);
	for (unsigned i = 0; i < n && !s->detached; i++)
		warn_mode(s, &ports[i], out);
}

static void warn_nics(const struct site *s, struct site_status *out)
{
	if (s->detached)
		return;
	for (size_t i = 0; nic_fault(s->nic, i); i++)
		warn(s, out, "%s", nic_fault(s->nic, i));
	if (s->nic_fault.text[0] && !nic_fault(s->nic, 0))
		warn(s, out, "%s", s->nic_fault.text);
}

static bool has_service(const struct conf *c, unsigned pool)
{
	for (unsigned i = 0; i < c->n_services; i++)
		if (c->services[i].pool == pool)
			return true;
	return false;
}

/* Names for one sentence: the first few, and how many there are. */
struct name_list {
	char text[200];
	unsigned n;
};

static void name_add(struct name_list *l, const char *name)
{
	size_t used = strlen(l->text);

	if (used + strlen(name) + 3 < sizeof l->text)
		snprintf(l->text + used, sizeof l->text - used, "%s%s", l->n ? ", " : "", name);
	else if (used + 4 < sizeof l->text && l->text[used - 1] != '.')
		snprintf(l->text + used, sizeof l->text - used, "...");
	l->n++;
}

static bool pool_serves(const struct site *s, const struct conf_pool *p)
{
	for (unsigned i = p->first_server; i < p->first_server + p->n_servers; i++)
		if (site_server_serving(s, i))
			return true;
	return false;
}

/* A pool's own servers as published; *n is 0 before that. */
static const struct snapshot_member *published_members(
	const struct site *s, unsigned pool, unsigned *n)
{
	const struct build *b = s->published;

	*n = b ? s->live->conf->pools[pool].n_servers : 0;
	return b ? &b->members[b->pools[pool].first_member] : NULL;
}

static bool pool_unreachable(const struct site *s, unsigned pool)
{
	unsigned n;
	const struct snapshot_member *m = published_members(s, pool, &n);

	for (unsigned i = 0; i < n; i++)
		if (!m[i].hop_ifindex)
			return true;
	return false;
}

static void warn_pools(const struct site *s, struct site_status *out)
{
	struct name_list empty = { "", 0 }, unreachable = { "", 0 };
	const struct conf *c = s->live->conf;

	for (unsigned i = 0; i < c->n_pools; i++) {
		struct site_pool_state state;

		if (!has_service(c, i))
			continue;
		site_pool_state(s, i, &state);
		if (state.fallen_back < 0 && !pool_serves(s, &c->pools[i]))
			name_add(&empty, c->pools[i].name);
		if (pool_unreachable(s, i))
			name_add(&unreachable, c->pools[i].name);
	}
	if (empty.n)
		warn(s, out, "%u pool%s no server that takes new connections: %s", empty.n,
			empty.n == 1 ? " has" : "s have", empty.text);
	if (unreachable.n)
		warn(s, out,
			"servers of %u pool%s have no route over an interface of the "
			"configuration: %s",
			unreachable.n, unreachable.n == 1 ? "" : "s", unreachable.text);
}

/* Pools in need, whether or not a service uses them: their servers may be another pool's fall-back. */
static void warn_emergencies(const struct site *s, struct site_status *out)
{
	struct name_list forced = { "", 0 }, fallen = { "", 0 };
	const struct conf *c = s->live->conf;

	for (unsigned i = 0; i < c->n_pools; i++) {
		struct site_pool_state state;

		site_pool_state(s, i, &state);
		if (state.below_min_up)
			name_add(&forced, c->pools[i].name);
		if (state.fallen_back >= 0)
			name_add(&fallen, c->pools[i].name);
	}
	if (forced.n)
		warn(s, out,
			"%u pool%s fewer servers up than min_up, so that failed ones are used too: "
			"%s",
			forced.n, forced.n == 1 ? " has" : "s have", forced.text);
	if (fallen.n)
		warn(s, out,
			"%u pool%s no server that takes new connections and fall%s back on another "
			"pool: %s",
			fallen.n, fallen.n == 1 ? " has" : "s have", fallen.n == 1 ? "s" : "",
			fallen.text);
}

static bool behind_router(const struct site *s, unsigned pool)
{
	unsigned n;
	const struct snapshot_member *m = published_members(s, pool, &n);

	for (unsigned i = 0; i < n; i++)
		if (m[i].hop_ifindex && memcmp(m[i].hop_bytes, m[i].bytes, sizeof m[i].bytes) != 0)
			return true;
	return false;
}

/* Those that the pool falls back on too. */
static bool any_behind_router(const struct site *s, unsigned pool)
{
	for (int p = (int)pool; p >= 0; p = conf_pool_fallback(s->live->conf, (unsigned)p))
		if (behind_router(s, (unsigned)p))
			return true;
	return false;
}

/* By dsr the packet still carries the VIP: a router would send it back to us. */
static void warn_routers(const struct site *s, struct site_status *out)
{
	struct name_list behind = { "", 0 };
	const struct conf *c = s->live->conf;

	for (unsigned i = 0; i < c->n_services; i++) {
		const struct conf_service *v = &c->services[i];

		if (v->forward == CONF_FORWARD_DSR && any_behind_router(s, v->pool))
			name_add(&behind, v->name);
	}
	if (behind.n)
		warn(s, out,
			"servers of %u service%s are behind a router, which dsr cannot reach (use "
			"nat): %s",
			behind.n, behind.n == 1 ? "" : "s", behind.text);
}

/* Whether a server of the pool, or of one that it falls back on, has a way, but no address of this host to send
 * tunnels from. */
static bool any_without_source(const struct site *s, unsigned pool)
{
	static const uint8_t none[16];

	for (int p = (int)pool; p >= 0; p = conf_pool_fallback(s->live->conf, (unsigned)p)) {
		unsigned n;
		const struct snapshot_member *m = published_members(s, (unsigned)p, &n);

		for (unsigned i = 0; i < n; i++)
			if (m[i].hop_ifindex && !memcmp(m[i].source, none, sizeof none))
				return true;
	}
	return false;
}

static void warn_sources(const struct site *s, struct site_status *out)
{
	struct name_list silent = { "", 0 };
	const struct conf *c = s->live->conf;

	for (unsigned i = 0; i < c->n_services; i++) {
		const struct conf_service *v = &c->services[i];

		if (v->forward == CONF_FORWARD_TUNNEL && any_without_source(s, v->pool))
			name_add(&silent, v->name);
	}
	if (silent.n)
		warn(s, out,
			"tunnels of %u service%s have no source: this host has no address of their "
			"family on the interface towards a server; add one, or set tunnel.source4 or "
			"tunnel.source6: %s",
			silent.n, silent.n == 1 ? "" : "s", silent.text);
}

static void warn_floods(const struct site *s, struct site_status *out)
{
	struct name_list flooded = { "", 0 };
	const struct conf *c = s->live->conf;

	for (unsigned i = 0; i < c->n_services; i++) {
		struct site_flood flood;

		site_service_flood(s, i, &flood);
		/* Where every SYN is answered so, none is one too many. */
		if (flood.on && c->services[i].syn_threshold)
			name_add(&flooded, c->services[i].name);
	}
	if (flooded.n)
		warn(s, out, "SYNs to %u service%s come in a flood (syn_threshold): %s", flooded.n,
			flooded.n == 1 ? "" : "s", flooded.text);
	if (s->stack_fault.text[0])
		warn(s, out, "%s", s->stack_fault.text);
}

void site_status(const struct site *s, struct site_status *out)
{
	*out = (struct site_status){
		.generation = engine_generation(s->engine),
		.started_s = s->started_s,
		.applied_s = s->applied_s,
		.adopted = s->adopted,
		.detached = s->detached,
	};
	warn_site(s, out);
	warn_ports(s, out);
	warn_nics(s, out);
	warn_pools(s, out);
	warn_emergencies(s, out);
	warn_routers(s, out);
	warn_sources(s, out);
	warn_floods(s, out);
}
