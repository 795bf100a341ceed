/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/nouns.h"
#include "apps/tandemctl/text.h"

#define WEIGHT_MOST 1000

/* POOL/SERVER, of a server as of a change, which has it in one string. */
static void print_name(FILE *out, const json_t *object, time_t now)
{
	const json_t *whole = json_object_get(object, "server");

	if (whole) {
		field_plain(out, whole, now);
		return;
	}
	field_plain(out, json_object_get(object, "pool"), now);
	putc('/', out);
	field_plain(out, json_object_get(object, "name"), now);
}

/* The weight in force, and the configuration's where that is another. */
static void print_weight(FILE *out, const json_t *server, time_t now)
{
	json_t *weight = json_object_get(server, "weight");
	json_t *configured = json_object_get(server, "weight_configured");

	field_plain(out, weight, now);
	if (configured && !json_equal(weight, configured)) {
		fputs(" (file: ", out);
		field_plain(out, configured, now);
		putc(')', out);
	}
}

void server_table(const struct screen *s, const json_t *servers)
{
	static const struct field fields[] = {
		{ .title = "SERVER", .print = print_name },
		{ .title = "ADDRESS", .print = field_endpoint },
		{ .title = "WANTED", .key = "wanted", .flags = FIELD_STATE },
		{ .title = "WEIGHT", .print = print_weight, .flags = FIELD_RIGHT },
		{ .title = "STATE", .key = "state", .flags = FIELD_STATE },
		{ .title = "FOR", .key = "since", .print = field_age, .flags = FIELD_RIGHT },
		{ .title = "SERVING", .key = "serving", .flags = FIELD_STATE },
		{ .title = "PACKETS", .key = "packets", .flags = FIELD_RIGHT },
		{ .title = "BYTES", .key = "bytes", .flags = FIELD_RIGHT },
		{ .title = "LAST CHECK", .key = "reason", .flags = FIELD_OPTIONAL },
	};

	fields_table(s, servers, FIELDS(fields));
}

void change_table(const struct screen *s, const json_t *changes)
{
	static const struct field fields[] = {
		{ .title = "CHANGED", .print = print_name },
		{ .title = "WANTED", .key = "wanted", .flags = FIELD_STATE },
		{ .title = "WEIGHT", .key = "weight", .flags = FIELD_RIGHT },
		{ .title = "WHO", .key = "who" },
		{ .title = "WHEN (UTC)", .key = "when", .print = field_time },
		{ .title = "WHY", .key = "why", .flags = FIELD_OPTIONAL },
	};

	fields_table(s, changes, FIELDS(fields));
}

/* Suggests the nearest POOL/SERVER of all. */
static void server_suggest(struct ctl *ctl, const char *name)
{
	json_t *pools = api_list(ctl, "pools"), *servers = pool_servers(pools);
	json_t *names = json_array();

	for (size_t i = 0; i < json_array_size(servers); i++) {
		json_t *server = json_array_get(servers, i);
		const char *of = json_string_value(json_object_get(server, "pool"));
		const char *its = json_string_value(json_object_get(server, "name"));

		if (of && its)
			json_array_append_new(
				names, json_pack("{s:o}", "name", json_sprintf("%s/%s", of, its)));
	}
	api_suggest(ctl, names, name);
	json_decref(names);
	json_decref(servers);
	json_decref(pools);
}

static void server_print(const struct screen *s, const json_t *server)
{
	static const struct field fields[] = {
		{ .title = "server", .print = print_name },
		{ .title = "wanted", .key = "wanted", .flags = FIELD_STATE },
		{ .title = "weight", .print = print_weight },
		{ .title = "state", .key = "state", .flags = FIELD_STATE },
		{ .title = "serving", .key = "serving", .flags = FIELD_STATE },
	};

	fields_record(s, server, FIELDS(fields));
}

/* The API's target for POOL/SERVER, to be freed; NULL when the text is not of that form. */
static char *server_target(const char *name)
{
	const char *slash = strchr(name, '/');
	char *pool, *server, *target;

	if (!slash || slash == name || !slash[1])
		return NULL;
	target = text_printf("%.*s", (int)(slash - name), name);
	pool = api_escape(target);
	free(target);
	server = api_escape(slash + 1);
	target = text_printf("/v1/pools/%s/servers/%s", pool, server);
	free(pool);
	free(server);
	return target;
}

/* Sends {KEY: value} as a change of the server; value is given away. */
static enum ctl_exit server_change(
	struct ctl *ctl, const char *name, const char *key, json_t *value)
{
	json_t *body = json_pack("{s:o}", key, value), *server;
	char *target = server_target(name);
	enum ctl_exit rc;

	if (!target) {
		json_decref(body);
		err_set(&ctl->err, 0, "a server is named POOL/SERVER, not \"%s\"", name);
		return CTL_USAGE;
	}
	if (ctl->why && json_object_set_new(body, "why", json_string(ctl->why))) {
		json_decref(body);
		free(target);
		err_set(&ctl->err, 0, "the text after --why is not UTF-8");
		return CTL_USAGE;
	}
	rc = api_call(ctl, "PATCH", target, body, &server);
	if (rc == CTL_NOT_FOUND)
		server_suggest(ctl, name);
	else if (!rc && !ctl->json)
		server_print(&ctl->screen, server);
	json_decref(server);
	free(target);
	return rc;
}

enum ctl_exit server_ready(struct ctl *ctl, char **args)
{
	return server_change(ctl, args[0], "wanted", json_string("ready"));
}

enum ctl_exit server_drain(struct ctl *ctl, char **args)
{
	return server_change(ctl, args[0], "wanted", json_string("drain"));
}

enum ctl_exit server_maint(struct ctl *ctl, char **args)
{
	return server_change(ctl, args[0], "wanted", json_string("maint"));
}

enum ctl_exit server_weight(struct ctl *ctl, char **args)
{
	char *end;
	long weight;

	if (strcmp(args[1], "default") == 0)
		return server_change(ctl, args[0], "weight", json_null());
	weight = strtol(args[1], &end, 10);
	if (end == args[1] || *end || weight < 0 || weight > WEIGHT_MOST) {
		err_set(&ctl->err, 0,
			"a weight is a number from 0 to %d, or \"default\", not \"%s\"",
			WEIGHT_MOST, args[1]);
		return CTL_USAGE;
	}
	return server_change(ctl, args[0], "weight", json_integer(weight));
}
