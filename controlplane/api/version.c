/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/nouns.h"

void api_version_get(struct call *c)
{
	call_reply(c, json_pack("{s:s, s:s}", "version", TANDEM_VERSION, "node",
			      site_conf(c->site)->node));
}
