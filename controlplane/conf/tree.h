/* SPDX-License-Identifier: BSD-2-Clause */
/* What was read, with the way back to the text: for messages of the reader and the checks. */
#pragma once
#include <libconfig.h>
#include "controlplane/conf/conf.h"
#include "controlplane/conf/memory.h"
#include "controlplane/conf/scan.h"
#include "controlplane/conf/schema.h"

struct conf_tree {
	/* A value with an error keeps its default; without one it is 0, NULL or CONF_NO_REF. */
	struct conf *conf;
	const struct conf_text *text;
	struct diags *diags;
	config_setting_t *root;
	/* The group of every object, in the order of conf's arrays; from `memory`. */
	const config_setting_t **objects[CONF_KINDS];
	/* Indices of objects in the order of their names; not for servers. */
	unsigned *by_name[CONF_KINDS];
	struct conf_memory *memory;	/* of the tree itself */
	const struct conf_files *files; /* NULL: files that are named are not read */
	size_t guesses; /* candidates that may still be looked at for "did you mean" */
};

#define CONF_LABEL 256

/* Whose keys they are, in words: `service "web"`, `server "web/web1"`. Writes to buf and returns it. */
const char *conf_tree_name(
	const struct conf_tree *t, enum conf_kind kind, unsigned i, char buf[CONF_LABEL]);

/* The setting of an object's key, or NULL when it was not given. */
const config_setting_t *conf_tree_setting(
	const struct conf_tree *t, enum conf_kind kind, unsigned i, const char *key);

/* Whether an error was found in the value of an object's key. */
bool conf_tree_bad(const struct conf_tree *t, enum conf_kind kind, unsigned i, const char *key);

/* Whether a key without a default was given, and well. */
bool conf_tree_sure(const struct conf_tree *t, enum conf_kind kind, unsigned i, const char *key);

/* Where to point at for an object's key: its value; the object's name when the key was not given. */
const struct conf_spot *conf_tree_spot(
	const struct conf_tree *t, enum conf_kind kind, unsigned i, const char *key);

/* Where the object's own name stands. */
const struct conf_spot *conf_tree_object_spot(
	const struct conf_tree *t, enum conf_kind kind, unsigned i);
