/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/complain.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

/* Looking for near names costs time; a file of mistakes gets only so much of it. */
static void guesses_are_bounded(void **state)
{
	size_t size, hints = 0;
	char *text;
	FILE *out = open_memstream(&text, &size);
	struct conf *c;
	struct diags d;

	(void)state;
	fputs(BASE "pools: {", out);
	for (int i = 0; i < 1000; i++)
		fprintf(out, "p%03d: { health = \"h%03dx\"; };", i, i);
	fputs("}; health: {", out);
	for (int i = 0; i < 1000; i++)
		fprintf(out, "h%03d: { type = \"tcp\"; };", i);
	fputs("};", out);
	fclose(out);
	assert_int_equal(conf_parse(text, "t", &c, &d), -EINVAL);
	assert_int_equal(d.n_errors, 1000);
	for (size_t i = 0; i < d.n; i++)
		hints += strstr(d.list[i].message, "did you mean") != NULL;
	assert_int_equal(hints, 100);
	diags_free(&d);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guesses_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
