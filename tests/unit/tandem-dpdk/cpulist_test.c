/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/cpulist.h"
#include <errno.h>
#include <string.h>
#include "tests/unit/test.h"

static void lists_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *written;
	} samples[] = {
		{ "", 0, "" },
		{ "\n", 0, "" },
		{ "0\n", 0, "0" },
		{ "0-3\n", 0, "0-3" },
		{ "0,1,2,5", 0, "0-2,5" },
		{ "5,0-1", 0, "0-1,5" },
		{ "1023", 0, "1023" },
		{ "1022-1023", 0, "1022-1023" },
		{ "1024", -EINVAL, "" },
		{ "0-1024", -EINVAL, "" },
		{ "99999999999999999999", -EINVAL, "" },
		{ "3-1", -EINVAL, "" },
		{ "1,", -EINVAL, "" },
		{ "1,\n", -EINVAL, "" },
		{ ",1", -EINVAL, "" },
		{ "1-", -EINVAL, "" },
		{ "1 2", -EINVAL, "" },
		{ "x", -EINVAL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		char text[CPULIST_TEXT];
		cpu_set_t set;
		int rc;

		CPU_ZERO(&set);
		rc = cpulist_parse(samples[i].text, &set);
		if (rc != samples[i].rc ||
			strcmp(cpulist_text(&set, text), samples[i].written) != 0)
			fail_msg("\"%s\": %d, \"%s\"", samples[i].text, rc, text);
	}
}

static void there_is_room_for_the_longest(void **state)
{
	char text[CPULIST_TEXT];
	cpu_set_t set, again;

	(void)state;
	CPU_ZERO(&set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (cpu % 3 != 2)
			CPU_SET(cpu, &set);
	assert_int_equal(cpulist_parse(cpulist_text(&set, text), &again), 0);
	assert_true(CPU_EQUAL(&set, &again));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (cpu % 2)
			CPU_CLR(cpu, &set);
		else
			CPU_SET(cpu, &set);
	assert_int_equal(cpulist_parse(cpulist_text(&set, text), &again), 0);
	assert_true(CPU_EQUAL(&set, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_and_written),
		cmocka_unit_test(there_is_room_for_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
