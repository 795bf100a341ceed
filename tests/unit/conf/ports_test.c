/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/ports.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/unit/test.h"

static void ports_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *says;
	} cases[] = {
		{ "80", 0, "80" },
		{ "any", 0, "any" },
		{ "1-65535", 0, "any" },
		{ "443, 80 ,8000-8999", 0, "80,443,8000-8999" },
		{ "8000-8000", 0, "8000" },
		{ "80,81-90", 0, "80,81-90" },
		{ "0", -ERANGE, NULL },
		{ "65536", -ERANGE, NULL },
		{ "99999999999999999999", -ERANGE, NULL },
		{ "1-65536", -ERANGE, NULL },
		{ "9-8", -ERANGE, NULL },
		{ "80,80", -ERANGE, NULL },
		{ "80-90,90-95", -ERANGE, NULL },
		{ "85,80-90", -ERANGE, NULL },
		{ "", -EINVAL, NULL },
		{ "80,", -EINVAL, NULL },
		{ ",80", -EINVAL, NULL },
		{ "80-", -EINVAL, NULL },
		{ "-80", -EINVAL, NULL },
		{ "80 81", -EINVAL, NULL },
		{ "80 - 81", -EINVAL, NULL },
		{ "+80", -EINVAL, NULL },
		{ "any,80", -EINVAL, NULL },
		{ "0,x", -EINVAL, NULL },
	};
	struct conf_memory *m = conf_memory_new();
	char text[CONF_PORTS_TEXT];
	struct conf_ports p;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (conf_ports_parse(cases[i].text, m, &p) != cases[i].rc)
			fail_msg("%s", cases[i].text);
		if (!cases[i].rc)
			assert_string_equal(conf_ports_text(&p, text), cases[i].says);
	}
	conf_memory_free(m);
}

static void a_list_has_an_end(void **state)
{
	char text[CONF_PORTS_TEXT + 16] = "", back[CONF_PORTS_TEXT];
	struct conf_memory *m = conf_memory_new();
	size_t used = 0;
	struct conf_ports p;

	(void)state;
	for (unsigned i = 0; i < CONF_PORTS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%u-%u", i ? "," : "",
			10001 + 4 * i, 10002 + 4 * i);
	assert_int_equal(conf_ports_parse(text, m, &p), 0);
	assert_int_equal(p.n, CONF_PORTS_MAX);
	assert_string_equal(conf_ports_text(&p, back), text);
	snprintf(text + used, sizeof text - used, ",1");
	assert_int_equal(conf_ports_parse(text, m, &p), -ERANGE);
	conf_memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_read_and_written),
		cmocka_unit_test(a_list_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
