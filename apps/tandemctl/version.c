/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/fields.h"

enum ctl_exit version_show(struct ctl *ctl, char **args)
{
	static const struct field fields[] = {
		{ .title = "tandemctl", .key = "tandemctl" },
		{ .title = "tandemd", .key = "version" },
		{ .title = "node", .key = "node" },
	};
	json_t *reply;
	enum ctl_exit rc = api_get(ctl, "/v1/version", &reply);

	(void)args;
	if (!ctl->json) {
		json_t *shown = json_pack("{s:s}", "tandemctl", TANDEM_VERSION);

		if (!rc)
			json_object_update_missing(shown, reply);
		fields_record(
			&ctl->screen, shown, fields, rc ? 1 : sizeof fields / sizeof fields[0]);
		json_decref(shown);
	}
	json_decref(reply);
	return rc;
}
