/* SPDX-License-Identifier: BSD-2-Clause */
/* What the file declares but nothing uses: allowed, yet often a slip. */
#include <errno.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"

static void warn_unused(struct conf_tree *t, enum conf_kind kind, const bool *used, const char *by)
{
	char name[CONF_LABEL];

	for (unsigned i = 0; i < conf_count(t->conf, kind); i++)
		if (!used[i])
			diags_add(t->diags, DIAG_WARNING, t->text,
				conf_tree_object_spot(t, kind, i), "%s is used by no %s",
				conf_tree_name(t, kind, i, name), by);
}

/* Only of a file without errors: else a mistyped reference would be reported twice. */
int conf_check_unused(struct conf_tree *t)
{
	const struct conf *c = t->conf;
	bool *vips = conf_memory_take(t->memory, c->n_vips, sizeof *vips),
	     *pools = conf_memory_take(t->memory, c->n_pools, sizeof *pools),
	     *healths = conf_memory_take(t->memory, c->n_healths, sizeof *healths);

	if (!vips || !pools || !healths)
		return -ENOMEM;
	if (t->diags->n_errors)
		return 0;
	for (unsigned i = 0; i < c->n_services; i++) {
		vips[c->services[i].vip] = true;
		for (int p = (int)c->services[i].pool; p >= 0;
			p = conf_pool_fallback(c, (unsigned)p))
			pools[p] = true;
	}
	for (unsigned i = 0; i < c->n_pools; i++) {
		if (c->pools[i].health >= 0)
			healths[c->pools[i].health] = true;
		if (!c->pools[i].n_servers)
			diags_add(t->diags, DIAG_WARNING, t->text,
				conf_tree_object_spot(t, CONF_POOL, i),
				"pool \"%.63s\" has no servers", c->pools[i].name);
	}
	warn_unused(t, CONF_VIP, vips, "service");
	warn_unused(t, CONF_POOL, pools, "service");
	warn_unused(t, CONF_HEALTH, healths, "pool");
	return 0;
}
