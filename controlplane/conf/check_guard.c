/* SPDX-License-Identifier: BSD-2-Clause */
/* From the keys and files of prefixes to lists. A file that several keys name is read once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"
#include "controlplane/conf/prefixes.h"

/* What has been read. */
struct list_file {
	struct list_file *next;
	const char *path;
	bool allow;
	struct conf_prefixes prefixes;
	uint64_t digest;
};

/* Whose keys they are: a service's, or those under guard. */
struct list_owner {
	struct conf_tree *tree;
	const config_setting_t *group;
	struct list_file **files;
};

static const config_setting_t *setting_of(const struct list_owner *o, const char *key)
{
	return o->group ? config_setting_get_member(o->group, key) : NULL;
}

static void complain(const struct list_owner *o, const config_setting_t *s, const char *path,
	const struct conf_prefix_faults *faults)
{
	struct conf_tree *t = o->tree;

	conf_place_of(s)->bad = true;
	for (unsigned i = 0; i < faults->n && i < CONF_PREFIX_FAULTS; i++)
		diags_add(t->diags, DIAG_ERROR, t->text, &conf_place_of(s)->value, "%s:%s", path,
			faults->text[i]);
	if (faults->n > CONF_PREFIX_FAULTS)
		diags_add(t->diags, DIAG_ERROR, t->text, &conf_place_of(s)->value,
			"%s: %u more lines are wrong", path, faults->n - CONF_PREFIX_FAULTS);
}

static int read_file(
	const struct list_owner *o, const char *key, const char *path, struct list_file *file)
{
	struct conf_prefix_faults faults;
	const config_setting_t *s = setting_of(o, key);
	struct conf_tree *t = o->tree;
	struct err e;
	char *text;
	int rc;

	if (!t->files)
		return 0;
	rc = t->files->read(t->files->arg, path, &text, &e);
	if (rc) {
		conf_place_of(s)->bad = true;
		diags_add(t->diags, DIAG_ERROR, t->text, &conf_place_of(s)->value, "%s", e.text);
		return rc == -ENOMEM ? rc : 0;
	}
	rc = conf_prefixes_parse(text, file->allow, t->conf->memory, &file->prefixes, &faults);
	free(text);
	if (rc == -EINVAL)
		complain(o, s, path, &faults);
	file->digest = conf_prefixes_digest(0, file->prefixes.list, file->prefixes.n);
	return rc == -ENOMEM ? rc : 0;
}

/* The prefixes of a file; of one that cannot be read none. */
static int take_file(const struct list_owner *o, const char *key, const char *path, bool allow,
	struct list_file **out)
{
	struct list_file *f = *o->files;

	while (f && (f->allow != allow || strcmp(f->path, path) != 0))
		f = f->next;
	*out = f;
	if (f)
		return 0;
	f = conf_memory_take(o->tree->memory, 1, sizeof *f);
	if (!f)
		return -ENOMEM;
	*f = (struct list_file){ .next = *o->files, .path = path, .allow = allow };
	*out = *o->files = f;
	return read_file(o, key, path, f);
}

/* A part of a list that has prefixes. */
struct part {
	const struct conf_prefixes *prefixes;
	uint64_t digest;
};

/* A list of one part is that part, and is not copied. */
static int join(struct conf_tree *t, struct conf_list *list, const struct part *parts, unsigned n)
{
	uint32_t at = 0;

	list->digest = list->only + 1u;
	for (unsigned i = 0; i < n; i++) {
		list->n += parts[i].prefixes->n;
		list->digest = list->digest * 31 + parts[i].digest;
	}
	if (n == 1)
		list->prefixes = parts[0].prefixes->list;
	if (n < 2)
		return 0;
	list->prefixes = conf_memory_take(t->conf->memory, list->n, sizeof *list->prefixes);
	if (!list->prefixes)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		memcpy(list->prefixes + at, parts[i].prefixes->list,
			parts[i].prefixes->n * sizeof *list->prefixes);
		at += parts[i].prefixes->n;
	}
	return 0;
}

static unsigned add_part(
	struct part *parts, unsigned n, const struct conf_prefixes *prefixes, uint64_t digest)
{
	if (!prefixes->n)
		return n;
	parts[n] = (struct part){ prefixes, digest };
	return n + 1;
}

static int make_list(const struct list_owner *o, struct conf_sources *s)
{
	struct {
		const char *key, *path;
		const struct conf_prefixes *written;
		bool allow;
	} const halves[] = {
		{ "allow_file", s->allow_file, &s->allow, true },
		{ "deny_file", s->deny_file, &s->deny, false },
	};
	struct part parts[4];
	unsigned n = 0;

	s->list.only = s->allow.given || *s->allow_file;
	for (unsigned i = 0; i < 2; i++) {
		const struct conf_prefixes *w = halves[i].written;
		struct list_file *file;
		int rc;

		n = add_part(parts, n, w, conf_prefixes_digest(1, w->list, w->n));
		if (!*halves[i].path)
			continue;
		rc = take_file(o, halves[i].key, halves[i].path, halves[i].allow, &file);
		if (rc)
			return rc;
		n = add_part(parts, n, &file->prefixes, file->digest);
	}
	return join(o->tree, &s->list, parts, n);
}

int conf_check_guard(struct conf_tree *t)
{
	const config_setting_t *group = config_setting_get_member(t->root, "guard");
	struct list_file *files = NULL;
	struct list_owner o = { .tree = t, .files = &files };
	int rc;

	if (group && config_setting_is_group(group))
		o.group = group;
	rc = make_list(&o, &t->conf->guard.sources);
	for (unsigned i = 0; i < t->conf->n_services && !rc; i++) {
		o.group = t->objects[CONF_SERVICE][i];
		rc = make_list(&o, &t->conf->services[i].sources);
	}
	return rc;
}
