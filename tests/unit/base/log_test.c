/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/base/log.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/unit/test.h"

static FILE *kept; /* what standard error was replaced with */
static int saved;

static int catch_stderr(void **state)
{
	(void)state;
	kept = tmpfile();
	saved = dup(2);
	log_set_level(LOG_LEVEL_INFO);
	log_set_journal(false);
	return kept && saved >= 0 && dup2(fileno(kept), 2) == 2 ? 0 : -1;
}

static int release_stderr(void **state)
{
	(void)state;
	dup2(saved, 2);
	close(saved);
	fclose(kept);
	return 0;
}

/* All that was logged since the last call. */
static const char *logged(void)
{
	static char text[4096];
	size_t n;

	rewind(kept);
	n = fread(text, 1, sizeof text - 1, kept);
	text[n] = '\0';
	rewind(kept);
	assert_int_equal(ftruncate(fileno(kept), 0), 0);
	return text;
}

static void lines_have_time_and_level(void **state)
{
	const char *text;
	int year, month, day, hour, minute, second, ms, end = 0;

	(void)state;
	log_warn("%s is %d", "x", 5);
	text = logged();
	assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour,
				 &minute, &second, &ms, &end),
		7);
	assert_string_equal(text + end, "warning: x is 5\n");
}

static void lines_above_the_level_are_left_out(void **state)
{
	(void)state;
	log_debug("x");
	assert_string_equal(logged(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("x");
	assert_non_null(strstr(logged(), "Z debug: x\n"));
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("x");
	log_info("x");
	assert_string_equal(logged(), "");
	log_error("x");
	assert_non_null(strstr(logged(), "Z error: x\n"));
}

static void journal_lines_have_a_priority(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	log_set_journal(true);
	log_error("a");
	log_warn("b");
	log_info("c");
	log_debug("d");
	assert_string_equal(logged(), "<3>a\n<4>b\n<6>c\n<7>d\n");
}

static void a_message_is_one_line(void **state)
{
	char longer[3000];
	const char *text;

	(void)state;
	log_set_journal(true);
	log_info("%s", "a\n<0>b\r\x1b[2J\x7f\xc3\xa4");
	assert_string_equal(logged(), "<6>a <0>b  [2J \xc3\xa4\n");
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	log_info("%s", longer);
	text = logged();
	assert_true(strlen(text) > 1000 && strlen(text) < sizeof longer);
	assert_string_equal(text + strlen(text) - 2, "x\n");
}

#define CAUGHT(test) cmocka_unit_test_setup_teardown(test, catch_stderr, release_stderr)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CAUGHT(lines_have_time_and_level),
		CAUGHT(lines_above_the_level_are_left_out),
		CAUGHT(journal_lines_have_a_priority),
		CAUGHT(a_message_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
