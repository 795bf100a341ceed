/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/diagnostics.h"
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/text.h"

static const char *const level_names[] = {
	[DIAG_ERROR] = "error",
	[DIAG_WARNING] = "warning",
	[DIAG_NOTE] = "note",
};

static enum diag_level level_of(const char *name)
{
	for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
		if (name && strcmp(level_names[i], name) == 0)
			return (enum diag_level)i;
	return DIAG_ERROR;
}

/* A line of a file with control characters made visible, one for one, so that the caret below still
 * stands where it belongs. Tabs stay. To be freed; NULL for NULL. */
static char *clean_source(const char *s)
{
	char *out, *p;
	size_t n, length;
	uint32_t c;

	if (!s)
		return NULL;
	n = strlen(s);
	p = out = text_zalloc(n + 1, 1);
	for (; n; s += length, n -= length) {
		length = text_decode(s, n, &c);
		if (c != '\t' && text_is_control(c)) {
			*p++ = '?';
		} else {
			memcpy(p, s, length);
			p += length;
		}
	}
	return out;
}

/* A string, escaped only if it could not be one in JSON. */
static json_t *utf8_json(const char *s)
{
	json_t *json = json_string(s);
	char *escaped;

	if (json)
		return json;
	escaped = text_escape(s);
	json = json_string(escaped);
	free(escaped);
	return json;
}

static json_t *number_or_null(int n)
{
	return n > 0 ? json_integer(n) : json_null();
}

json_t *diagnostics_json(const struct diags *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct diag *one = &d->list[i];
		char *source = clean_source(one->source);

		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:s, s:o, s:s?}", "file", utf8_json(d->file),
				"line", number_or_null(one->line), "column",
				number_or_null(one->column), "level", level_names[one->level],
				"message", utf8_json(one->message), "source", source));
		free(source);
	}
	return list;
}

static char *escaped_member(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return text_escape(s ? s : "");
}

/* A line or column: 0 for what could not be one. */
static int position(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 && n <= 1000000 ? (int)n : 0;
}

static void print_one(const json_t *entry, FILE *out)
{
	const char *source = json_string_value(json_object_get(entry, "source"));
	struct diag one = {
		.level = level_of(json_string_value(json_object_get(entry, "level"))),
		.line = position(entry, "line"),
		.column = position(entry, "column"),
		.message = escaped_member(entry, "message"),
		.source = clean_source(source),
	};
	struct diags d = {
		.list = &one,
		.n = 1,
		.n_errors = one.level == DIAG_ERROR,
		.file = escaped_member(entry, "file"),
	};

	if (one.source && (size_t)one.column > strlen(one.source) + 1)
		one.column = 0;
	diags_print(&d, out);
	free(d.file);
	free(one.message);
	free(one.source);
}

void diagnostics_print(const json_t *list, FILE *out)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		print_one(json_array_get(list, i), out);
}
