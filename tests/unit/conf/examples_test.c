/* SPDX-License-Identifier: BSD-2-Clause */
/* Every file that is installed as an example: examples_test FILE... */
#include <stdio.h>
#include "controlplane/conf/conf.h"
#include "tests/unit/test.h"

static char **files;

/* Notes are allowed: nat is told of whatever the file says. */
static void examples_are_without_errors_and_warnings(void **state)
{
	(void)state;
	assert_non_null(*files);
	for (char **file = files; *file; file++) {
		struct conf *c = NULL;
		struct diags d;
		int rc = conf_load(*file, &c, &d);
		for (size_t i = 0; i < d.n; i++)
			if (d.list[i].level != DIAG_NOTE)
				fail_msg("%s:%d: %s", *file, d.list[i].line, d.list[i].message);
		assert_int_equal(rc, 0);
		conf_free(c);
		diags_free(&d);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_are_without_errors_and_warnings),
	};

	(void)argc;
	files = argv + 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
