/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/nouns.h"
#include <stdlib.h>
#include "apps/tandemctl/api.h"
#include "apps/tandemctl/text.h"

enum ctl_exit noun_list(struct ctl *ctl, const char *nouns,
	void (*table)(const struct screen *s, const json_t *rows))
{
	char *target = text_printf("/v1/%s", nouns);
	json_t *reply;
	enum ctl_exit rc = api_get(ctl, target, &reply);

	if (!rc && !ctl->json)
		table(&ctl->screen, json_object_get(reply, nouns));
	json_decref(reply);
	free(target);
	return rc;
}
