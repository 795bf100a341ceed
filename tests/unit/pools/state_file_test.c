/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/pools/state_file.h"

static char top[] = "/tmp/tandem-state-XXXXXX";
static char dir[64], path[96], temp[96];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof dir, "%s/lib", top);
	snprintf(path, sizeof path, "%s/state.json", dir);
	snprintf(temp, sizeof temp, "%s/state.json.new", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(temp);
	rmdir(dir);
	return rmdir(top);
}

static struct state_file *open_file(void)
{
	struct state_file *f;
	struct err e = { "" };

	assert_int_equal(state_file_new(&f, dir, &e), 0);
	return f;
}

static void test_round_trip(void **state)
{
	struct state_file *f = open_file();
	struct err e = { "" };
	struct state *st;
	struct stat s;
	uint8_t key[16];

	(void)state;
	assert_int_equal(stat(dir, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0700);
	assert_int_equal(state_file_load(f, &st, &e), 0);
	memcpy(key, st->key, sizeof key);
	st->round = 5;
	umask(0);
	assert_int_equal(state_file_save(f, st, &e), 0);
	state_free(st);
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	assert_int_equal(state_file_load(f, &st, &e), 0);
	assert_memory_equal(st->key, key, sizeof key);
	assert_int_equal(st->round, 5);
	state_free(st);
	state_file_free(f);
}

static void test_keys_differ(void **state)
{
	struct state *a = state_new(), *b = state_new();

	(void)state;
	assert_memory_not_equal(a->key, b->key, sizeof a->key);
	state_free(a);
	state_free(b);
}

static void test_one_owner(void **state)
{
	struct state_file *f = open_file(), *g;
	struct err e = { "" };

	(void)state;
	assert_int_equal(state_file_new(&g, dir, &e), -EBUSY);
	assert_non_null(strstr(e.text, dir));
	state_file_free(f);
	state_file_free(open_file());
}

static void write_text(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void test_damaged(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{}", "{\n  \"version\": 1,,\n}" };
	struct state_file *f = open_file();

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct err e = { "" };
		struct state *st;

		write_text(texts[i]);
		assert_int_equal(state_file_load(f, &st, &e), -EINVAL);
		assert_non_null(strstr(e.text, path));
		assert_non_null(strstr(e.text, "move the file away to start fresh"));
	}
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	{
		struct err e = { "" };
		struct state *st;

		assert_true(state_file_load(f, &st, &e) < 0);
	}
	unlink(path);
	state_file_free(f);
}

/* A file that cannot be written leaves the old one as it is. */
static void test_failed_save(void **state)
{
	struct state_file *f = open_file();
	struct err e = { "" };
	struct state *st;

	(void)state;
	assert_int_equal(state_file_load(f, &st, &e), 0);
	st->round = 8;
	assert_int_equal(state_file_save(f, st, &e), 0);
	assert_int_equal(mkdir(temp, 0700), 0); /* stands in the way of the new file */
	st->round = 9;
	assert_true(state_file_save(f, st, &e) < 0);
	assert_non_null(strstr(e.text, path));
	state_free(st);
	assert_int_equal(rmdir(temp), 0);
	assert_int_equal(state_file_load(f, &st, &e), 0);
	assert_int_equal(st->round, 8);
	state_free(st);
	state_file_free(f);
}

static void test_no_directory(void **state)
{
	struct state_file *f;
	struct err e = { "" };

	(void)state;
	assert_int_equal(state_file_new(&f, "/proc/none/lib", &e), -ENOENT);
	assert_non_null(strstr(e.text, "/proc/none/lib"));
	assert_true(state_file_new(&f, "/dev/null", &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_keys_differ),
		cmocka_unit_test(test_one_owner),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_failed_save),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
