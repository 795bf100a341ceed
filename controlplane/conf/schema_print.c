/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include "controlplane/conf/schema.h"
#include "controlplane/conf/value.h"

static const char *type_name(enum conf_type type)
{
	static const char *const names[] = {
		[CONF_GROUP] = "group",
		[CONF_NAMED] = "named groups",
		[CONF_INT] = "integer",
		[CONF_STRING] = "string",
		[CONF_DURATION] = "duration",
		[CONF_PERCENT] = "percentage",
		[CONF_ADDRESS] = "address",
		[CONF_SOURCE] = "address or prefix",
		[CONF_ENUM] = "word",
		[CONF_REF] = "reference",
		[CONF_STATUS] = "status range",
		[CONF_PREFIXES] = "prefixes",
		[CONF_HEX] = "hexadecimal",
		[CONF_PORTS] = "ports",
		[CONF_CPUS] = "numbers and ranges",
		[CONF_MAC] = "MAC address",
	};

	return names[type];
}

static bool has_range(const struct conf_key *key)
{
	return key->type == CONF_INT || key->type == CONF_DURATION || key->type == CONF_PERCENT ||
	       key->type == CONF_STATUS;
}

static bool is_value(const struct conf_key *key)
{
	return key->type != CONF_GROUP && key->type != CONF_NAMED;
}

/* The unit that minimum and maximum are in. */
static const char *range_unit(const struct conf_key *key)
{
	return key->type == CONF_DURATION ? "ms" : key->type == CONF_PERCENT ? "%" : key->unit;
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *words_json(const struct conf_key *key)
{
	json_t *list;

	if (!key->words)
		return json_null();
	list = json_array();
	for (const struct conf_word *w = key->words; w->name; w++)
		json_array_append_new(list, json_string(w->name));
	return list;
}

static json_t *key_json(const struct conf_key *key)
{
	bool range = has_range(key);

	return json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:s}",
		"path", key->path, "type", type_name(key->type), "unit",
		text_or_null(range_unit(key)), "minimum",
		range ? json_integer(key->min) : json_null(), "maximum",
		range ? json_integer(key->max) : json_null(), "values", words_json(key), "names",
		text_or_null(key->type == CONF_REF || key->type == CONF_NAMED
				     ? conf_kinds[key->kind].word
				     : NULL),
		"default", text_or_null(key->fallback), "without", text_or_null(key->otherwise),
		"required", (int)key->required, "reloadable", (int)key->reloadable,
		"only_with_type", text_or_null(key->only_with), "not_with_forward",
		text_or_null(key->not_with), "example", text_or_null(key->example), "help",
		key->help);
}

static void print_json(FILE *out)
{
	json_t *keys = json_array(), *all;

	for (size_t i = 0; i < conf_schema_size; i++)
		json_array_append_new(keys, key_json(&conf_schema[i]));
	all = json_pack("{s:o}", "keys", keys);
	json_dumpf(all, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(all);
}

static void print_key(const struct conf_key *key, FILE *out)
{
	char wanted[320];

	conf_value_wanted(key, wanted, sizeof wanted);
	fprintf(out, "%s\n    %s", key->path, wanted);
	if (key->unit)
		fprintf(out, ", counting %s", key->unit);
	if (key->required)
		fputs("; required", out);
	else if (key->otherwise)
		fprintf(out, "; without it: %s", key->otherwise);
	else if (is_value(key))
		fprintf(out, "; default: %s", *key->fallback ? key->fallback : "\"\"");
	if (key->only_with)
		fprintf(out, "; with type = \"%s\" only", key->only_with);
	if (key->not_with)
		fprintf(out, "; not with forward = \"%s\"", key->not_with);
	if (is_value(key) && !key->reloadable)
		fputs("; changes take effect at the next start", out);
	fprintf(out, "\n    %s\n", key->help);
}

void conf_schema_print(FILE *out, bool json)
{
	if (json) {
		print_json(out);
		return;
	}
	for (size_t i = 0; i < conf_schema_size; i++)
		print_key(&conf_schema[i], out);
}
