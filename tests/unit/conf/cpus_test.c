/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/cpus.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/unit/test.h"

struct sample {
	const char *text;
	int rc;
	const char *cpus; /* with blanks between */
};

static const struct sample samples[] = {
	{ "0", 0, "0" },
	{ "3", 0, "3" },
	{ "007", 0, "7" },
	{ "1023", 0, "1023" },
	{ "2-5,8", 0, "2 3 4 5 8" },
	{ " 8 ,\t2-3 ", 0, "8 2 3" },
	{ "4-4", 0, "4" },
	{ "", -EINVAL, "" },
	{ " ", -EINVAL, "" },
	{ ",", -EINVAL, "" },
	{ "2,", -EINVAL, "" },
	{ "2,,3", -EINVAL, "" },
	{ "2 3", -EINVAL, "" },
	{ "-3", -EINVAL, "" },
	{ "2-", -EINVAL, "" },
	{ "2-3-4", -EINVAL, "" },
	{ "+2", -EINVAL, "" },
	{ "0x2", -EINVAL, "" },
	{ "all", -EINVAL, "" },
	{ "1024", -ERANGE, "" },
	{ "2000,x", -EINVAL, "" },
	{ "4294967297", -ERANGE, "" },
	{ "1-99999999999999999999", -ERANGE, "" },
	{ "5-2", -ERANGE, "" },
	{ "2,2", -ERANGE, "" },
	{ "2-5,4", -ERANGE, "" },
	{ "0-127", -ERANGE, "" },
};

static const char *cpus_text(const struct conf_dpdk *d, char buf[256])
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < d->n_cpus && used < 256; i++)
		used += (size_t)snprintf(buf + used, 256 - used, "%s%u", i ? " " : "", d->cpus[i]);
	return buf;
}

static void lists_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		struct conf_dpdk d = { .n_cpus = 0 };
		int rc = conf_cpus_parse(samples[i].text, &d);
		char text[256];

		if (rc != samples[i].rc || strcmp(cpus_text(&d, text), samples[i].cpus) != 0)
			fail_msg("\"%s\": %d, %s", samples[i].text, rc, text);
	}
}

static void there_is_room_for_all(void **state)
{
	struct conf_dpdk d = { .memory = 7 };

	(void)state;
	assert_int_equal(conf_cpus_parse("897-1023", &d), 0);
	assert_int_equal(d.n_cpus, CONF_CPUS_MAX);
	assert_int_equal(d.cpus[CONF_CPUS_MAX - 1], CONF_CPU_MAX);
	assert_int_equal(d.memory, 7);
	assert_int_equal(conf_cpus_parse("0-126,127", &d), -ERANGE);
	assert_int_equal(d.cpus[0], 897);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_or_refused),
		cmocka_unit_test(there_is_room_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
