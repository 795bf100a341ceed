/* SPDX-License-Identifier: BSD-2-Clause */
/* What only one of the engines reads. */
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"

static const config_setting_t *member(const config_setting_t *group, const char *word)
{
	return group ? config_setting_get_member(group, word) : NULL;
}

static void check_xdp(struct conf_tree *t, const config_setting_t *engine)
{
	const config_setting_t *mode = member(engine, "mode");

	if (mode)
		diags_add(t->diags, DIAG_WARNING, t->text, &conf_place_of(mode)->value,
			"\"engine.mode\" counts for nothing with type = \"dpdk\": it says how XDP programs "
			"are attached");
}

static void check_dpdk(struct conf_tree *t, const config_setting_t *engine)
{
	const config_setting_t *dpdk = member(engine, "dpdk");

	if (dpdk)
		diags_add(t->diags, DIAG_WARNING, t->text, &conf_place_of(dpdk)->key,
			"\"engine.dpdk\" counts for nothing with type = \"xdp\": it says what tandem-dpdk "
			"takes of this machine");
	for (unsigned i = 0; i < t->conf->n_interfaces; i++)
		if (conf_tree_setting(t, CONF_INTERFACE, i, "port"))
			diags_add(t->diags, DIAG_WARNING, t->text,
				conf_tree_spot(t, CONF_INTERFACE, i, "port"),
				"\"port\" of interface \"%.63s\" counts for nothing with type = \"xdp\": XDP "
				"programs are attached to \"device\", which the kernel runs",
				t->conf->interfaces[i].name);
}

static void check_descriptors(struct conf_tree *t, const config_setting_t *engine)
{
	uint32_t n = t->conf->engine.dpdk.descriptors;
	const config_setting_t *s = member(member(engine, "dpdk"), "descriptors");

	if (s && n & (n - 1))
		diags_add(t->diags, DIAG_ERROR, t->text, &conf_place_of(s)->value,
			"\"engine.dpdk.descriptors\" must be a power of two, such as 1024, not %u",
			n);
}

int conf_check_engine(struct conf_tree *t)
{
	const config_setting_t *engine = config_setting_get_member(t->root, "engine"),
			       *type = member(engine, "type");

	check_descriptors(t, engine);
	if (type && conf_place_of(type)->bad)
		return 0;
	if (t->conf->engine.type == CONF_ENGINE_DPDK)
		check_xdp(t, engine);
	else
		check_dpdk(t, engine);
	return 0;
}
