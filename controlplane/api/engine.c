/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/nouns.h"

void api_engine_detach(struct call *c)
{
	static const char *const members[] = { NULL };
	json_t *body = call_body(c, members);
	struct err e = { "" };
	int n;

	if (!body)
		return;
	json_decref(body);
	n = site_detach(c->site, &e);
	if (n < 0)
		call_problem(c, call_status(n), "%s", e.text);
	else
		call_reply(c, json_pack("{s:i}", "interfaces", n));
}
