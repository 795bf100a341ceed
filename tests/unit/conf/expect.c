/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/conf/expect.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

char *diags_text(const struct diags *d)
{
	static const char *const levels[] = { "error", "warning", "note" };
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < d->n; i++)
		fprintf(out, "%d:%d: %s: %s\n", d->list[i].line, d->list[i].column,
			levels[d->list[i].level], d->list[i].message);
	fclose(out);
	return text;
}

static void expect(const struct expectation *e)
{
	struct conf *c = NULL;
	struct diags d;
	int rc = conf_parse(e->text, "test.conf", &c, &d);
	char *says = diags_text(&d);

	if (strcmp(says, e->says)) {
		/* cmocka's own functions cut long texts. */
		fprintf(stderr, "%s\n--- text\n%s\n--- wanted\n%s--- got\n%s", e->about, e->text,
			e->says, says);
		fail();
	}
	assert_int_equal(rc, d.n_errors ? -EINVAL : 0);
	assert_true(rc ? c == NULL : c != NULL);
	assert_string_equal(d.file, "test.conf");
	free(says);
	conf_free(c);
	diags_free(&d);
}

void expect_all(const struct expectation *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect(&list[i]);
}

struct conf *parse_good(const char *text)
{
	struct conf *c = NULL;
	struct diags d;

	if (conf_parse(text, "test.conf", &c, &d))
		fail_msg("%s", diags_text(&d));
	diags_free(&d);
	return c;
}
