/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/args.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/unit/test.h"

enum { WORDS = 8 };

/* Parses words, the program's name left out, which last until the next call; what is said on standard error goes
 * to `said`. */
static int parse(struct args *a, const char *const words[WORDS], char *said, size_t size)
{
	static char copies[WORDS + 1][64] = { "tandem-dpdk" };
	char *argv[WORDS + 2] = { copies[0] };
	int argc = 1, saved = dup(2), rc;
	FILE *kept = tmpfile();
	size_t n;

	assert_true(kept && saved >= 0 && dup2(fileno(kept), 2) == 2);
	for (; argc <= WORDS && words[argc - 1]; argc++) {
		snprintf(copies[argc], sizeof copies[argc], "%s", words[argc - 1]);
		argv[argc] = copies[argc];
	}
	optind = 0; /* glibc: start anew */
	rc = args_parse(a, argc, argv);
	dup2(saved, 2);
	close(saved);
	rewind(kept);
	n = fread(said, 1, size - 1, kept);
	said[n] = '\0';
	fclose(kept);
	return rc;
}

static void defaults_hold(void **state)
{
	char said[256];
	struct args a;

	(void)state;
	assert_int_equal(parse(&a, (const char *[WORDS]){ 0 }, said, sizeof said), 0);
	assert_int_equal(a.action, ARGS_RUN);
	assert_string_equal(a.config, "/etc/tandem/tandem.conf");
	assert_string_equal(a.run_dir, "/run/tandem");
	assert_int_equal(a.log_level, LOG_LEVEL_INFO);
	assert_string_equal(said, "");
}

static void options_are_read(void **state)
{
	static const struct {
		const char *words[WORDS];
		enum args_action action;
		const char *config, *run_dir;
		enum log_level level;
	} cases[] = {
		{ { "-c", "a", "--run-dir", "b", "--log-level", "debug" }, ARGS_RUN, "a", "b",
			LOG_LEVEL_DEBUG },
		{ { "--give-back", "--run-dir=/x", "--log-level=warn" }, ARGS_GIVE_BACK,
			"/etc/tandem/tandem.conf", "/x", LOG_LEVEL_WARN },
		{ { "--config", "a", "-h" }, ARGS_HELP, "a", "/run/tandem", LOG_LEVEL_INFO },
		{ { "--version" }, ARGS_VERSION, "/etc/tandem/tandem.conf", "/run/tandem",
			LOG_LEVEL_INFO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char said[256];
		struct args a;

		assert_int_equal(parse(&a, cases[i].words, said, sizeof said), 0);
		assert_int_equal(a.action, cases[i].action);
		assert_string_equal(a.config, cases[i].config);
		assert_string_equal(a.run_dir, cases[i].run_dir);
		assert_int_equal(a.log_level, cases[i].level);
	}
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *words[WORDS], *says;
	} cases[] = {
		{ { "--log-level", "loud" },
			"--log-level loud: give error, warn, info or debug\n" },
		{ { "--log-level", "" }, "give error, warn, info or debug\n" },
		{ { "--frobnicate" }, "tandem-dpdk: try --help\n" },
		{ { "-c" }, "tandem-dpdk: try --help\n" },
		{ { "start" }, "unexpected argument start; try --help\n" },
		{ { "--give-back", "tandem.conf" },
			"unexpected argument tandem.conf; try --help\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char said[256];
		struct args a;

		assert_int_equal(parse(&a, cases[i].words, said, sizeof said), -EINVAL);
		if (!strstr(said, cases[i].says))
			fail_msg("case %zu: \"%s\"", i, said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
