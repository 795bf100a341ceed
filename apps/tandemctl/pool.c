/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/nouns.h"

/* "2 of 3": how many of its servers take new flows. */
static void print_serving(FILE *out, const json_t *pool, time_t now)
{
	const json_t *servers = json_object_get(pool, "servers");
	size_t serving = 0;

	(void)now;
	for (size_t i = 0; i < json_array_size(servers); i++)
		serving += json_is_true(json_object_get(json_array_get(servers, i), "serving"));
	fprintf(out, "%zu of %zu", serving, json_array_size(servers));
}

/* "2, failed servers are used", or "-" for a pool that needs none. */
static void print_min_up(FILE *out, const json_t *pool, time_t now)
{
	const json_t *min_up = json_object_get(pool, "min_up");

	field_plain(out, json_integer_value(min_up) ? min_up : NULL, now);
	if (json_is_true(json_object_get(pool, "below_min_up")))
		fputs(", failed servers are used", out);
}

/* "1024, 12 tracked" */
static void print_slots(FILE *out, const json_t *pool, time_t now)
{
	const json_t *tracked = json_object_get(pool, "slots_tracked");

	field_plain(out, json_object_get(pool, "slots"), now);
	if (!json_is_integer(tracked))
		return;
	fputs(", ", out);
	field_plain(out, tracked, now);
	fputs(" tracked", out);
}

static void pool_table(const struct screen *s, const json_t *pools)
{
	static const struct field fields[] = {
		{ .title = "POOL", .key = "name" },
		{ .title = "HEALTH", .key = "health" },
		{ .title = "SERVING", .print = print_serving },
		{ .title = "RECORDS", .key = "records", .flags = FIELD_RIGHT | FIELD_OPTIONAL },
		{ .title = "SLOTS", .key = "slots", .flags = FIELD_RIGHT | FIELD_OPTIONAL },
		{ .title = "TRACKED",
			.key = "slots_tracked",
			.flags = FIELD_RIGHT | FIELD_OPTIONAL },
		{ .title = "SERVICES", .key = "services" },
	};

	fields_table(s, pools, FIELDS(fields));
}

json_t *pool_servers(const json_t *pools)
{
	json_t *all = json_array();

	for (size_t i = 0; i < json_array_size(pools); i++) {
		json_t *pool = json_array_get(pools, i);
		json_t *servers = json_object_get(pool, "servers");

		if (json_is_array(servers))
			json_array_extend(all, servers);
	}
	return all;
}

/* Whether an operator wants something else of the server than the configuration says. */
static bool is_changed(const json_t *server)
{
	const char *wanted = json_string_value(json_object_get(server, "wanted"));

	return (wanted && strcmp(wanted, "ready") != 0) ||
	       !json_equal(json_object_get(server, "weight"),
		       json_object_get(server, "weight_configured"));
}

static json_t *changed_servers(const json_t *servers)
{
	json_t *changed = json_array();

	for (size_t i = 0; i < json_array_size(servers); i++)
		if (is_changed(json_array_get(servers, i)))
			json_array_append(changed, json_array_get(servers, i));
	return changed;
}

enum ctl_exit pool_list(struct ctl *ctl, char **args)
{
	(void)args;
	return noun_list(ctl, "pools", pool_table);
}

static void pool_print(const struct screen *s, const json_t *pool)
{
	static const struct field fields[] = {
		{ .title = "pool", .key = "name" },
		{ .title = "health", .key = "health" },
		{ .title = "services", .key = "services" },
		{ .title = "serving", .print = print_serving },
		{ .title = "when empty", .key = "when_empty", .flags = FIELD_OPTIONAL },
		{ .title = "fallen back on", .key = "fallen_back_on", .flags = FIELD_OPTIONAL },
		{ .title = "encapsulation", .key = "encapsulation", .flags = FIELD_OPTIONAL },
		{ .title = "min up", .print = print_min_up, .flags = FIELD_OPTIONAL },
		{ .title = "records", .key = "records", .flags = FIELD_OPTIONAL },
		{ .title = "slots", .print = print_slots, .flags = FIELD_OPTIONAL },
	};
	const json_t *servers = json_object_get(pool, "servers");
	json_t *changed = changed_servers(servers);

	fields_record(s, pool, FIELDS(fields));
	putc('\n', s->out);
	server_table(s, servers);
	if (json_array_size(changed)) {
		putc('\n', s->out);
		change_table(s, changed);
	}
	json_decref(changed);
}

enum ctl_exit pool_show(struct ctl *ctl, char **args)
{
	json_t *pool;
	enum ctl_exit rc = api_get_named(ctl, "pools", args[0], &pool);

	if (!rc && !ctl->json)
		pool_print(&ctl->screen, pool);
	json_decref(pool);
	return rc;
}
