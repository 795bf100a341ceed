/* SPDX-License-Identifier: BSD-2-Clause */
/* What only one of the engines reads. */
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"

int conf_check_engine(struct conf_tree *t)
{
	const config_setting_t *group = config_setting_get_member(t->root, "engine"),
			       *mode = group ? config_setting_get_member(group, "mode") : NULL;

	if (t->conf->engine.type == CONF_ENGINE_DPDK && mode)
		diags_add(t->diags, DIAG_WARNING, t->text, &conf_place_of(mode)->value,
			"\"engine.mode\" counts for nothing with type = \"dpdk\": it says how XDP programs "
			"are attached");
	return 0;
}
