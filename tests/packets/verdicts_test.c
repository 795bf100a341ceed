/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the list of verdicts is met everywhere: verdicts_test MANUAL CASES... */
#include "tests/unit/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/case.h"

static const char *manual;
static char **case_files;

/* A file's text, to be freed. */
static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(f);
	assert_true(getdelim(&text, &size, '\0', f) > 0);
	fclose(f);
	return text;
}

/* How often the text has the line. */
static unsigned lines(const char *text, const char *line)
{
	size_t n = strlen(line);
	unsigned found = 0;

	for (const char *at = text; (at = strstr(at, line)); at += n)
		found += (at == text || at[-1] == '\n') && (at[n] == '\n' || !at[n]);
	return found;
}

static void test_every_drop_has_a_case(void **state)
{
	bool missed = false;

	(void)state;
	for (enum l4_verdict v = 0; v < L4_V_COUNT; v++) {
		char line[64];
		unsigned n = 0;

		if (verdict_action(v) != L4_DROP || v >= L4_V_OF_ENGINES)
			continue;
		snprintf(line, sizeof line, "drop %s", verdict_name(v));
		for (char **path = case_files; *path; path++) {
			char *text = read_file(*path);

			n += lines(text, line);
			free(text);
		}
		if (!n)
			print_error("no case drops a packet as %s\n", verdict_name(v));
		missed |= !n;
	}
	assert_false(missed);
}

/* Each stands once, below the heading of its action. */
static void test_every_verdict_is_in_the_manual(void **state)
{
	static const char *const headings[] = {
		[L4_PASS] = ".Ss Passed to the host\n",
		[L4_SEND] = ".Ss Sent\n",
		[L4_DROP] = ".Ss Dropped\n",
	};
	char *text = read_file(manual);

	(void)state;
	for (enum l4_verdict v = 0; v < L4_V_COUNT; v++) {
		const char *from = strstr(text, headings[verdict_action(v)]);
		char line[64], *end, *section;

		assert_non_null(from);
		from++;
		end = strstr(from, "\n.S");
		section = strndup(from, end ? (size_t)(end - from) : strlen(from));
		assert_non_null(section);
		snprintf(line, sizeof line, ".It Li %s", verdict_name(v));
		assert_int_equal(lines(section, line), 1);
		assert_int_equal(lines(text, line), 1);
		free(section);
	}
	free(text);
}

static void test_the_manual_is_well_formed(void **state)
{
	char command[4200];

	(void)state;
	snprintf(command, sizeof command, "! groff -mandoc -ww -z -Tutf8 '%s' 2>&1 | grep .",
		manual);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_drop_has_a_case),
		cmocka_unit_test(test_every_verdict_is_in_the_manual),
		cmocka_unit_test(test_the_manual_is_well_formed),
	};

	if (argc < 3)
		return 2;
	manual = argv[1];
	case_files = argv + 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
