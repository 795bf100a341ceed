/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/diag.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

static char *printed(const char *text)
{
	size_t size;
	char *got;
	FILE *out = open_memstream(&got, &size);
	struct conf *c = NULL;
	struct diags d;

	assert_non_null(out);
	conf_free(conf_parse(text, "etc/t.conf", &c, &d) ? NULL : c);
	diags_print(&d, out);
	fclose(out);
	diags_free(&d);
	return got;
}

static void expect_print(const char *text, const char *wanted)
{
	char *got = printed(text);

	assert_string_equal(got, wanted);
	free(got);
}

static void entries_are_printed_with_their_line(void **state)
{
	(void)state;
	expect_print("interfaces: { i: {}; };\nvips: {}\n\tpool: {};\r\n",
		"etc/t.conf: error: the file has no \"node\"; write for instance: node = "
		"\"lb-a\";\n"
		"etc/t.conf:3:2: error: unknown key \"pool\" in the file; did you mean \"pools\"?\n"
		"\tpool: {};\n"
		"\t^\n");
	expect_print(BASE "/* \xc3\xa4\xc3\xb6\t*/ pools: { a: {}; };",
		"etc/t.conf:2:19: warning: pool \"a\" has no servers\n"
		"/* \xc3\xa4\xc3\xb6\t*/ pools: { a: {}; };\n"
		"     \t            ^\n"
		"etc/t.conf:2:19: warning: pool \"a\" is used by no service\n"
		"/* \xc3\xa4\xc3\xb6\t*/ pools: { a: {}; };\n"
		"     \t            ^\n");
	expect_print(BASE "a =\n;", "etc/t.conf:3: error: syntax error\n;\n");
}

#define X16  "xxxxxxxxxxxxxxxx"
#define X256 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16

static void lines_that_cannot_be_shown_are_not(void **state)
{
	(void)state;
	expect_print(BASE "pool: {}; # \x1b[2J\n", "etc/t.conf:2:1: error: unknown key \"pool\" in "
						   "the file; did you mean \"pools\"?\n");
	expect_print(BASE "pool: {}; # \x7f\n",
		"etc/t.conf:2:1: error: unknown key \"pool\" in the file; did you mean \"pools\"?\n");
	expect_print(BASE "pool: {}; # " X256 X256 "\n",
		"etc/t.conf:2:1: error: unknown key \"pool\" "
		"in the file; did you mean \"pools\"?\n");
	expect_print(BASE "/* " X256 X256 " */ pool: {};\n",
		"etc/t.conf:2: error: unknown key \"pool\" in the file; did you mean \"pools\"?\n");
	expect_print(
		BASE "# ok\n# \xff\n", "etc/t.conf:3:3: error: the byte 0xff is not UTF-8 text\n");
}

/* A thousand and one mistakes. */
static void entries_are_bounded_and_counted(void **state)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	struct conf *c;
	struct diags d;

	(void)state;
	assert_non_null(out);
	fputs(BASE, out);
	for (int i = 0; i < CONF_DIAGS_MAX + 2; i++)
		fprintf(out, "unknown%d = 1;\n", i);
	fclose(out);
	assert_int_equal(conf_parse(text, "t", &c, &d), -EINVAL);
	assert_int_equal(d.n_errors, CONF_DIAGS_MAX + 2);
	assert_int_equal(d.n_hidden, 2);
	assert_int_equal(d.n, CONF_DIAGS_MAX + 1);
	assert_int_equal(d.list[CONF_DIAGS_MAX].level, DIAG_NOTE);
	assert_string_equal(d.list[CONF_DIAGS_MAX].message, "2 more are not shown");
	for (size_t i = 1; i < CONF_DIAGS_MAX; i++)
		assert_true(d.list[i - 1].line < d.list[i].line);
	diags_free(&d);
	assert_null(d.list);
	assert_int_equal(d.n, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_printed_with_their_line),
		cmocka_unit_test(lines_that_cannot_be_shown_are_not),
		cmocka_unit_test(entries_are_bounded_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
