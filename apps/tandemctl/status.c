/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/nouns.h"
#include "apps/tandemctl/text.h"

static void print_config(FILE *out, const json_t *config, time_t now)
{
	field_plain(out, json_object_get(config, "path"), now);
	fputs(", applied ", out);
	field_age(out, json_object_get(config, "applied"), now);
	fputs(" ago", out);
}

/* "; serving for 2h 5m; gone 2 times, the last for 312 ms" */
static void print_run(FILE *out, const json_t *engine, time_t now)
{
	json_int_t gaps = json_integer_value(json_object_get(engine, "gaps"));
	const json_t *last = json_object_get(engine, "last_gap_ms");

	if (json_is_string(json_object_get(engine, "state"))) {
		fputs("; ", out);
		field_plain(out, json_object_get(engine, "state"), now);
		fputs(" for ", out);
		field_age(out, json_object_get(engine, "since"), now);
	}
	if (gaps)
		fprintf(out, "; gone %lld time%s", (long long)gaps, gaps == 1 ? "" : "s");
	if (json_is_integer(last))
		fprintf(out, ", the last for %lld ms", (long long)json_integer_value(last));
}

static void print_engine(FILE *out, const json_t *engine, time_t now)
{
	const json_t *polling = json_object_get(engine, "polling");

	field_plain(out, json_object_get(engine, "type"), now);
	if (json_is_string(polling))
		fprintf(out, ", %s", json_string_value(polling));
	fputs(", generation ", out);
	field_plain(out, json_object_get(engine, "generation"), now);
	if (json_is_true(json_object_get(engine, "adopted")))
		fputs(", adopted from the daemon before", out);
	if (json_is_true(json_object_get(engine, "detached")))
		fputs(", detached", out);
	print_run(out, engine, now);
}

/* What was added to lo for services of this host's own stack. */
static void print_addresses(FILE *out, const json_t *engine, time_t now)
{
	field_plain(out, json_object_get(engine, "addresses"), now);
}

/* Of this host's TCP stack: "net.ipv4.tcp_syncookies (was 1), net.ipv4.tcp_timestamps (was 1)" */
static void print_settings(FILE *out, const json_t *engine, time_t now)
{
	const json_t *settings = json_object_get(engine, "settings");

	if (!json_array_size(settings))
		putc('-', out);
	for (size_t i = 0; i < json_array_size(settings); i++) {
		const json_t *one = json_array_get(settings, i);

		fputs(i ? ", " : "", out);
		field_plain(out, json_object_get(one, "name"), now);
		fputs(" (was ", out);
		field_plain(out, json_object_get(one, "was"), now);
		putc(')', out);
	}
}

/* "9 of 10 serving; 9 up, 1 down, 0 starting; 0 drain, 0 maint" */
static void print_servers(FILE *out, const json_t *servers, time_t now)
{
	static const struct {
		const char *key, *after;
	} parts[] = {
		{ "serving", " of " },
		{ "total", " serving; " },
		{ "up", " up, " },
		{ "down", " down, " },
		{ "starting", " starting; " },
		{ "drain", " drain, " },
		{ "maint", " maint" },
	};

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		field_plain(out, json_object_get(servers, parts[i].key), now);
		fputs(parts[i].after, out);
	}
}

/* "5 of 1048576: 3 live, 2 embryonic, 0 closing; evicted: 0 void, 0 embryonic, 0 agreeing, 0 live; 0 not
 * recorded" */
static void print_records(FILE *out, const json_t *records, time_t now)
{
	const json_t *evicted = json_object_get(records, "evicted");
	json_int_t used = 0;
	static const struct {
		const char *key, *after;
		bool evicted;
	} parts[] = {
		{ "capacity", ": ", false },
		{ "live", " live, ", false },
		{ "embryonic", " embryonic, ", false },
		{ "closing", " closing; evicted: ", false },
		{ "void", " void, ", true },
		{ "embryonic", " embryonic, ", true },
		{ "agreeing", " agreeing, ", true },
		{ "live", " live; ", true },
		{ "not_recorded", " not recorded", false },
	};

	if (!json_is_object(records)) {
		putc('-', out);
		return;
	}
	for (int i = 1; i <= 3; i++)
		used += json_integer_value(json_object_get(records, parts[i].key));
	fprintf(out, "%lld of ", (long long)used);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		field_plain(out,
			json_object_get(parts[i].evicted ? evicted : records, parts[i].key), now);
		fputs(parts[i].after, out);
	}
}

static void port_table(const struct screen *s, const json_t *ports)
{
	static const struct field fields[] = {
		{ .title = "PORT", .key = "name" },
		{ .title = "DEVICE", .key = "device" },
		{ .title = "IFINDEX", .key = "ifindex", .flags = FIELD_RIGHT },
		{ .title = "MODE", .key = "mode" },
	};

	fields_table(s, ports, FIELDS(fields));
}

static void worker_table(const struct screen *s, const json_t *workers)
{
	static const struct field fields[] = {
		{ .title = "WORKER", .key = "worker", .flags = FIELD_RIGHT },
		{ .title = "CPU", .key = "cpu", .flags = FIELD_RIGHT },
		{ .title = "BUSY %", .key = "busy_percent", .flags = FIELD_RIGHT },
		{ .title = "BUSY CYCLES", .key = "busy_cycles", .flags = FIELD_RIGHT },
		{ .title = "IDLE CYCLES", .key = "idle_cycles", .flags = FIELD_RIGHT },
		{ .title = "SLEEPS", .key = "sleeps", .flags = FIELD_RIGHT },
	};

	fields_table(s, workers, FIELDS(fields));
}

static void warning_list(const struct screen *s, const json_t *warnings)
{
	for (size_t i = 0; i < json_array_size(warnings); i++) {
		json_t *entry = json_array_get(warnings, i);
		char *text = text_escape(json_is_string(entry) ? json_string_value(entry) : "-");

		fprintf(s->out, "%swarning:%s %s\n", s->colour ? "\033[33m" : "",
			s->colour ? "\033[0m" : "", text);
		free(text);
	}
}

/* A table under an empty line, unless it would be empty. */
static void section(const struct screen *s, const json_t *rows,
	void (*table)(const struct screen *s, const json_t *rows))
{
	if (!json_array_size(rows))
		return;
	putc('\n', s->out);
	table(s, rows);
}

/* What the picture is made of, in the order of asking. */
enum { STATUS, VIPS, SERVICES, POOLS, N_REPLIES };

static void status_print(const struct screen *s, json_t *const replies[N_REPLIES])
{
	static const struct field fields[] = {
		{ .title = "node", .key = "node" },
		{ .title = "version", .key = "version" },
		{ .title = "running for", .key = "started", .print = field_age },
		{ .title = "config", .key = "config", .print = print_config },
		{ .title = "engine", .key = "engine", .print = print_engine },
		{ .title = "on lo",
			.key = "engine",
			.print = print_addresses,
			.flags = FIELD_OPTIONAL },
		{ .title = "changed",
			.key = "engine",
			.print = print_settings,
			.flags = FIELD_OPTIONAL },
		{ .title = "servers", .key = "servers", .print = print_servers },
		{ .title = "records",
			.key = "records",
			.print = print_records,
			.flags = FIELD_OPTIONAL },
	};
	const json_t *status = replies[STATUS];
	json_t *servers = pool_servers(json_object_get(replies[POOLS], "pools"));

	fields_record(s, status, FIELDS(fields));
	section(s, json_object_get(json_object_get(status, "engine"), "ports"), port_table);
	section(s, json_object_get(json_object_get(status, "engine"), "workers"), worker_table);
	section(s, json_object_get(replies[VIPS], "vips"), vip_table);
	section(s, json_object_get(replies[SERVICES], "services"), service_table);
	section(s, servers, server_table);
	section(s, json_object_get(status, "changes"), change_table);
	section(s, json_object_get(status, "warnings"), warning_list);
	json_decref(servers);
}

enum ctl_exit status_show(struct ctl *ctl, char **args)
{
	static const char *const targets[N_REPLIES] = {
		[STATUS] = "/v1/status",
		[VIPS] = "/v1/vips",
		[SERVICES] = "/v1/services",
		[POOLS] = "/v1/pools",
	};
	json_t *replies[N_REPLIES] = { NULL };
	enum ctl_exit rc = api_get(ctl, targets[STATUS], &replies[STATUS]);

	(void)args;
	if (!ctl->json) {
		for (int i = STATUS + 1; !rc && i < N_REPLIES; i++)
			rc = api_get(ctl, targets[i], &replies[i]);
		if (!rc)
			status_print(&ctl->screen, replies);
	}
	for (int i = 0; i < N_REPLIES; i++)
		json_decref(replies[i]);
	return rc;
}
