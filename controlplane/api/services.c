/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/nouns.h"
#include "controlplane/api/values.h"

static unsigned count_serving(const struct site *s, const struct conf_pool *pool)
{
	unsigned n = 0;

	for (unsigned i = 0; i < pool->n_servers; i++)
		n += site_server_serving(s, pool->first_server + i);
	return n;
}

static const char *track_name(enum conf_track track)
{
	static const char *const names[] = {
		[CONF_TRACK_CHANGES] = "changes",
		[CONF_TRACK_ALL] = "all",
		[CONF_TRACK_NONE] = "none",
	};

	return names[track];
}

/* NULL for what has no port. */
static json_t *ports_value(const struct conf_service *s)
{
	char ports[CONF_PORTS_TEXT];

	return s->ports.n ? json_string(conf_ports_text(&s->ports, ports)) : json_null();
}

static json_t *drops_value(const struct site *s, uint32_t id)
{
	uint64_t counts[L4_V_COUNT];

	return engine_service_drops(site_engine(s), id, counts) ? json_object()
								: value_drops(counts);
}

static json_t *plain_value(const struct site *s, unsigned index)
{
	const struct conf *conf = site_conf(s);
	const struct conf_service *v = &conf->services[index];
	const struct conf_pool *pool = v->pool == CONF_NO_POOL ? NULL : &conf->pools[v->pool];
	struct engine_counter count = { 0 };
	uint32_t id = site_service_id(s, index);

	engine_service_counter(site_engine(s), id, &count);
	return json_pack(
		"{s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:s, s:o, s:i, s:i, s:I, s:I, s:o}",
		"name", v->name, "id", (json_int_t)id, "vip", conf->vips[v->vip].name, "address",
		value_addr(&conf->vips[v->vip].address), "protocol", value_protocol(v->protocol),
		"port", v->port ? json_integer(v->port) : json_null(), "ports", ports_value(v),
		"forward", value_forward(v->forward), "pool", value_text(pool ? pool->name : NULL),
		"idle_ms", (json_int_t)v->idle_ms, "track", track_name(v->track), "affinity",
		v->affinity == CONF_AFFINITY_CLIENT ? "client" : "none", "quic_id_bytes",
		v->quic_id_bytes ? json_integer(v->quic_id_bytes) : json_null(), "serving",
		pool ? count_serving(s, pool) : 0, "servers", pool ? pool->n_servers : 0, "packets",
		(json_int_t)count.packets, "bytes", (json_int_t)count.bytes, "drops",
		drops_value(s, id));
}

/* null where there can be none. */
static json_t *flood_value(const struct site *s, unsigned index)
{
	struct site_flood f;

	site_service_flood(s, index, &f);
	if (site_conf(s)->services[index].syn_cookies == CONF_SYN_COOKIES_OFF && !f.proxied)
		return json_null();
	return json_pack("{s:b, s:o, s:I, s:i}", "on", f.on, "since",
		f.on ? value_time_ms(f.since_ms) : json_null(), "syns_per_s",
		(json_int_t)f.syns_per_s, "proxied", f.proxied);
}

static json_t *cookies_value(const struct site *s, unsigned index)
{
	const struct conf_service *v = &site_conf(s)->services[index];
	bool on = v->syn_cookies == CONF_SYN_COOKIES_AUTO;

	return json_pack("{s:s, s:o, s:o}", "syn_cookies", on ? "auto" : "off", "syn_threshold",
		on ? json_integer(v->syn_threshold) : json_null(), "flood", flood_value(s, index));
}

static json_t *service_value(const struct site *s, unsigned index)
{
	return value_with(plain_value(s, index), cookies_value(s, index));
}

void api_services_list(struct call *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < site_conf(c->site)->n_services; i++)
		json_array_append_new(list, service_value(c->site, i));
	call_reply(c, json_pack("{s:o}", "services", list));
}

void api_services_get(struct call *c)
{
	int i = conf_find_service(site_conf(c->site), c->names[0]);

	if (i < 0)
		call_not_found(c, "service", c->names[0]);
	else
		call_reply(c, service_value(c->site, (unsigned)i));
}
