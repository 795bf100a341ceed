/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/units.h"
#include <errno.h>
#include "tests/unit/test.h"

static void duration_reads_units(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint32_t ms;
	} cases[] = {
		{ "0s", 0, 0 },
		{ "1ms", 0, 1 },
		{ "500ms", 0, 500 },
		{ "2s", 0, 2000 },
		{ "1m", 0, 60000 },
		{ "3h", 0, 10800000 },
		{ "4294967295ms", 0, 4294967295u },
		{ "4294967296ms", -ERANGE, 7 },
		{ "4294968s", -ERANGE, 7 },
		{ "99999999999999999999999h", -ERANGE, 7 },
		{ "99999999999999999999999", -EINVAL, 7 },
		{ "2", -EINVAL, 7 },
		{ "", -EINVAL, 7 },
		{ "s", -EINVAL, 7 },
		{ "-2s", -EINVAL, 7 },
		{ "+2s", -EINVAL, 7 },
		{ " 2s", -EINVAL, 7 },
		{ "2 s", -EINVAL, 7 },
		{ "2s ", -EINVAL, 7 },
		{ "1.5s", -EINVAL, 7 },
		{ "2S", -EINVAL, 7 },
		{ "2sec", -EINVAL, 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t ms = 7;
		if (conf_duration_parse(cases[i].text, &ms) != cases[i].rc || ms != cases[i].ms)
			fail_msg("\"%s\": %u ms", cases[i].text, ms);
	}
}

static void duration_is_written_in_its_largest_unit(void **state)
{
	static const struct {
		uint32_t ms;
		const char *text;
	} cases[] = { { 0, "0ms" }, { 1, "1ms" }, { 1500, "1500ms" }, { 2000, "2s" },
		{ 90000, "90s" }, { 60000, "1m" }, { 3600000, "1h" }, { 5400000, "90m" },
		{ 4294967295u, "4294967295ms" } };
	char buf[CONF_DURATION_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(conf_duration_text(cases[i].ms, buf), cases[i].text);
}

static void percent_needs_its_sign(void **state)
{
	uint32_t n = 7;

	(void)state;
	assert_int_equal(conf_percent_parse("10", &n), -EINVAL);
	assert_int_equal(conf_percent_parse("%", &n), -EINVAL);
	assert_int_equal(conf_percent_parse("-1%", &n), -EINVAL);
	assert_int_equal(conf_percent_parse("1%%", &n), -EINVAL);
	assert_int_equal(conf_percent_parse("4294967296%", &n), -ERANGE);
	assert_int_equal(n, 7);
	assert_int_equal(conf_percent_parse("10%", &n), 0);
	assert_int_equal(n, 10);
}

static void status_is_a_code_or_a_range(void **state)
{
	uint16_t pair[2] = { 1, 2 };

	(void)state;
	assert_int_equal(conf_status_parse("", pair), -EINVAL);
	assert_int_equal(conf_status_parse("-", pair), -EINVAL);
	assert_int_equal(conf_status_parse("200-", pair), -EINVAL);
	assert_int_equal(conf_status_parse("-200", pair), -EINVAL);
	assert_int_equal(conf_status_parse("200-299-399", pair), -EINVAL);
	assert_int_equal(conf_status_parse("2xx", pair), -EINVAL);
	assert_int_equal(conf_status_parse("399-200", pair), -ERANGE);
	assert_int_equal(conf_status_parse("65536", pair), -ERANGE);
	assert_int_equal(conf_status_parse("4294967296-4294967297", pair), -ERANGE);
	assert_int_equal(conf_status_parse("200-4294967496", pair), -ERANGE);
	assert_int_equal(pair[0], 1);
	assert_int_equal(pair[1], 2);
	assert_int_equal(conf_status_parse("200-399", pair), 0);
	assert_int_equal(pair[0], 200);
	assert_int_equal(pair[1], 399);
	assert_int_equal(conf_status_parse("204", pair), 0);
	assert_int_equal(pair[0], 204);
	assert_int_equal(pair[1], 204);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_reads_units),
		cmocka_unit_test(duration_is_written_in_its_largest_unit),
		cmocka_unit_test(percent_needs_its_sign),
		cmocka_unit_test(status_is_a_code_or_a_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
