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
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/pools/source.h"

static char dir[] = "/tmp/tandem-source-XXXXXX", path[64];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return -1;
	snprintf(path, sizeof path, "%s/file", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void write_file(const void *bytes, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int read_as(uid_t uid, char **text, struct err *e)
{
	e->text[0] = '\0';
	return source_read(path, uid, getegid(), text, e);
}

static void test_reads(void **state)
{
	struct err e;
	char *text;

	(void)state;
	write_file("abc", 3, 0600);
	assert_int_equal(read_as(geteuid(), &text, &e), 0);
	assert_string_equal(text, "abc");
	free(text);
	write_file("", 0, 0600);
	assert_int_equal(read_as(geteuid(), &text, &e), 0);
	assert_string_equal(text, "");
	free(text);
	write_file("a\0c", 3, 0600);
	assert_int_equal(read_as(geteuid(), &text, &e), -EILSEQ);
	assert_non_null(strstr(e.text, path));
}

/* What another user may not read is not read for that user, whoever we are; and our own rights are back
 * afterwards. */
static void test_with_the_rights_of_another(void **state)
{
	struct err e;
	char *text;

	(void)state;
	write_file("secret", 6, 0600);
	assert_true(read_as(geteuid() + 12345, &text, &e) < 0);
	/* An impossible id changes nothing and tells the present one. */
	assert_int_equal(setfsuid((uid_t)-1), geteuid());
	assert_int_equal(setfsgid((gid_t)-1), getegid());
	assert_int_equal(read_as(geteuid(), &text, &e), 0);
	free(text);
}

static void test_not_a_file(void **state)
{
	struct err e;
	char *text;

	(void)state;
	unlink(path);
	assert_int_equal(read_as(geteuid(), &text, &e), -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_as(geteuid(), &text, &e), -ENOTSUP);
	assert_int_equal(source_read(dir, geteuid(), getegid(), &text, &e), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_with_the_rights_of_another),
		cmocka_unit_test(test_not_a_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
