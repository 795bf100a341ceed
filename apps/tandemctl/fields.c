/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/fields.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/text.h"

#define GAP "  " /* between columns */

void field_plain(FILE *out, const json_t *value, time_t now)
{
	if (json_is_string(value) && *json_string_value(value)) {
		fputs(json_string_value(value), out);
	} else if (json_is_integer(value)) {
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_real(value)) {
		fprintf(out, "%g", json_real_value(value));
	} else if (json_is_boolean(value)) {
		fputs(json_is_true(value) ? "yes" : "no", out);
	} else if (json_is_array(value) && json_array_size(value)) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			json_t *entry = json_array_get(value, i);
			fputs(i ? ", " : "", out);
			/* A list in a list does not occur; one from a hostile peer could be deep. */
			field_plain(out, json_is_array(entry) ? NULL : entry, now);
		}
	} else {
		putc('-', out);
	}
}

/* The two largest units of an age. */
static void print_age(FILE *out, long long s)
{
	if (s < 60)
		fprintf(out, "%llds", s);
	else if (s < 3600)
		fprintf(out, "%lldm %llds", s / 60, s % 60);
	else if (s < 86400)
		fprintf(out, "%lldh %lldm", s / 3600, s / 60 % 60);
	else
		fprintf(out, "%lldd %lldh", s / 86400, s / 3600 % 24);
}

void field_age(FILE *out, const json_t *value, time_t now)
{
	const char *text = json_string_value(value);
	time_t then;

	if (text && text_parse_time(text, &then))
		print_age(out, then < now ? (long long)now - then : 0);
	else
		putc('-', out);
}

void field_time(FILE *out, const json_t *value, time_t now)
{
	const char *text = json_string_value(value);
	char utc[64];
	struct tm tm;
	time_t then;

	(void)now;
	if (text && text_parse_time(text, &then) && gmtime_r(&then, &tm) &&
		strftime(utc, sizeof utc, "%Y-%m-%d %H:%M:%S", &tm))
		fputs(utc, out);
	else
		putc('-', out);
}

void field_endpoint(FILE *out, const json_t *object, time_t now)
{
	const char *address = json_string_value(json_object_get(object, "address"));
	const json_t *port = json_object_get(object, "port");
	const char *ports = json_string_value(json_object_get(object, "ports"));

	(void)now;
	if (!address)
		putc('-', out);
	else if (!json_is_integer(port) && ports)
		fprintf(out, strchr(address, ':') ? "[%s]:%s" : "%s:%s", address, ports);
	else if (!json_is_integer(port))
		fputs(address, out);
	else
		fprintf(out, strchr(address, ':') ? "[%s]:%lld" : "%s:%lld", address,
			(long long)json_integer_value(port));
}

void field_sum(FILE *out, const json_t *value, time_t now)
{
	json_t *object = (json_t *)value; /* jansson's iterators take no const */
	uint64_t sum = 0;

	(void)now;
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
		sum += (uint64_t)json_integer_value(json_object_iter_value(i));
	fprintf(out, "%" PRIu64, sum);
}

void field_milliseconds(FILE *out, const json_t *value, time_t now)
{
	(void)now;
	if (json_is_number(value))
		fprintf(out, "%.3f ms", json_number_value(value) / 1000);
	else
		putc('-', out);
}

/* The escaped text of one field of an object; to be freed. */
static char *field_text(const struct field *f, const json_t *object, time_t now)
{
	const json_t *value = f->key ? json_object_get(object, f->key) : object;
	char *raw, *text;
	size_t size;
	FILE *out = text_stream(&raw, &size);

	(f->print ? f->print : field_plain)(out, value, now);
	fclose(out);
	text = text_escape(raw);
	free(raw);
	return text;
}

static const char *colour_of(const struct screen *s, const struct field *f, const char *text)
{
	static const struct {
		const char *word, *colour;
	} states[] = {
		{ "up", "\033[32m" },
		{ "yes", "\033[32m" },
		{ "down", "\033[31m" },
		{ "no", "\033[31m" },
		{ "starting", "\033[33m" },
		{ "drain", "\033[33m" },
		{ "maint", "\033[33m" },
	};

	if (!s->colour || !(f->flags & FIELD_STATE))
		return NULL;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strcmp(states[i].word, text) == 0)
			return states[i].colour;
	return NULL;
}

static void print_padding(FILE *out, size_t n)
{
	while (n--)
		putc(' ', out);
}

static void print_cell(
	const struct screen *s, const struct field *f, const char *text, size_t width, bool last)
{
	const char *colour = colour_of(s, f, text);
	size_t padding = width - text_width(text);

	if (f->flags & FIELD_RIGHT)
		print_padding(s->out, padding);
	fprintf(s->out, "%s%s%s", colour ? colour : "", text, colour ? "\033[0m" : "");
	if (!(f->flags & FIELD_RIGHT) && !last)
		print_padding(s->out, padding);
	fputs(last ? "\n" : GAP, s->out);
}

struct layout {
	char **cells;	/* n_rows x n, row by row */
	size_t *widths; /* 0: the column is not shown */
	size_t n_rows, n, n_shown;
};

static void layout_fill(
	struct layout *l, const json_t *rows, const struct field *fields, time_t now)
{
	for (size_t c = 0; c < l->n; c++) {
		bool shown = !(fields[c].flags & FIELD_OPTIONAL);
		size_t width = text_width(fields[c].title);

		for (size_t r = 0; r < l->n_rows; r++) {
			char *text = field_text(&fields[c], json_array_get(rows, r), now);
			size_t w = text_width(text);

			l->cells[r * l->n + c] = text;
			shown = shown || strcmp(text, "-") != 0;
			width = w > width ? w : width;
		}
		l->widths[c] = shown ? width : 0;
		if (shown)
			l->n_shown = c + 1;
	}
}

static void layout_clear(struct layout *l)
{
	for (size_t i = 0; i < l->n_rows * l->n; i++)
		free(l->cells[i]);
	free(l->cells);
	free(l->widths);
}

void fields_table(const struct screen *s, const json_t *rows, const struct field *fields, size_t n)
{
	struct layout l = { .n_rows = json_array_size(rows), .n = n };

	l.cells = text_zalloc(l.n_rows * n, sizeof *l.cells);
	l.widths = text_zalloc(n, sizeof *l.widths);
	layout_fill(&l, rows, fields, s->now);
	for (size_t c = 0; c < l.n_shown; c++)
		if (l.widths[c])
			print_cell(s, &fields[c], fields[c].title, l.widths[c], c + 1 == l.n_shown);
	for (size_t r = 0; r < l.n_rows; r++)
		for (size_t c = 0; c < l.n_shown; c++)
			if (l.widths[c])
				print_cell(s, &fields[c], l.cells[r * n + c], l.widths[c],
					c + 1 == l.n_shown);
	layout_clear(&l);
}

void fields_record(
	const struct screen *s, const json_t *object, const struct field *fields, size_t n)
{
	const struct field title = { 0 };
	char **texts = text_zalloc(n, sizeof *texts); /* NULL: not shown */
	size_t width = 0;

	for (size_t i = 0; i < n; i++) {
		texts[i] = field_text(&fields[i], object, s->now);
		if ((fields[i].flags & FIELD_OPTIONAL) && strcmp(texts[i], "-") == 0) {
			free(texts[i]);
			texts[i] = NULL;
		} else if (text_width(fields[i].title) > width) {
			width = text_width(fields[i].title);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (!texts[i])
			continue;
		print_cell(s, &title, fields[i].title, width, false);
		print_cell(s, &fields[i], texts[i], text_width(texts[i]), true);
		free(texts[i]);
	}
	free(texts);
}
