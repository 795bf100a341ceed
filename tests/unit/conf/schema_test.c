/* SPDX-License-Identifier: BSD-2-Clause */
/* The table against itself: files are made from it, with every key in turn as it should not be. */
#include "controlplane/conf/schema.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

/* How the key that is under test is written. */
enum damage { NONE, WRONG_TYPE, WRONG_WORD, MISSING };

struct maker {
	FILE *out;
	const struct conf_key *victim;
	enum damage damage;
};

static bool is_section(const struct conf_key *key)
{
	return key->type == CONF_GROUP || key->type == CONF_NAMED;
}

static void make_value(const struct maker *m, const struct conf_key *key, enum damage damage)
{
	const char *value = key->type == CONF_PORTS	  ? "8080" /* the server has that one */
			    : key->words && key->fallback ? key->fallback
			    : key->example		  ? key->example
							  : key->fallback;

	if (damage == WRONG_TYPE)
		fputs("true", m->out);
	else if (key->type == CONF_INT)
		fputs(value, m->out);
	else if (key->type == CONF_PREFIXES)
		fprintf(m->out, "[ \"%s\" ]", value);
	else
		fprintf(m->out, "\"%s\"", key->type == CONF_REF && !key->words ? "x" : value);
}

/* Whether the key does not go with others of a good file, or stands for another, which that has in its place. */
static bool is_alternative(const struct maker *m, const struct conf_key *key)
{
	static const struct {
		const char *path, *other;
	} pairs[] = { { "services.*.ports", "services.*.port" },
		{ "services.*.quic_id_bytes", "none" } };

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (!strcmp(key->path, pairs[i].path))
			return !(m->damage == MISSING && !strcmp(m->victim->path, pairs[i].other));
	return false;
}

static void make_key(void *arg, const struct conf_key *key)
{
	const struct maker *m = arg;
	enum damage damage = key == m->victim ? m->damage : NONE;
	char path[128];

	if (damage == MISSING || (damage == NONE && is_alternative(m, key)))
		return;
	fprintf(m->out, "%s%s = ", conf_key_word(key), damage == WRONG_WORD ? "zzzzzzzzzzzz" : "");
	if (damage == WRONG_TYPE || !is_section(key)) {
		make_value(m, key, damage);
	} else {
		bool named = key->type == CONF_NAMED;
		snprintf(path, sizeof path, "%s%s", key->path, named ? ".*" : "");
		fputs(named ? "{ x: {\n" : "{\n", m->out);
		conf_schema_each(path, make_key, arg);
		fputs(named ? "}; }" : "}", m->out);
	}
	fputs(";\n", m->out);
}

/* A file with every key of the schema, one of them damaged; every object is called x. */
static char *make_file(const struct conf_key *victim, enum damage damage)
{
	size_t size;
	char *text;
	struct maker m = {
		.out = open_memstream(&text, &size), .victim = victim, .damage = damage
	};

	assert_non_null(m.out);
	conf_schema_each("", make_key, &m);
	fclose(m.out);
	return text;
}

static void the_whole_schema_makes_a_good_file(void **state)
{
	char *text = make_file(NULL, NONE);
	struct conf *c = parse_good(text);

	(void)state;
	for (int kind = 0; kind < CONF_KINDS; kind++)
		assert_int_equal(conf_count(c, kind), 1);
	conf_free(c);
	free(text);
}

/* Reads a damaged file, which must be told apart from a good one by a message with `word` and `what`. */
static void expect_complaint(const struct conf_key *key, enum damage damage, const char *what)
{
	char *text = make_file(key, damage), *says, quoted[160];
	struct conf *c;
	struct diags d;
	const char *found;

	if (conf_parse(text, "t", &c, &d) != -EINVAL)
		fail_msg("%s: no error", key->path);
	says = diags_text(&d);
	snprintf(quoted, sizeof quoted, "%s%s\"", conf_key_word(key),
		damage == WRONG_WORD ? "zzzzzzzzzzzz" : "");
	found = strstr(says, quoted);
	if (!found || !strstr(found, what))
		fail_msg("%s: %s", key->path, says);
	free(says);
	free(text);
	diags_free(&d);
}

static void every_key_has_a_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < conf_schema_size; i++)
		expect_complaint(&conf_schema[i], WRONG_TYPE, " must be ");
}

static void every_key_has_its_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < conf_schema_size; i++)
		expect_complaint(&conf_schema[i], WRONG_WORD, "known are");
}

static void required_keys_are_missed_and_no_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < conf_schema_size; i++) {
		const struct conf_key *key = &conf_schema[i];
		char *text;
		struct conf *c = NULL;
		struct diags d;
		if (key->required) {
			expect_complaint(key, MISSING, "write for instance");
			continue;
		}
		text = make_file(key, MISSING);
		/* Objects may be referred to, and are then missed; keys may not be. */
		if (conf_parse(text, "t", &c, &d) && !is_section(key))
			fail_msg("%s: %s", key->path, diags_text(&d));
		conf_free(c);
		diags_free(&d);
		free(text);
	}
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < conf_schema_size; i++) {
		const struct conf_key *key = &conf_schema[i];
		if (!key->help || !*key->help)
			fail_msg("%s: no help", key->path);
		if (!is_section(key) && !key->required == (!key->fallback && !key->otherwise))
			fail_msg("%s: either required, or something holds without it", key->path);
		if ((key->required || key->rule) && !key->example && !key->fallback)
			fail_msg("%s: no example", key->path);
		if (key->type == CONF_INT && key->min > key->max)
			fail_msg("%s: no range", key->path);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(key->path, conf_schema[j].path);
	}
}

static char *printed(bool json)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	conf_schema_print(out, json);
	fclose(out);
	return text;
}

static json_t *row_of(json_t *keys, const char *path)
{
	size_t i;
	json_t *row;

	json_array_foreach(keys, i,
		row) if (!strcmp(json_string_value(json_object_get(row, "path")), path)) return row;
	fail_msg("%s is not there", path);
	return NULL;
}

static void json_has_every_key(void **state)
{
	char *text = printed(true);
	json_error_t error;
	json_t *all = json_loads(text, 0, &error), *keys, *row;

	(void)state;
	assert_non_null(all);
	keys = json_object_get(all, "keys");
	assert_int_equal(json_array_size(keys), conf_schema_size);
	for (size_t i = 0; i < conf_schema_size; i++)
		assert_string_equal(json_string_value(json_object_get(
					    row_of(keys, conf_schema[i].path), "help")),
			conf_schema[i].help);
	row = row_of(keys, "health.*.interval");
	assert_string_equal(json_string_value(json_object_get(row, "type")), "duration");
	assert_string_equal(json_string_value(json_object_get(row, "unit")), "ms");
	assert_int_equal(json_integer_value(json_object_get(row, "minimum")), 10);
	assert_int_equal(json_integer_value(json_object_get(row, "maximum")), 3600000);
	assert_string_equal(json_string_value(json_object_get(row, "default")), "2s");
	assert_true(json_is_true(json_object_get(row, "reloadable")));
	assert_true(json_is_false(json_object_get(row, "required")));
	row = row_of(keys, "engine.mode");
	assert_int_equal(json_array_size(json_object_get(row, "values")), 3);
	assert_true(json_is_false(json_object_get(row, "reloadable")));
	row = row_of(keys, "services.*.pool");
	assert_string_equal(json_string_value(json_object_get(row, "names")), "pool");
	assert_true(json_is_null(json_object_get(row, "minimum")));
	json_decref(all);
	free(text);
}

static void text_has_every_key(void **state)
{
	char *text = printed(false);

	(void)state;
	for (size_t i = 0; i < conf_schema_size; i++) {
		assert_non_null(strstr(text, conf_schema[i].path));
		assert_non_null(strstr(text, conf_schema[i].help));
	}
	assert_non_null(strstr(text, "\nhealth.*.rise\n"
				     "    an integer from 1 to 100, counting probes; default: 2\n"
				     "    successful probes in a row that bring a server up\n"));
	assert_non_null(strstr(text,
		"\nhealth.*.status\n"
		"    an HTTP status code or a range of them, from 100 to 599, such as \"200-399\"; "
		"default: 200-399; with type = \"http\" only\n"));
	assert_non_null(
		strstr(text, "\nlimits.vips\n"
			     "    an integer from 1 to 65535, counting addresses; default: 256; "
			     "changes take effect at the next start\n"));
	assert_non_null(strstr(text,
		"\nservices.*.port\n    an integer from 1 to 65535; without it: those of \"ports\"\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_schema_makes_a_good_file),
		cmocka_unit_test(every_key_has_a_type),
		cmocka_unit_test(every_key_has_its_word),
		cmocka_unit_test(required_keys_are_missed_and_no_others),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(json_has_every_key),
		cmocka_unit_test(text_has_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
