/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/nouns.h"

/* The name of a VIP or a service; null: the row counts packets of all of them, and of none. */
static void print_whose(FILE *out, const json_t *name, time_t now)
{
	if (json_is_null(name))
		fputs("(all)", out);
	else
		field_plain(out, name, now);
}

static void verdict_table(const struct screen *s, const json_t *drops)
{
	static const struct field fields[] = {
		{ .title = "VIP", .key = "vip", .print = print_whose },
		{ .title = "SERVICE", .key = "service", .print = print_whose },
		{ .title = "VERDICT", .key = "reason" },
		{ .title = "ACTION", .key = "action" },
		{ .title = "PACKETS", .key = "count", .flags = FIELD_RIGHT },
		{ .title = "MEANING", .key = "help" },
	};

	fields_table(s, drops, FIELDS(fields));
}

enum ctl_exit drops_list(struct ctl *ctl, char **args)
{
	(void)args;
	return noun_list(ctl, "drops", verdict_table);
}

void drop_table(const struct screen *s, json_t *drops)
{
	static const struct field fields[] = {
		{ .title = "DROPPED", .key = "count", .flags = FIELD_RIGHT },
		{ .title = "REASON", .key = "reason" },
	};
	json_t *rows = json_array();

	for (void *i = json_object_iter(drops); i; i = json_object_iter_next(drops, i))
		json_array_append_new(
			rows, json_pack("{s:s, s:O}", "reason", json_object_iter_key(i), "count",
				      json_object_iter_value(i)));
	if (json_array_size(rows)) {
		putc('\n', s->out);
		fields_table(s, rows, FIELDS(fields));
	}
	json_decref(rows);
}
