/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/diag.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void diags_start(struct diags *d, const char *file)
{
	*d = (struct diags){ .file = strdup(file) };
}

static struct diag *grow(struct diags *d)
{
	struct diag *list;

	/* Doubling, seen from the count alone: there is room up to the next power of two. */
	if (d->n & (d->n - 1))
		return &d->list[d->n];
	list = reallocarray(d->list, d->n ? d->n * 2 : 1, sizeof *list);
	if (!list)
		return NULL;
	d->list = list;
	return &list[d->n];
}

void diags_add(struct diags *d, enum diag_level level, const struct conf_text *t,
	const struct conf_spot *at, const char *fmt, ...)
{
	struct diag one = { .level = level }, *slot;
	va_list ap;

	if (level == DIAG_ERROR)
		d->n_errors++;
	if (d->n == CONF_DIAGS_MAX) {
		d->n_hidden++;
		return;
	}
	va_start(ap, fmt);
	if (vasprintf(&one.message, fmt, ap) < 0)
		one.message = NULL;
	va_end(ap);
	slot = one.message ? grow(d) : NULL;
	if (!slot) {
		free(one.message);
		d->n_hidden++;
		return;
	}
	if (at && at->line) {
		one.line = (int)at->line;
		one.column = conf_text_column(t, at);
		one.source = conf_text_line(t, at);
	}
	*slot = one;
	d->n++;
}

static int compare(const void *pa, const void *pb)
{
	const struct diag *a = pa, *b = pb;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	return strcmp(a->message, b->message);
}

void diags_finish(struct diags *d)
{
	struct diag *slot;

	if (d->n)
		qsort(d->list, d->n, sizeof *d->list, compare);
	if (!d->n_hidden)
		return;
	slot = grow(d);
	if (!slot)
		return;
	*slot = (struct diag){ .level = DIAG_NOTE };
	if (asprintf(&slot->message, "%zu more are not shown", d->n_hidden) >= 0)
		d->n++;
}

void diags_free(struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->list[i].message);
		free(d->list[i].source);
	}
	free(d->list);
	free(d->file);
	*d = (struct diags){ 0 };
}

/* Puts ^ under the column. Tabs of the line stay tabs, so that both lines are spread alike. */
static void print_caret(const struct diag *one, FILE *out)
{
	const char *p = one->source;

	for (int column = 1; column < one->column && *p; column++) {
		fputc(*p == '\t' ? '\t' : ' ', out);
		for (p++; (*p & 0xc0) == 0x80; p++)
			;
	}
	fputs("^\n", out);
}

void diags_print(const struct diags *d, FILE *out)
{
	static const char *const levels[] = { "error", "warning", "note" };

	for (size_t i = 0; i < d->n; i++) {
		const struct diag *one = &d->list[i];
		fprintf(out, "%s:", d->file ? d->file : "?");
		if (one->line)
			fprintf(out, "%d:", one->line);
		if (one->column)
			fprintf(out, "%d:", one->column);
		fprintf(out, " %s: %s\n", levels[one->level], one->message);
		if (!one->source)
			continue;
		fprintf(out, "%s\n", one->source);
		if (one->column)
			print_caret(one, out);
	}
}
