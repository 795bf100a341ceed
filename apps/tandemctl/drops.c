/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/nouns.h"

/* The VIP's name; null counts every packet, whichever its destination. */
static void print_vip(FILE *out, const json_t *vip, time_t now)
{
	if (json_is_null(vip))
		fputs("(all)", out);
	else
		field_plain(out, vip, now);
}

static void verdict_table(const struct screen *s, const json_t *drops)
{
	static const struct field fields[] = {
		{ .title = "VIP", .key = "vip", .print = print_vip },
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
