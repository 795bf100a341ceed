/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/tree.h"
#include <stdio.h>

const char *conf_tree_name(
	const struct conf_tree *t, enum conf_kind kind, unsigned i, char buf[CONF_LABEL])
{
	const char *name = *(const char *const *)conf_object(t->conf, kind, i);

	if (kind == CONF_SERVER)
		snprintf(buf, CONF_LABEL, "server \"%.63s/%.63s\"",
			t->conf->pools[t->conf->servers[i].pool].name, name);
	else
		snprintf(buf, CONF_LABEL, "%s \"%.63s\"", conf_kinds[kind].word, name);
	return buf;
}

const config_setting_t *conf_tree_setting(
	const struct conf_tree *t, enum conf_kind kind, unsigned i, const char *key)
{
	return config_setting_get_member(t->objects[kind][i], key);
}

bool conf_tree_bad(const struct conf_tree *t, enum conf_kind kind, unsigned i, const char *key)
{
	const config_setting_t *s = conf_tree_setting(t, kind, i, key);

	return s && conf_place_of(s)->bad;
}

bool conf_tree_sure(const struct conf_tree *t, enum conf_kind kind, unsigned i, const char *key)
{
	const config_setting_t *s = conf_tree_setting(t, kind, i, key);

	return s && !conf_place_of(s)->bad;
}

const struct conf_spot *conf_tree_object_spot(
	const struct conf_tree *t, enum conf_kind kind, unsigned i)
{
	return &conf_place_of(t->objects[kind][i])->key;
}

const struct conf_spot *conf_tree_spot(
	const struct conf_tree *t, enum conf_kind kind, unsigned i, const char *key)
{
	const config_setting_t *s = conf_tree_setting(t, kind, i, key);

	return s ? &conf_place_of(s)->value : conf_tree_object_spot(t, kind, i);
}
