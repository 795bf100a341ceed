/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the cases of one file; cases/README.md says what they look like. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

#define HEAD  "=== "
#define PARTS "---\n"

static char *read_file(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *in = fopen(path, "r");

	if (!in)
		fail_msg("cannot open %s", path);
	/* Up to the NUL that is not there: the whole file. */
	if (getdelim(&text, &size, '\0', in) < 0)
		fail_msg("cannot read %s", path);
	fclose(in);
	return text;
}

/* Cuts the case at p, which ends where the next begins, into its parts. */
static void run_case(char *p, char *end)
{
	char *text = strchr(p, '\n'), *says = strstr(p, "\n" PARTS);
	struct expectation e = { .about = p + strlen(HEAD) };

	if (!text || !says || says >= end)
		fail_msg("a case without \"---\": %.40s", p);
	e.text = text == says ? "" : text + 1;
	e.says = says + 1 + strlen(PARTS);
	/* The blank line between cases. */
	if (end > e.says && end[-1] == '\n' && end[-2] == '\n')
		end--;
	*text = says[1] = *end = '\0';
	expect_all(&e, 1);
}

static void every_case_says_what_it_should(void **state)
{
	char *text = read_file(*state), *next;
	unsigned n = 0;

	for (char *p = text; p; p = next, n++) {
		next = strstr(p, "\n\n" HEAD);
		if (next)
			next += 2;
		run_case(p, next ? next : p + strlen(p));
		if (next)
			*next = HEAD[0]; /* where the last case was ended */
	}
	assert_true(n > 0);
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(every_case_says_what_it_should, argv[argc - 1]),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
