/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader's sentences: what was found, what is wanted, what was probably meant. Each marks the place
 * of the setting as bad, so that no check speaks of it again. */
#pragma once
#include "controlplane/conf/tree.h"

/* Whose keys are being read. */
struct conf_owner {
	enum conf_kind kind; /* CONF_KINDS: no object but a section or the file */
	const char *path;    /* of the schema: "services.*", "engine", "" */
	const char *name;    /* of the object */
	const char *pool;    /* of the server's pool */
};

extern const struct conf_owner conf_owner_file;

/* The key is not in the schema. */
void conf_complain_unknown(
	struct conf_tree *t, const struct conf_owner *owner, const config_setting_t *s);
/* The value has another type than the key's. */
void conf_complain_type(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s);
/* conf_value_parse() returned rc for the value. */
void conf_complain_value(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s, int rc);
/* Element i of an array of prefixes is none. */
void conf_complain_prefix(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s, int i);
/* A required key is not there; group is where it should be, NULL when that is missing too. */
void conf_complain_missing(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *group);
/* A group that must have objects has none. */
void conf_complain_empty(
	struct conf_tree *t, const struct conf_key *key, const config_setting_t *s);
/* A member of a group of objects is not a group itself. */
void conf_complain_object(
	struct conf_tree *t, const struct conf_key *key, const config_setting_t *s);
/* The object's name is too long. */
void conf_complain_name(struct conf_tree *t, const struct conf_key *key, const config_setting_t *s);
/* The object's own name, which the key takes when it is not given, does not do: it must `why`. */
void conf_complain_own_name(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *group, const char *why);
/* The key goes with another "type" than the object's, which is `type`. */
void conf_complain_fit(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s, const char *type);
/* The key goes with every "forward" but the object's. */
void conf_complain_without(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s);
/* The reference of the i-th object of `kind` leads nowhere. */
void conf_complain_reference(
	struct conf_tree *t, const struct conf_key *key, enum conf_kind kind, unsigned i);
