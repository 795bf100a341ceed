/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/complain.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/diag.h"
#include "controlplane/conf/value.h"
#include "controlplane/conf/words.h"

#define WANTED 320

const struct conf_owner conf_owner_file = { .kind = CONF_KINDS, .path = "" };

static const struct conf_spot *blame_key(const config_setting_t *s)
{
	conf_place_of(s)->bad = true;
	return &conf_place_of(s)->key;
}

static const struct conf_spot *blame_value(const config_setting_t *s)
{
	conf_place_of(s)->bad = true;
	return &conf_place_of(s)->value;
}

/* `service "web"`, `"engine"`, `the file`. */
static const char *owner_text(const struct conf_owner *owner, char buf[CONF_LABEL])
{
	if (owner->kind == CONF_SERVER)
		snprintf(buf, CONF_LABEL, "server \"%.63s/%.63s\"", owner->pool, owner->name);
	else if (owner->kind != CONF_KINDS)
		snprintf(
			buf, CONF_LABEL, "%s \"%.63s\"", conf_kinds[owner->kind].word, owner->name);
	else
		snprintf(buf, CONF_LABEL, *owner->path ? "\"%s\"" : "the file", owner->path);
	return buf;
}

/* `"port" of service "web"`, `"engine.mode"`. */
static const char *key_text(
	const struct conf_owner *owner, const struct conf_key *key, char buf[CONF_LABEL + 64])
{
	char name[CONF_LABEL];

	if (owner->kind == CONF_KINDS)
		snprintf(buf, CONF_LABEL + 64, "\"%s\"", key->path);
	else
		snprintf(buf, CONF_LABEL + 64, "\"%s\" of %s", conf_key_word(key),
			owner_text(owner, name));
	return buf;
}

#define FOUND (CONF_QUOTED + 32)

/* A number as it was written. */
static void number_text(const struct conf_tree *t, const config_setting_t *s, char buf[FOUND])
{
	size_t n;
	const char *p = conf_number_at(t->text, &conf_place_of(s)->value, &n);

	snprintf(buf, FOUND, "%.*s%s", n > 40 ? 40 : (int)n, p, n > 40 ? "..." : "");
}

/* The value of a setting that holds a string or a number. */
static const char *value_text(const struct conf_tree *t, const config_setting_t *s, char buf[FOUND])
{
	if (config_setting_type(s) == CONFIG_TYPE_STRING)
		return conf_quote(config_setting_get_string(s), buf);
	number_text(t, s, buf);
	return buf;
}

/* What a setting holds, by type. */
static const char *found_text(const struct conf_tree *t, const config_setting_t *s, char buf[FOUND])
{
	char value[FOUND];

	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING:
		snprintf(buf, FOUND, "the string %s", value_text(t, s, value));
		return buf;
	case CONFIG_TYPE_BOOL:
		return config_setting_get_bool(s) ? "true" : "false";
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_ARRAY:
		return "an array";
	case CONFIG_TYPE_LIST:
		return "a list";
	default:
		snprintf(buf, FOUND, "the number %s", value_text(t, s, value));
		return buf;
	}
}

static bool is_digits(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* What to write instead, where that can be told from what was found; or "". */
static const char *remedy(const struct conf_tree *t, const struct conf_key *key,
	const config_setting_t *s, char buf[96])
{
	bool is_string = config_setting_type(s) == CONFIG_TYPE_STRING;
	const char *text = is_string ? config_setting_get_string(s) : "";
	const char *unit = key->type == CONF_DURATION ? "s" : key->type == CONF_PERCENT ? "%" : "";
	size_t n = strlen(text);
	bool whole = is_digits(text) && n < 10;

	if (config_setting_type(s) == CONFIG_TYPE_INT) {
		text = conf_number_at(t->text, &conf_place_of(s)->value, &n);
		whole = n < 10 && strspn(text, "0123456789") == n;
	}
	buf[0] = '\0';
	if (whole && *unit)
		snprintf(buf, 96, "; write it with its unit: \"%.*s%s\"", (int)n, text, unit);
	else if (whole && is_string && key->type == CONF_INT)
		snprintf(buf, 96, "; write %.*s, without quotes", (int)n, text);
	else if (whole && !is_string &&
		 (key->type == CONF_STATUS || key->type == CONF_PORTS || key->type == CONF_CPUS))
		snprintf(buf, 96, "; write \"%.*s\"", (int)n, text);
	else if (is_string && key->type == CONF_ADDRESS && strchr(text, '/'))
		snprintf(buf, 96, "; write it without a prefix length");
	return buf;
}

static void name_guess(const struct conf_guess *g, char buf[96])
{
	if (g->best)
		snprintf(buf, 96, "; did you mean \"%.63s\"?", g->best);
}

static void offer_key(void *arg, const struct conf_key *key)
{
	conf_guess_offer(arg, conf_key_word(key));
}

struct words_list {
	char text[WANTED];
	size_t used;
};

static void append_word(void *arg, const struct conf_key *key)
{
	struct words_list *l = arg;
	int n = snprintf(l->text + l->used, sizeof l->text - l->used, "%s%s", l->used ? ", " : "",
		conf_key_word(key));

	if (n > 0 && (size_t)n < sizeof l->text - l->used)
		l->used += (size_t)n;
}

void conf_complain_unknown(
	struct conf_tree *t, const struct conf_owner *owner, const config_setting_t *s)
{
	char name[CONF_LABEL], quoted[CONF_QUOTED];
	struct words_list known = { .used = 0 };
	struct conf_guess guess;

	conf_guess_start(&guess, config_setting_name(s));
	conf_schema_each(owner->path, offer_key, &guess);
	conf_quote(config_setting_name(s), quoted);
	owner_text(owner, name);
	if (guess.best) {
		diags_add(t->diags, DIAG_ERROR, t->text, blame_key(s),
			"unknown key %s in %s; did you mean \"%s\"?", quoted, name, guess.best);
		return;
	}
	conf_schema_each(owner->path, append_word, &known);
	diags_add(t->diags, DIAG_ERROR, t->text, blame_key(s),
		"unknown key %s in %s; known are: %s", quoted, name, known.text);
}

void conf_complain_type(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s)
{
	char label[CONF_LABEL + 64], wanted[WANTED], found[FOUND], hint[96];

	conf_value_wanted(key, wanted, sizeof wanted);
	diags_add(t->diags, DIAG_ERROR, t->text, blame_value(s), "%s must be %s, not %s%s",
		key_text(owner, key, label), wanted, found_text(t, s, found),
		remedy(t, key, s, hint));
}

static const char *enum_guess(const struct conf_key *key, const char *text, char hint[96])
{
	struct conf_guess guess;

	conf_guess_start(&guess, text);
	for (const struct conf_word *w = key->words; w->name; w++)
		conf_guess_offer(&guess, w->name);
	name_guess(&guess, hint);
	return hint;
}

/* Whether it is out of range by its size alone. */
static bool is_number(const struct conf_key *key)
{
	return key->type == CONF_INT || key->type == CONF_DURATION || key->type == CONF_PERCENT;
}

void conf_complain_value(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s, int rc)
{
	char label[CONF_LABEL + 64], wanted[WANTED], found[FOUND], hint[96], range[64];
	const char *text = config_setting_get_string(s), *must = wanted;

	key_text(owner, key, label);
	remedy(t, key, s, hint);
	conf_value_range(key, range, sizeof range);
	conf_value_wanted(key, wanted, sizeof wanted);
	if (key->type == CONF_ENUM)
		enum_guess(key, text, hint);
	else if (key->type == CONF_STRING)
		must = key->rule(text);
	else if (rc == -ERANGE && is_number(key))
		snprintf(wanted, sizeof wanted, "from %s", range);
	diags_add(t->diags, DIAG_ERROR, t->text, blame_value(s), "%s must %s%s, not %s%s", label,
		key->type == CONF_STRING ? "" : "be ", must, value_text(t, s, found), hint);
}

void conf_complain_prefix(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s, int i)
{
	char label[CONF_LABEL + 64], quoted[CONF_QUOTED];
	const char *text = config_setting_get_string_elem(s, i);

	diags_add(t->diags, DIAG_ERROR, t->text, blame_value(s),
		"element %d of %s must be an address or a prefix in quotes, such as \"%s\"%s%s",
		i + 1, key_text(owner, key, label), key->example, text ? ", not " : "",
		text ? conf_quote(text, quoted) : "");
}

void conf_complain_missing(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *group)
{
	bool quotes = key->type != CONF_INT && key->type != CONF_NAMED;
	char name[CONF_LABEL];
	const struct conf_place *place = group ? conf_place_of(group) : NULL;
	const char *word = conf_key_word(key), *quote = quotes ? "\"" : "";

	owner_text(owner, name);
	if (key->type == CONF_NAMED)
		diags_add(t->diags, DIAG_ERROR, t->text, place ? &place->key : NULL,
			"%s has no \"%s\"; write for instance: %s", name, word, key->example);
	else
		diags_add(t->diags, DIAG_ERROR, t->text, place ? &place->key : NULL,
			"%s has no \"%s\"; write for instance: %s = %s%s%s;", name, word, word,
			quote, key->example, quote);
}

void conf_complain_empty(struct conf_tree *t, const struct conf_key *key, const config_setting_t *s)
{
	diags_add(t->diags, DIAG_ERROR, t->text, blame_key(s),
		"\"%s\" is empty; write for instance: %s", conf_key_word(key), key->example);
}

void conf_complain_object(
	struct conf_tree *t, const struct conf_key *key, const config_setting_t *s)
{
	char found[FOUND], quoted[CONF_QUOTED];

	diags_add(t->diags, DIAG_ERROR, t->text, blame_value(s),
		"%s %s must be a group, { ... }, not %s; write for instance: %s",
		conf_kinds[key->kind].word, conf_quote(config_setting_name(s), quoted),
		found_text(t, s, found), key->example);
}

void conf_complain_name(struct conf_tree *t, const struct conf_key *key, const config_setting_t *s)
{
	char quoted[CONF_QUOTED];

	diags_add(t->diags, DIAG_ERROR, t->text, blame_key(s),
		"the name of %s must be at most 63 characters long; this one has %zu: %s",
		conf_kinds[key->kind].one, strlen(config_setting_name(s)),
		conf_quote(config_setting_name(s), quoted));
}

void conf_complain_own_name(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *group, const char *why)
{
	char name[CONF_LABEL];

	diags_add(t->diags, DIAG_ERROR, t->text, &conf_place_of(group)->key,
		"%s needs a \"%s\": without one its own name is taken, which must %s",
		owner_text(owner, name), conf_key_word(key), why);
}

void conf_complain_fit(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s, const char *type)
{
	char label[CONF_LABEL + 64];

	diags_add(t->diags, DIAG_ERROR, t->text, blame_key(s),
		"%s goes with type = \"%s\" only; here type is \"%s\"", key_text(owner, key, label),
		key->only_with, type);
}

void conf_complain_without(struct conf_tree *t, const struct conf_owner *owner,
	const struct conf_key *key, const config_setting_t *s)
{
	char label[CONF_LABEL + 64];

	diags_add(t->diags, DIAG_ERROR, t->text, blame_key(s),
		"%s does not go with forward = \"%s\"; remove it", key_text(owner, key, label),
		key->not_with);
}

/* Looks for the nearest name of a kind, while the budget lasts: a hostile file could make it long. */
static void reference_guess(
	struct conf_tree *t, const struct conf_key *key, const char *name, char hint[96])
{
	enum conf_kind kind = key->kind;
	unsigned n = conf_count(t->conf, kind);
	struct conf_guess guess;

	hint[0] = '\0';
	if (!n) {
		snprintf(hint, 96, "; the file has none");
		return;
	}
	if (n > t->guesses)
		return;
	t->guesses -= n;
	conf_guess_start(&guess, name);
	for (unsigned i = 0; i < n; i++)
		conf_guess_offer(&guess, *(const char *const *)conf_object(t->conf, kind, i));
	for (const struct conf_word *w = key->words; w && w->name; w++)
		conf_guess_offer(&guess, w->name);
	if (!guess.best && n == 1 && !key->words)
		guess.best = *(const char *const *)conf_object(t->conf, kind, 0);
	name_guess(&guess, hint);
}

void conf_complain_reference(
	struct conf_tree *t, const struct conf_key *key, enum conf_kind kind, unsigned i)
{
	const config_setting_t *s = conf_tree_setting(t, kind, i, conf_key_word(key));
	const char *name = config_setting_get_string(s);
	char label[CONF_LABEL], quoted[CONF_QUOTED], hint[96];

	reference_guess(t, key, name, hint);
	diags_add(t->diags, DIAG_ERROR, t->text, blame_value(s),
		"\"%s\" of %s names the %s %s, which does not exist%s", conf_key_word(key),
		conf_tree_name(t, kind, i, label), conf_kinds[key->kind].word,
		conf_quote(name, quoted), hint);
}
