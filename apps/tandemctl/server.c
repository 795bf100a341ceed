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

/* Of servers that are to be drained only: of others it is no news. */
static void print_drained(FILE *out, const json_t *server, time_t now)
{
	const char *wanted = json_string_value(json_object_get(server, "wanted"));
	bool asked = wanted && strcmp(wanted, "drain") == 0;

	field_plain(out, asked ? json_object_get(server, "drained") : NULL, now);
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
		{ .title = "RECORDS", .key = "records", .flags = FIELD_RIGHT | FIELD_OPTIONAL },
		{ .title = "SLOTS", .key = "slots", .flags = FIELD_RIGHT | FIELD_OPTIONAL },
		{ .title = "BASE", .key = "base_slots", .flags = FIELD_RIGHT | FIELD_OPTIONAL },
		{ .title = "DRAINED",
			.print = print_drained,
			.flags = FIELD_STATE | FIELD_OPTIONAL },
		{ .title = "PATH MTU", .key = "path_mtu", .flags = FIELD_RIGHT | FIELD_OPTIONAL },
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
		{ .title = "records", .key = "records", .flags = FIELD_OPTIONAL },
		{ .title = "slots", .key = "slots", .flags = FIELD_OPTIONAL },
		{ .title = "base slots", .key = "base_slots", .flags = FIELD_OPTIONAL },
		{ .title = "drained",
			.print = print_drained,
			.flags = FIELD_STATE | FIELD_OPTIONAL },
	};

	fields_record(s, server, FIELDS(fields));
}

static void server_print_all(const struct screen *s, const json_t *server)
{
	static const struct field fields[] = {
		{ .title = "server", .print = print_name },
		{ .title = "address", .print = field_endpoint },
		{ .title = "wanted", .key = "wanted", .flags = FIELD_STATE },
		{ .title = "weight", .print = print_weight },
		{ .title = "state", .key = "state", .flags = FIELD_STATE },
		{ .title = "for", .key = "since", .print = field_age },
		{ .title = "serving", .key = "serving", .flags = FIELD_STATE },
		{ .title = "records", .key = "records" },
		{ .title = "slots", .key = "slots" },
		{ .title = "base slots", .key = "base_slots" },
		{ .title = "drained",
			.print = print_drained,
			.flags = FIELD_STATE | FIELD_OPTIONAL },
		{ .title = "path MTU", .key = "path_mtu", .flags = FIELD_OPTIONAL },
		{ .title = "packets", .key = "packets" },
		{ .title = "bytes", .key = "bytes" },
		{ .title = "last check", .key = "reason", .flags = FIELD_OPTIONAL },
		{ .title = "who", .key = "who", .flags = FIELD_OPTIONAL },
		{ .title = "when (UTC)",
			.key = "when",
			.print = field_time,
			.flags = FIELD_OPTIONAL },
		{ .title = "why", .key = "why", .flags = FIELD_OPTIONAL },
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

/* Asks for a server, or changes it by a body, which is given away. */
static enum ctl_exit server_call(
	struct ctl *ctl, const char *name, const char *method, json_t *body, struct api_answer *out)
{
	char *target = server_target(name);
	enum ctl_exit rc;

	*out = (struct api_answer){ 0 };
	if (!target) {
		json_decref(body);
		err_set(&ctl->err, 0, "a server is named POOL/SERVER, not \"%s\"", name);
		return CTL_USAGE;
	}
	rc = api_fetch(ctl, method, target, body, out);
	if (rc == CTL_NOT_FOUND)
		server_suggest(ctl, name);
	free(target);
	return rc;
}

enum ctl_exit server_get(struct ctl *ctl, const char *name, struct api_answer *out)
{
	return server_call(ctl, name, "GET", NULL, out);
}

/* Sends {KEY: value} as a change of the server; value is given away. */
static enum ctl_exit server_patch(
	struct ctl *ctl, const char *name, const char *key, json_t *value, struct api_answer *out)
{
	json_t *body = json_pack("{s:o}", key, value);

	if (ctl->why && json_object_set_new(body, "why", json_string(ctl->why))) {
		*out = (struct api_answer){ 0 };
		json_decref(body);
		err_set(&ctl->err, 0, "the text after --why is not UTF-8");
		return CTL_USAGE;
	}
	return server_call(ctl, name, "PATCH", body, out);
}

static enum ctl_exit server_change(
	struct ctl *ctl, const char *name, const char *key, json_t *value)
{
	struct api_answer answer;
	enum ctl_exit rc = server_patch(ctl, name, key, value, &answer);

	api_print(ctl, &answer);
	if (!rc && !ctl->json)
		server_print(&ctl->screen, answer.json);
	api_answer_clear(&answer);
	return rc;
}

enum ctl_exit server_show(struct ctl *ctl, char **args)
{
	struct api_answer answer;
	enum ctl_exit rc = server_get(ctl, args[0], &answer);

	api_print(ctl, &answer);
	if (!rc && !ctl->json)
		server_print_all(&ctl->screen, answer.json);
	api_answer_clear(&answer);
	return rc;
}

enum ctl_exit server_ready(struct ctl *ctl, char **args)
{
	return server_change(ctl, args[0], "wanted", json_string("ready"));
}

enum ctl_exit server_drain(struct ctl *ctl, char **args)
{
	struct api_answer answer;
	enum ctl_exit rc;

	if (!ctl->wait)
		return server_change(ctl, args[0], "wanted", json_string("drain"));
	rc = server_patch(ctl, args[0], "wanted", json_string("drain"), &answer);
	if (!rc)
		rc = drain_wait(ctl, args[0], &answer);
	api_print(ctl, &answer);
	api_answer_clear(&answer);
	return rc;
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
