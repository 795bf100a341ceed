/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/reader.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/complain.h"
#include "controlplane/conf/diag.h"
#include "controlplane/conf/ports.h"
#include "controlplane/conf/prefixes.h"
#include "controlplane/conf/value.h"
#include "controlplane/conf/words.h"

#define NAME_MAX_BYTES 63

enum { IDLE_TCP_MS = 15 * 60 * 1000, IDLE_UDP_MS = 60 * 1000 };

/* A walk over the settings. */
struct reader {
	struct conf_tree *tree;
	unsigned counted[CONF_KINDS]; /* objects in the file */
	int rc;
};

static bool is_group(const config_setting_t *s)
{
	return config_setting_is_group(s);
}

/* Counts the objects below a group, so that each kind's array can be made at once. */
static void count(struct reader *r, const config_setting_t *group, const char *path)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const struct conf_key *key = conf_schema_find(path, config_setting_name(s));
		if (!key || key->type != CONF_NAMED || !is_group(s))
			continue;
		for (int j = 0; j < config_setting_length(s); j++) {
			const config_setting_t *object = config_setting_get_elem(s, (unsigned)j);
			if (!is_group(object))
				continue;
			r->counted[key->kind]++;
			count(r, object, conf_kinds[key->kind].path);
		}
	}
}

static int allocate(struct reader *r)
{
	struct conf_tree *t = r->tree;

	for (int kind = 0; kind < CONF_KINDS; kind++) {
		unsigned n = r->counted[kind];
		void *list = conf_memory_take(t->conf->memory, n, conf_kinds[kind].size);
		t->objects[kind] = conf_memory_take(t->memory, n, sizeof *t->objects[kind]);
		t->by_name[kind] = conf_memory_take(t->memory, n, sizeof *t->by_name[kind]);
		if (!list || !t->objects[kind] || !t->by_name[kind])
			return -ENOMEM;
		memcpy((char *)t->conf + conf_kinds[kind].list, &list, sizeof list);
	}
	return 0;
}

/* The text of the number that a setting was given. libconfig 1.5 cuts integers to 32 bits without a
 * word, so that its own value is not to be trusted. */
static const char *number_text(const struct conf_tree *t, const config_setting_t *s, char buf[32])
{
	size_t n;
	const char *p = conf_number_at(t->text, &conf_place_of(s)->value, &n);

	if (n >= 32)
		return "99999999999999999999"; /* out of every range, as it is */
	memcpy(buf, p, n);
	buf[n] = '\0';
	return buf;
}

/* An array or a list of strings; a wrong one is a wrong value. */
static void read_prefixes(struct reader *r, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s, void *object)
{
	struct conf_prefixes *to = (struct conf_prefixes *)((char *)object + key->offset);
	int n = config_setting_is_aggregate(s) ? config_setting_length(s) : 0;

	if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
		conf_complain_type(r->tree, owner, key, s);
		return;
	}
	to->given = true;
	to->list = conf_memory_take(r->tree->conf->memory, (size_t)n, sizeof *to->list);
	if (!to->list)
		r->rc = -ENOMEM;
	for (int i = 0; i < n && to->list; i++) {
		const char *text = config_setting_get_string_elem(s, i);

		to->list[to->n].allow = !strcmp(conf_key_word(key), "allow");
		if (text && !conf_prefix_parse(text, &to->list[to->n]))
			to->n++;
		else
			conf_complain_prefix(r->tree, owner, key, s, i);
	}
}

static void read_value(struct reader *r, const struct conf_owner *owner, const struct conf_key *key,
	const config_setting_t *s, void *object)
{
	bool wants_int = key->type == CONF_INT;
	int type = config_setting_type(s), rc;
	char number[32];

	if (key->type == CONF_PREFIXES) {
		read_prefixes(r, owner, key, s, object);
		return;
	}
	if (wants_int ? type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64
		      : type != CONFIG_TYPE_STRING) {
		conf_complain_type(r->tree, owner, key, s);
		return;
	}
	if (key->type == CONF_REF) /* resolved when all names are known */
		return;
	rc = conf_value_parse(key,
		wants_int ? number_text(r->tree, s, number) : config_setting_get_string(s), object,
		r->tree->conf->memory);
	if (rc == -ENOMEM)
		r->rc = rc;
	else if (rc)
		conf_complain_value(r->tree, owner, key, s, rc);
}

static void read_group(struct reader *r, const struct conf_owner *owner,
	const config_setting_t *group, void *object);

/* A group of keys that is not an object: its fields lie in the same struct. */
static void read_section(
	struct reader *r, const struct conf_key *key, const config_setting_t *s, void *object)
{
	struct conf_owner owner = { .kind = CONF_KINDS, .path = key->path };

	if (s && !is_group(s)) {
		conf_complain_type(r->tree, &conf_owner_file, key, s);
		s = NULL;
	}
	read_group(r, &owner, s, object);
}

static void read_object(
	struct reader *r, const struct conf_key *key, const config_setting_t *s, const char *pool)
{
	struct conf_tree *t = r->tree;
	const struct conf_kind_info *info = &conf_kinds[key->kind];
	struct conf_owner owner = { .kind = key->kind, .path = info->path, .pool = pool };
	unsigned i = conf_count(t->conf, key->kind);
	char *object = conf_object(t->conf, key->kind, i);
	int line = (int)conf_place_of(s)->key.line;

	owner.name = conf_memory_copy(t->conf->memory, config_setting_name(s));
	if (!owner.name) {
		r->rc = -ENOMEM;
		return;
	}
	memcpy(object, &owner.name, sizeof owner.name);
	memcpy(object + info->line, &line, sizeof line);
	t->objects[key->kind][i] = s;
	conf_set_count(t->conf, key->kind, i + 1);
	if (strlen(owner.name) > NAME_MAX_BYTES)
		conf_complain_name(t, key, s);
	read_group(r, &owner, s, object);
}

/* A group of objects; those of a pool are its servers. */
static void read_named(struct reader *r, const struct conf_owner *owner, const struct conf_key *key,
	const config_setting_t *s, void *object)
{
	struct conf_pool *pool = key->kind == CONF_SERVER ? object : NULL;
	unsigned first = conf_count(r->tree->conf, key->kind), last;

	if (s && !is_group(s)) {
		conf_complain_type(r->tree, owner, key, s);
		s = NULL;
	} else if (s && key->required && !config_setting_length(s)) {
		conf_complain_empty(r->tree, key, s);
	}
	for (int i = 0; s && i < config_setting_length(s); i++) {
		const config_setting_t *member = config_setting_get_elem(s, (unsigned)i);
		if (is_group(member))
			read_object(r, key, member, pool ? pool->name : NULL);
		else
			conf_complain_object(r->tree, key, member);
	}
	if (!pool)
		return;
	last = conf_count(r->tree->conf, CONF_SERVER);
	pool->first_server = first;
	pool->n_servers = last - first;
	for (unsigned i = first; i < last; i++)
		r->tree->conf->servers[i].pool = (unsigned)(pool - r->tree->conf->pools);
}

static void read_key(struct reader *r, const struct conf_owner *owner, const struct conf_key *key,
	const config_setting_t *s, void *object)
{
	if (key->type == CONF_GROUP)
		read_section(r, key, s, object);
	else if (key->type == CONF_NAMED)
		read_named(r, owner, key, s, object);
	else
		read_value(r, owner, key, s, object);
}

struct defaults {
	struct reader *reader;
	const struct conf_owner *owner;
	const config_setting_t *group; /* NULL: the whole group is missing */
	void *object;
};

/* Whether the object is one without such a key. */
static bool is_without(const struct conf_key *key, const config_setting_t *group)
{
	const config_setting_t *forward =
		group && key->not_with ? config_setting_get_member(group, "forward") : NULL;
	const char *word = forward ? config_setting_get_string(forward) : NULL;

	return word && !strcmp(word, key->not_with);
}

/* Before a group is read: every key gets what holds without it, or is missed. */
static void set_default(void *arg, const struct conf_key *key)
{
	struct defaults *d = arg;
	bool given = d->group && config_setting_get_member(d->group, conf_key_word(key));

	if (key->type == CONF_GROUP && !given)
		read_section(d->reader, key, NULL, d->object);
	else if (key->type != CONF_GROUP && key->type != CONF_NAMED &&
		 conf_value_default(key, d->object, d->reader->tree->conf->memory))
		d->reader->rc = -ENOMEM;
	if (key->own_name && !given && key->rule && key->rule(d->owner->name))
		conf_complain_own_name(
			d->reader->tree, d->owner, key, d->group, key->rule(d->owner->name));
	if (key->required && !given && !is_without(key, d->group))
		conf_complain_missing(d->reader->tree, d->owner, key, d->group);
}

/* Keys that go with some objects only. */
static void check_fit(struct reader *r, const struct conf_owner *owner, const struct conf_key *key,
	const config_setting_t *group, const config_setting_t *s)
{
	const config_setting_t *type;
	const char *word;

	if (is_without(key, group))
		conf_complain_without(r->tree, owner, key, s);
	if (!key->only_with)
		return;
	type = config_setting_get_member(group, "type");
	word = type ? config_setting_get_string(type) : NULL;
	if (word && !conf_place_of(type)->bad && strcmp(word, key->only_with))
		conf_complain_fit(r->tree, owner, key, s, word);
}

static void read_group(struct reader *r, const struct conf_owner *owner,
	const config_setting_t *group, void *object)
{
	struct defaults d = { .reader = r, .owner = owner, .group = group, .object = object };
	int n = group ? config_setting_length(group) : 0;

	conf_schema_each(owner->path, set_default, &d);
	for (int i = 0; i < n; i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const struct conf_key *key = conf_schema_find(owner->path, config_setting_name(s));
		if (!key) {
			conf_complain_unknown(r->tree, owner, s);
			continue;
		}
		read_key(r, owner, key, s, object);
	}
	for (int i = 0; i < n; i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const struct conf_key *key = conf_schema_find(owner->path, config_setting_name(s));
		if (key)
			check_fit(r, owner, key, group, s);
	}
}

/* The names of one kind, for sorting; qsort() has no argument for it, qsort_r() has. */
struct names {
	const struct conf *conf;
	enum conf_kind kind;
};

static const char *name_of(const struct conf *c, enum conf_kind kind, unsigned i)
{
	return *(const char *const *)conf_object(c, kind, i);
}

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct names *n = arg;

	return strcmp(name_of(n->conf, n->kind, *(const unsigned *)a),
		name_of(n->conf, n->kind, *(const unsigned *)b));
}

static void sort_names(struct conf_tree *t, enum conf_kind kind)
{
	struct names names = { .conf = t->conf, .kind = kind };
	unsigned n = conf_count(t->conf, kind);

	for (unsigned i = 0; i < n; i++)
		t->by_name[kind][i] = i;
	qsort_r(t->by_name[kind], n, sizeof(unsigned), compare_names, &names);
}

static uint32_t find(const struct conf_tree *t, enum conf_kind kind, const char *name)
{
	unsigned from = 0, to = conf_count(t->conf, kind);

	while (from < to) {
		unsigned middle = from + (to - from) / 2, i = t->by_name[kind][middle];
		int order = strcmp(name, name_of(t->conf, kind, i));
		if (!order)
			return i;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return CONF_NO_REF;
}

static void resolve(
	struct conf_tree *t, const struct conf_key *key, enum conf_kind kind, unsigned i)
{
	const config_setting_t *s = conf_tree_setting(t, kind, i, conf_key_word(key));
	const char *name = s ? config_setting_get_string(s) : NULL;
	uint32_t found;

	if (!name || !conf_value_parse(key, name, conf_object(t->conf, kind, i), NULL))
		return;
	found = find(t, key->kind, name);
	if (found == CONF_NO_REF)
		conf_complain_reference(t, key, kind, i);
	else
		conf_value_refer(key, found, conf_object(t->conf, kind, i));
}

struct resolving {
	struct conf_tree *tree;
	enum conf_kind kind;
};

static void resolve_key(void *arg, const struct conf_key *key)
{
	struct resolving *r = arg;
	unsigned n = conf_count(r->tree->conf, r->kind);

	for (unsigned i = 0; key->type == CONF_REF && i < n; i++)
		resolve(r->tree, key, r->kind, i);
}

/* A port is a list of one, and a list of one port is that port. */
static int fill_ports(struct conf_tree *t, struct conf_service *s)
{
	if (s->port && !s->ports.n)
		return conf_ports_one(s->port, t->conf->memory, &s->ports);
	if (s->ports.n == 1 && s->ports.list->first == s->ports.list->last)
		s->port = s->ports.list->first;
	return 0;
}

/* The defaults that hang on another key. */
static void fill_by_protocol(struct conf_service *s)
{
	if (s->protocol == CONF_PROTOCOL_ANY)
		s->affinity = CONF_AFFINITY_CLIENT;
	if (!s->idle_ms)
		s->idle_ms = s->protocol == IPPROTO_UDP ? IDLE_UDP_MS : IDLE_TCP_MS;
}

int conf_read(struct conf_tree *t)
{
	struct reader r = { .tree = t };

	count(&r, t->root, "");
	if (allocate(&r))
		return -ENOMEM;
	read_group(&r, &conf_owner_file, t->root, t->conf);
	if (r.rc)
		return r.rc;
	for (int kind = 0; kind < CONF_KINDS; kind++)
		if (kind != CONF_SERVER)
			sort_names(t, kind);
	for (int kind = 0; kind < CONF_KINDS; kind++)
		conf_schema_each(conf_kinds[kind].path, resolve_key,
			&(struct resolving){ .tree = t, .kind = kind });
	for (unsigned i = 0; i < t->conf->n_services; i++) {
		fill_by_protocol(&t->conf->services[i]);
		if (fill_ports(t, &t->conf->services[i]))
			return -ENOMEM;
	}
	return 0;
}
