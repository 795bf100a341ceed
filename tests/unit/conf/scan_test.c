/* SPDX-License-Identifier: BSD-2-Clause */
/* What is refused before libconfig reads, and that places are found whatever stands around them. */
#include "controlplane/conf/scan.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/conf/file.h"
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

static const struct expectation refused[] = {
	{ "a comment without an end", "node = \"n\"; /* *\n/",
		"1:13: error: this comment has no end; write \"*/\"\n" },
	{ "a string without an end", "a = 1;\nnode = \"n;\n\\\"",
		"2:8: error: this string has no end; write '\"'\n" },
	{ "a second part without an end, which libconfig would take", "node = \"n\" \"x",
		"1:12: error: this string has no end; write '\"'\n" },
	{ "include", "a = 1;\n  @include \"/etc/passwd\"\n",
		"2:3: error: @include is not supported; write everything in this one file\n" },
	{ "include without blanks", "@include\"x\"",
		"1:1: error: @include is not supported; write everything in this one file\n" },
	{ "bytes that are no text", "node = \"\xff\";",
		"1:9: error: the byte 0xff is not UTF-8 text\n" },
	{ "in a comment too", "# \xc3\n", "1:3: error: the byte 0xc3 is not UTF-8 text\n" },
	{ "a NUL in a string", "node = \"a\\x00b\";",
		"1:10: error: a string cannot hold a NUL byte\n" },
	{ "written large", "node = \"\\X00\";", "1:9: error: a string cannot hold a NUL byte\n" },
	{ "a byte order mark", "\xef\xbb\xbfnode = \"n\";",
		"1:1: error: the file begins with a byte order mark; save it as plain UTF-8\n" },
	{ "deep groups",
		"a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={};};};};};};};};};};};};};};};}"
		";};",
		"1:51: error: groups lie too deep in one another: more than 16 levels\n" },
	{ "deep lists", "a=((((((((((((((((([[[[[[[",
		"1:19: error: groups lie too deep in one another: more than 16 levels\n" },
	{ "a string as a name", "\"node\" = \"n\";",
		"1:1: error: syntax error: a string where a setting's name is expected\n" },
	{ "a string behind a comma in a group", "a = { b = 1, \"c\" };",
		"1:14: error: syntax error: a string where a setting's name is expected\n" },
	{ "a string behind a number in a list", "a = ( 1 \"c\" );",
		"1:9: error: syntax error: a string where a setting's name is expected\n" },
};

static void refuses(void **state)
{
	(void)state;
	expect_all(refused, sizeof refused / sizeof *refused);
}

/* libconfig's own errors: it knows the line, and no column. */
static const struct expectation syntax[] = {
	{ "a missing value", "node = \"n\";\nvips: { web: };\n", "2:0: error: syntax error\n" },
	{ "a missing brace", "node = \"n\";\nvips: {\n",
		"2:7: error: syntax error: this \"{\" is never closed\n" },
	{ "an earlier error goes first", "node = ;\nvips: {\n", "1:0: error: syntax error\n" },
	{ "a value missing at the end", "node = \"n\";\nvips =", "3:0: error: syntax error\n" },
	{ "a brace too many", "node = \"n\"; }\n", "1:0: error: syntax error\n" },
	{ "a key that is given twice", "node = \"n\";\n\nnode = \"m\";\n",
		"3:0: error: duplicate setting name\n" },
	{ "an object that is given twice", "vips: { a: {};\na: {};\n};",
		"2:0: error: duplicate setting name\n" },
	{ "a sign that means nothing", "node = \"n\"; ?", "1:0: error: syntax error\n" },
	{ "a word as a value", "node = n;", "1:0: error: syntax error\n" },
	{ "a mixed array", "node = [ 1, \"a\" ];",
		"1:0: error: mismatched element type in array\n" },
	{ "true as a key", "True = 1;", "1:0: error: syntax error\n" },
	{ "an address that is no include", "@ \"x\"",
		"1:3: error: syntax error: a string where a setting's name is expected\n" },
};

static void libconfig_errors_have_their_line(void **state)
{
	(void)state;
	expect_all(syntax, sizeof syntax / sizeof *syntax);
}

#define OOPS                                                                                             \
	"error: unknown key \"oops\" in the file; known are: node, engine, limits, tunnel, guard, api, " \
	"interfaces, "                                                                                   \
	"vips, gateways, health, pools, services\n"

/* Every text sets "oops", an unknown key, once. */
static const struct expectation places[] = {
	{ "a name in a comment before it", BASE "/* oops */ oops = 1;", "2:12: " OOPS },
	{ "in a string before it",
		"interfaces: { i: {}; }; node = \"oops\"; /* \" */ oops = \"a\\\"oops\";",
		"1:48: " OOPS },
	{ "the second of two alike on a line",
		BASE "vips: { oops: { address = \"192.0.2.1\"; interface = \"i\"; }; a: { address "
		     "= \"192.0.2.2\"; interface = \"i\"; oops = 1; }; };",
		"2:105: error: unknown key \"oops\" in vip \"a\"; known are: address, "
		"interface, mac\n" },
	{ "characters, not bytes", BASE "/* \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 */ oops = 1;",
		"2:11: " OOPS },
	{ "a tab is one character, a line may end with CR LF",
		"node = \"n\";\r\ninterfaces: { i: {}; };\r\n\toops = 1;\r\n", "3:2: " OOPS },
	{ "behind a backslash that is one itself", BASE "api = \"a\\\\\"; oops = 1;",
		"2:7: error: \"api\" must be a group, { ... }, not the string \"a\\\"\n"
		"2:14: " OOPS },
	{ "a form feed is a blank", "node =\f\"n\"; interfaces: { i: {}; }; oops = 1;",
		"1:37: " OOPS },
	{ "a name far from its value", BASE "oops\n# x\n: // y\n/* z */ { a = 1; };",
		"2:1: " OOPS },
	{ "a name that begins as the number before it ends", BASE "api = 1LLLoops = 2;",
		"2:7: error: \"api\" must be a group, { ... }, not the number 1LL\n"
		"2:10: error: unknown key \"Loops\" in the file; known are: node, engine, limits, tunnel, guard, api, "
		"interfaces, vips, gateways, health, pools, services\n" },
	{ "numbers of every form, with names hard behind them", BASE "api = 0x1Foops\n={};",
		"2:7: error: \"api\" must be a group, { ... }, not the number 0x1F\n"
		"2:11: " OOPS },
};

static void places_are_exact(void **state)
{
	(void)state;
	expect_all(places, sizeof places / sizeof *places);
}

/* Names that stand right behind numbers, where a scanner of another make would part them elsewhere. */
static void numbers_part_as_in_libconfig(void **state)
{
	static const char *const numbers[] = { "0", "007", "1L", "2LL", "0x1F", "0X1FL", "0x1fLL",
		"-1", "+1", "1.", ".5", "-.5e1", "1e3", "1E+3", "1.5e-3", ".", "-.", "5" };
	char text[128], *says;
	struct conf *c;
	struct diags d;

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		snprintf(text, sizeof text, "api = %sz = 1;", numbers[i]);
		assert_int_equal(conf_parse(text, "t", &c, &d), -EINVAL);
		says = diags_text(&d);
		assert_null(strstr(says, "a way of its own"));
		assert_non_null(strstr(says, "must be a group, { ... }, not the number"));
		assert_non_null(strstr(says, "unknown key \"z\""));
		free(says);
		diags_free(&d);
	}
}

static void nul_bytes_are_refused(void **state)
{
	static const char text[] = "node = \"n\";\n\0";
	struct conf *c;
	struct diags d;

	(void)state;
	assert_int_equal(conf_parse_bytes(text, sizeof text - 1, "t", &c, &d), -EINVAL);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.list[0].line, 2);
	assert_int_equal(d.list[0].column, 1);
	assert_string_equal(d.list[0].message, "a NUL byte: this is not a text file");
	diags_free(&d);
}

/* n settings "aN=1;" one after the other, in groups of `members` each, or on top when that is 0. */
static char *many_settings(unsigned n, unsigned members)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (unsigned i = 0; i < n; i++) {
		if (members && i % members == 0)
			fprintf(out, "%sg%u={", i ? "}" : "", i);
		fprintf(out, "a%u=1;", i);
	}
	fputs(members ? "}\n" : "\n", out);
	fclose(out);
	return text;
}

static char *many_elements(unsigned n)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fputs("a = [ 0", out);
	for (unsigned i = 0; i < n; i++)
		fputs(",0", out);
	fputs(" ];", out);
	fclose(out);
	return text;
}

/* Frees the text. */
static void expect_one_error(char *text, const char *message)
{
	struct conf *c;
	struct diags d;

	assert_int_equal(conf_parse(text, "t", &c, &d), -EINVAL);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.list[0].message, message);
	diags_free(&d);
	free(text);
}

static void settings_are_bounded(void **state)
{
	static const char many[] = "too many settings: a file can have 400000";
	static const char slow[] =
		"too many settings in one group: reading them would take too long";

	(void)state;
	expect_one_error(many_settings(CONF_SETTINGS_MAX + 1, 100), many);
	expect_one_error(many_elements(CONF_SETTINGS_MAX), many);
	expect_one_error(many_settings(15000, 0), slow);
	expect_one_error(many_settings(CONF_SETTINGS_MAX / 2, 5000), slow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(libconfig_errors_have_their_line),
		cmocka_unit_test(places_are_exact),
		cmocka_unit_test(numbers_part_as_in_libconfig),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(settings_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
