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
static char dir[64], path[96], temp[96], wanted[96], wanted_temp[96], seen[96];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof dir, "%s/lib", top);
	snprintf(path, sizeof path, "%s/state.json", dir);
	snprintf(temp, sizeof temp, "%s/state.json.new", dir);
	snprintf(wanted, sizeof wanted, "%s/wanted.json", dir);
	snprintf(wanted_temp, sizeof wanted_temp, "%s/wanted.json.new", dir);
	snprintf(seen, sizeof seen, "%s/seen.json", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(wanted);
	unlink(seen);
	rmdir(temp);
	rmdir(wanted_temp);
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
	assert_int_equal(state_file_save(f, st, STATE_ALL, &e), 0);
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

static void write_text(const char *to, const char *text)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void expect_damage(struct state_file *f, const char *file)
{
	struct err e = { "" };
	struct state *st;

	assert_int_equal(state_file_load(f, &st, &e), -EINVAL);
	assert_non_null(strstr(e.text, file));
	assert_non_null(strstr(e.text, "move the file away to start fresh"));
}

static void test_damaged(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{}", "{\n  \"version\": 1,,\n}" };
	const char *const files[] = { path, wanted, seen };
	struct state_file *f = open_file();
	struct err e = { "" };
	struct state *st;

	(void)state;
	for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
		unlink(files[k]);
		for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
			write_text(files[k], texts[i]);
			expect_damage(f, files[k]);
		}
		unlink(files[k]);
		assert_int_equal(mkfifo(files[k], 0600), 0);
		assert_true(state_file_load(f, &st, &e) < 0);
		assert_non_null(strstr(e.text, files[k]));
		unlink(files[k]);
	}
	state_file_free(f);
}

static bool exists(const char *file)
{
	struct stat s;

	return !stat(file, &s);
}

static struct state *load(struct state_file *f)
{
	struct err e = { "" };
	struct state *st;

	if (state_file_load(f, &st, &e))
		fail_msg("%s", e.text);
	return st;
}

/* Each part has a file of its own, which is the only one to be written. */
static void test_parts(void **state)
{
	struct state_file *f = open_file();
	struct state *st = load(f);
	struct err e = { "" };

	(void)state;
	ids_add(&st->servers, "web/web1", 1, 0);
	state_server_new(st, 1)->overlay.wanted = SERVER_MAINT;
	state_server(st, 1)->seen = (struct state_seen){ HEALTH_DOWN, { 4, { 192, 0, 2, 1 } }, 80 };
	assert_int_equal(state_file_save(f, st, STATE_NUMBERS, &e), 0);
	assert_false(exists(wanted));
	assert_false(exists(seen));
	assert_int_equal(state_file_save(f, st, STATE_WANTED, &e), 0);
	assert_false(exists(seen));
	unlink(path);
	assert_int_equal(state_file_save(f, st, STATE_SEEN, &e), 0);
	assert_false(exists(path));
	assert_int_equal(state_file_save(f, st, 0, &e), 0);
	assert_false(exists(path));
	state_free(st);
	st = load(f); /* what is said of a server is nobody's without its number */
	assert_int_equal(st->servers.n, 0);
	ids_add(&st->servers, "web/web1", 2, 0);
	state_server_new(st, 2);
	assert_int_equal(state_file_save(f, st, STATE_NUMBERS, &e), 0);
	state_free(st);
	st = load(f);
	assert_int_equal(state_server(st, 2)->overlay.wanted, SERVER_MAINT);
	assert_int_equal(state_server(st, 2)->seen.state, HEALTH_DOWN);
	state_free(st);
	state_file_free(f);
}

/* A file with all parts is split; until that is done it stays as it is. */
static void test_version_1(void **state)
{
	static const char text[] =
		"{ \"version\": 1, \"key\": \"30313233343536373839616263646566\", \"generation\": 7, "
		"\"round\": 4, \"addresses\": {}, \"services\": {}, \"servers\": { \"web/web1\": { "
		"\"id\": 1, \"overlay\": { \"wanted\": \"drain\", \"weight\": null, \"who\": \"root\", "
		"\"why\": \"\", \"when\": 1 } } } }";
	struct state_file *f = open_file();
	struct err e = { "" };
	struct state *st;

	(void)state;
	unlink(seen);
	write_text(wanted, "of another time, even damaged");
	write_text(path, text);
	st = load(f);
	assert_int_equal(state_server(st, 1)->overlay.wanted, SERVER_DRAIN);
	assert_int_equal(mkdir(wanted_temp, 0700), 0);
	assert_true(state_file_save(f, st, STATE_ALL, &e) < 0);
	rmdir(wanted_temp);
	state_free(st);
	st = load(f);
	assert_int_equal(state_server(st, 1)->overlay.wanted, SERVER_DRAIN);
	state_server(st, 1)->overlay.wanted = SERVER_MAINT;
	assert_int_equal(state_file_save(f, st, STATE_ALL, &e), 0);
	state_free(st);
	st = load(f);
	assert_int_equal(st->round, 4);
	assert_int_equal(state_server(st, 1)->overlay.wanted, SERVER_MAINT);
	state_server(st, 1)->overlay.wanted = SERVER_READY;
	assert_int_equal(state_file_save(f, st, STATE_WANTED, &e), 0);
	state_free(st);
	st = load(f); /* the old text has no say any more */
	assert_int_equal(state_server(st, 1)->overlay.wanted, SERVER_READY);
	state_free(st);
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
	assert_int_equal(state_file_save(f, st, STATE_ALL, &e), 0);
	assert_int_equal(mkdir(temp, 0700), 0); /* stands in the way of the new file */
	st->round = 9;
	assert_true(state_file_save(f, st, STATE_ALL, &e) < 0);
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
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_failed_save),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
