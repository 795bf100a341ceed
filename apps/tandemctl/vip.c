/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/fields.h"
#include "apps/tandemctl/nouns.h"

void vip_table(const struct screen *s, const json_t *vips)
{
	static const struct field fields[] = {
		{ .title = "VIP", .key = "name" },
		{ .title = "ADDRESS", .key = "address" },
		{ .title = "INTERFACE", .key = "interface" },
		{ .title = "KIND", .key = "kind" },
		{ .title = "DROPS", .key = "drops", .print = field_sum, .flags = FIELD_RIGHT },
		{ .title = "SERVICES", .key = "services" },
	};

	fields_table(s, vips, FIELDS(fields));
}

enum ctl_exit vip_list(struct ctl *ctl, char **args)
{
	(void)args;
	return noun_list(ctl, "vips", vip_table);
}

/* Without a virtual one. */
static void print_mac(FILE *out, const json_t *mac, time_t now)
{
	if (json_is_string(mac))
		field_plain(out, mac, now);
	else
		fputs("the interface's own", out);
}

enum ctl_exit vip_show(struct ctl *ctl, char **args)
{
	static const struct field fields[] = {
		{ .title = "vip", .key = "name" },
		{ .title = "address", .key = "address" },
		{ .title = "interface", .key = "interface" },
		{ .title = "mac", .key = "mac", .print = print_mac },
		{ .title = "kind", .key = "kind" },
		{ .title = "id", .key = "id" },
		{ .title = "services", .key = "services" },
	};
	json_t *vip;
	enum ctl_exit rc = api_get_named(ctl, "vips", args[0], &vip);

	if (!rc && !ctl->json) {
		fields_record(&ctl->screen, vip, FIELDS(fields));
		drop_table(&ctl->screen, json_object_get(vip, "drops"));
	}
	json_decref(vip);
	return rc;
}
