/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/nouns.h"

/* "2 of 3": how many of its servers take new flows; "-": it has none but the appliance. */
static void print_serving(FILE *out, const json_t *service, time_t now)
{
	if (json_is_null(json_object_get(service, "pool"))) {
		fputs("-", out);
		return;
	}
	field_plain(out, json_object_get(service, "serving"), now);
	fputs(" of ", out);
	field_plain(out, json_object_get(service, "servers"), now);
}

/* "auto, from 10000 SYNs in a second on"; "-": off. */
static void print_cookies(FILE *out, const json_t *service, time_t now)
{
	if (!json_is_integer(json_object_get(service, "syn_threshold"))) {
		putc('-', out);
		return;
	}
	field_plain(out, json_object_get(service, "syn_cookies"), now);
	fputs(", from ", out);
	field_plain(out, json_object_get(service, "syn_threshold"), now);
	fputs(" SYNs in a second on", out);
}

/* "for 2m 5s, 51234 SYNs in a second; 17 connections begun by cookies" */
static void print_flood(FILE *out, const json_t *flood, time_t now)
{
	if (!json_is_object(flood)) {
		putc('-', out);
		return;
	}
	if (json_is_true(json_object_get(flood, "on"))) {
		fputs("for ", out);
		field_age(out, json_object_get(flood, "since"), now);
		fputs(", ", out);
		field_plain(out, json_object_get(flood, "syns_per_s"), now);
		fputs(" SYNs answered in a second; ", out);
	} else {
		fputs("none; ", out);
	}
	field_plain(out, json_object_get(flood, "proxied"), now);
	fputs(" connections begun by cookies", out);
}

void service_table(const struct screen *s, const json_t *services)
{
	static const struct field fields[] = {
		{ .title = "SERVICE", .key = "name" },
		{ .title = "VIP", .key = "vip" },
		{ .title = "ADDRESS", .print = field_endpoint },
		{ .title = "PROTOCOL", .key = "protocol" },
		{ .title = "FORWARD", .key = "forward" },
		{ .title = "POOL", .key = "pool" },
		{ .title = "SERVING", .print = print_serving },
		{ .title = "PACKETS", .key = "packets", .flags = FIELD_RIGHT },
		{ .title = "BYTES", .key = "bytes", .flags = FIELD_RIGHT },
		{ .title = "DROPS", .key = "drops", .print = field_sum, .flags = FIELD_RIGHT },
	};

	fields_table(s, services, FIELDS(fields));
}

enum ctl_exit service_list(struct ctl *ctl, char **args)
{
	(void)args;
	return noun_list(ctl, "services", service_table);
}

enum ctl_exit service_show(struct ctl *ctl, char **args)
{
	static const struct field fields[] = {
		{ .title = "service", .key = "name" },
		{ .title = "vip", .key = "vip" },
		{ .title = "address", .print = field_endpoint },
		{ .title = "protocol", .key = "protocol" },
		{ .title = "forward", .key = "forward" },
		{ .title = "pool", .key = "pool" },
		{ .title = "serving", .print = print_serving },
		{ .title = "syn cookies", .print = print_cookies, .flags = FIELD_OPTIONAL },
		{ .title = "flood", .key = "flood", .print = print_flood, .flags = FIELD_OPTIONAL },
		{ .title = "packets", .key = "packets" },
		{ .title = "bytes", .key = "bytes" },
		{ .title = "id", .key = "id" },
	};
	json_t *service;
	enum ctl_exit rc = api_get_named(ctl, "services", args[0], &service);

	if (!rc && !ctl->json) {
		fields_record(&ctl->screen, service, FIELDS(fields));
		drop_table(&ctl->screen, json_object_get(service, "drops"));
	}
	json_decref(service);
	return rc;
}
