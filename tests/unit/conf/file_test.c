/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading from the file system: what is no configuration file is refused before it is read. */
#include "controlplane/conf/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

static char folder[] = "/tmp/tandem-conf-XXXXXX";
static char path[64]; /* of a file in it */

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chmod(folder, 0755))
		return -1;
	snprintf(path, sizeof path, "%s/file", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void expect_refusal(const char *name, int rc, const char *message)
{
	struct conf *c;
	struct diags d;

	assert_int_equal(conf_load(name, &c, &d), rc);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.n_errors, 1);
	assert_int_equal(d.list[0].line, 0);
	assert_string_equal(d.file, name);
	assert_string_equal(d.list[0].message, message);
	diags_free(&d);
}

static void a_good_file_is_read(void **state)
{
	struct conf *c;
	struct diags d;

	(void)state;
	write_file(BASE "# no newline", 0644);
	assert_int_equal(conf_load(path, &c, &d), 0);
	assert_int_equal(d.n, 0);
	assert_string_equal(c->node, "n");
	conf_free(c);
	diags_free(&d);
}

static void what_is_not_there_is_told(void **state)
{
	(void)state;
	expect_refusal("/nonexistent/file", -ENOENT,
		"cannot be opened: No such file or directory; create it, or name another file");
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	expect_refusal("/dev/null", -EINVAL, "is a device; name a regular file");
	expect_refusal(folder, -EISDIR, "is a directory; name a regular file");
}

/* Would wait for a writer, were it opened as files are. */
static void a_pipe_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refusal(path, -EINVAL, "is a pipe; name a regular file");
}

static void a_socket_is_refused(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	expect_refusal(path, -EINVAL, "is a socket; name a regular file");
	close(fd);
}

static void a_file_of_others_is_told(void **state)
{
	bool root = geteuid() == 0;

	(void)state;
	write_file(BASE, 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	expect_refusal(path, -EACCES,
		"cannot be opened: Permission denied; run as a user who may read it");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

static void a_huge_file_is_refused(void **state)
{
	(void)state;
	write_file(BASE, 0644);
	assert_int_equal(truncate(path, (16 << 20) + 1), 0);
	expect_refusal(path, -EFBIG, "is larger than 16 MiB: not a configuration file");
}

/* Files in /proc say that they are empty. */
static void a_file_without_a_size_is_read(void **state)
{
	struct conf *c;
	struct diags d;

	(void)state;
	assert_int_equal(conf_load("/proc/self/status", &c, &d), -EINVAL);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.list[0].message, "syntax error");
	diags_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_good_file_is_read, remove_file),
		cmocka_unit_test(what_is_not_there_is_told),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test_teardown(a_pipe_is_refused, remove_file),
		cmocka_unit_test_teardown(a_socket_is_refused, remove_file),
		cmocka_unit_test_teardown(a_file_of_others_is_told, remove_file),
		cmocka_unit_test_teardown(a_huge_file_is_refused, remove_file),
		cmocka_unit_test(a_file_without_a_size_is_read),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
