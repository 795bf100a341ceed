/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/nouns.h"

static void health_table(const struct screen *s, const json_t *checks)
{
	static const struct field fields[] = {
		{ .title = "SERVER", .key = "server" },
		{ .title = "CHECK", .key = "check" },
		{ .title = "TYPE", .key = "type" },
		{ .title = "TARGET", .key = "target" },
		{ .title = "STATE", .key = "state", .flags = FIELD_STATE },
		{ .title = "FOR", .key = "since", .print = field_age, .flags = FIELD_RIGHT },
		{ .title = "PROBES", .key = "probes", .flags = FIELD_RIGHT },
		{ .title = "FAILED", .key = "failures", .flags = FIELD_RIGHT },
		{ .title = "STREAK", .key = "streak", .flags = FIELD_RIGHT },
		{ .title = "OK", .key = "last_ok", .flags = FIELD_STATE },
		{ .title = "TOOK",
			.key = "last_duration_us",
			.print = field_milliseconds,
			.flags = FIELD_RIGHT },
		{ .title = "AGO", .key = "last_probe", .print = field_age, .flags = FIELD_RIGHT },
		{ .title = "LAST CHECK", .key = "reason", .flags = FIELD_OPTIONAL },
	};

	fields_table(s, checks, FIELDS(fields));
}

enum ctl_exit health_list(struct ctl *ctl, char **args)
{
	(void)args;
	return noun_list(ctl, "health", health_table);
}
