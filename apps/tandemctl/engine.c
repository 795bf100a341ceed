/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/api.h"

enum ctl_exit engine_detach_ports(struct ctl *ctl, char **args)
{
	json_t *reply;
	enum ctl_exit rc = api_call(ctl, "POST", "/v1/engine/detach", json_object(), &reply);

	(void)args;
	if (rc == CTL_UNREACHABLE)
		ctl_hint(&ctl->err, "; without a daemon, `tandemd --detach` does it");
	if (!rc && !ctl->json)
		fprintf(ctl->screen.out, "the engine is detached from %lld interfaces\n",
			(long long)json_integer_value(json_object_get(reply, "interfaces")));
	json_decref(reply);
	return rc;
}
