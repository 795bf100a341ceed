/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include "controlplane/api/nouns.h"
#include "controlplane/api/tracking.h"
#include "controlplane/api/values.h"

json_t *api_servers_value(const struct site *s, unsigned server)
{
	const struct conf *conf = site_conf(s);
	const struct conf_server *v = &conf->servers[server];
	const struct site_overlay *o = site_server_overlay(s, server);
	struct engine_counter count = { 0 };
	uint32_t id = site_server_id(s, server);
	unsigned mtu = site_server_path_mtu(s, server);
	struct health_report r;
	json_t *value;

	site_server_health(s, server, &r);
	engine_server_counter(site_engine(s), id, &count);
	value = json_pack(
		"{s:s, s:s, s:I, s:o, s:o, s:i, s:i, s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:I, "
		"s:I, s:o}",
		"name", v->name, "pool", conf->pools[v->pool].name, "id", (json_int_t)id, "address",
		value_addr(&v->address), "port", v->port ? json_integer(v->port) : json_null(),
		"weight", site_server_weight(s, server), "weight_configured", v->weight, "wanted",
		server_wanted_name(o->wanted), "state", health_state_name(r.state), "since",
		value_monotonic_ms(r.since_ms), "serving", site_server_serving(s, server), "reason",
		value_text_or_null(r.last_reason), "who", value_text_or_null(o->who), "why",
		value_text_or_null(o->why), "when",
		o->when_s ? value_time_ms(o->when_s * 1000) : json_null(), "packets",
		(json_int_t)count.packets, "bytes", (json_int_t)count.bytes, "path_mtu",
		mtu ? json_integer(mtu) : json_null());
	return value_with(value, tracking_server_value(s, server));
}

/* A PATCH as site_server_set() takes it. */
struct change {
	int wanted, weight;
	bool has_why;
	char why[sizeof(((struct site_overlay *)0)->why)];
};

static bool parse_wanted(struct call *c, json_t *value, struct change *out)
{
	out->wanted = -1;
	if (!value)
		return true;
	if (json_is_string(value))
		out->wanted = server_wanted_parse(json_string_value(value));
	if (out->wanted < 0)
		call_problem(c, 422, "\"wanted\" must be \"ready\", \"drain\" or \"maint\"");
	return out->wanted >= 0;
}

static bool parse_weight(struct call *c, json_t *value, struct change *out)
{
	json_int_t weight = json_integer_value(value);

	out->weight = !value ? -1 : json_is_null(value) ? -2 : (int)weight;
	if (!value || json_is_null(value))
		return true;
	if (json_is_integer(value) && weight >= 0 && weight <= SITE_WEIGHT_MAX)
		return true;
	call_problem(c, 422,
		"\"weight\" must be a whole number from 0 to %d, or null for the configured one",
		SITE_WEIGHT_MAX);
	return false;
}

/* It goes into the log, so that it must stay one line. */
static bool parse_why(struct call *c, json_t *value, struct change *out)
{
	const char *text = value ? json_string_value(value) : "";

	out->has_why = value;
	if (!text) {
		call_problem(c, 422, "\"why\" must be a string");
		return false;
	}
	if (strlen(text) >= sizeof out->why) {
		call_problem(c, 422, "\"why\" has %zu bytes, at most %zu are taken", strlen(text),
			sizeof out->why - 1);
		return false;
	}
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < ' ' || *p == 0x7f) {
			call_problem(c, 422, "\"why\" holds a control character");
			return false;
		}
	snprintf(out->why, sizeof out->why, "%s", text);
	return true;
}

static bool parse_change(struct call *c, json_t *body, struct change *out)
{
	if (!parse_wanted(c, json_object_get(body, "wanted"), out) ||
		!parse_weight(c, json_object_get(body, "weight"), out) ||
		!parse_why(c, json_object_get(body, "why"), out))
		return false;
	if (out->wanted >= 0 || out->weight != -1)
		return true;
	call_problem(c, 422, "nothing to change: give \"wanted\" or \"weight\"");
	return false;
}

/* The name of the caller's user, or "uid:N" where it has none that fits. */
static int caller_name(const struct call *c, char *out, size_t size)
{
	struct passwd entry, *found = NULL;
	struct ucred peer;
	char memory[4096];
	int err = call_peer(c, &peer);

	if (err)
		return err;
	if (!getpwuid_r(peer.uid, &entry, memory, sizeof memory, &found) && found) {
		size_t len = strlen(found->pw_name);

		if (len && len < size &&
			strspn(found->pw_name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL"
					       "MNOPQRSTUVWXYZ0123456789._-@$\\") == len) {
			memcpy(out, found->pw_name, len + 1);
			return 0;
		}
	}
	snprintf(out, size, "uid:%u", (unsigned)peer.uid);
	return 0;
}

static void change_server(struct call *c, unsigned server, const struct change *change)
{
	char who[sizeof(((struct site_overlay *)0)->who)];
	struct err e = { "" };
	int err = caller_name(c, who, sizeof who);

	if (err) {
		call_problem(c, 500, "cannot tell who is calling: %s", strerror(-err));
		return;
	}
	err = site_server_set(c->site, server, change->wanted, change->weight, who,
		change->has_why ? change->why : NULL, &e);
	if (err)
		call_problem(c, call_status(err), "%s", e.text);
	else
		call_reply(c, api_servers_value(c->site, server));
}

/* The server that the path names, or -1 when it has answered: there is none. */
static int find_server(struct call *c)
{
	const struct conf *conf = site_conf(c->site);
	int pool = conf_find_pool(conf, c->names[0]), server;

	if (pool < 0) {
		call_not_found(c, "pool", c->names[0]);
		return -1;
	}
	server = conf_find_server(conf, (unsigned)pool, c->names[1]);
	if (server < 0)
		call_problem(c, 404, "pool \"%s\" has no server \"%s\"", c->names[0], c->names[1]);
	return server;
}

void api_servers_get(struct call *c)
{
	int server = find_server(c);

	if (server >= 0)
		call_reply(c, api_servers_value(c->site, (unsigned)server));
}

void api_servers_patch(struct call *c)
{
	static const char *const members[] = { "wanted", "weight", "why", NULL };
	struct change change;
	int server = find_server(c);
	json_t *body;

	if (server < 0)
		return;
	body = call_body(c, members);
	if (body && parse_change(c, body, &change))
		change_server(c, (unsigned)server, &change);
	json_decref(body);
}
