/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/shared/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/test.h"

static char top[32], run[64], lock[80];

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/tandem-lock-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(run, sizeof run, "%s/run", top);
	snprintf(lock, sizeof lock, "%s/tandemd.lock", run);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(lock);
	rmdir(run);
	return rmdir(top);
}

/* The directory is there for all, whatever the umask, and the file tells who has it. */
static void taken_with_pid(void **state)
{
	mode_t old = umask(0077);
	char text[32] = "", pid[32];
	struct stat st;
	struct err e;
	int fd = lock_take(run, "tandemd", "", &e), file;

	(void)state;
	umask(old);
	assert_true(fd >= 0);
	assert_int_equal(stat(run, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	file = open(lock, O_RDONLY);
	assert_true(read(file, text, sizeof text - 1) > 0);
	close(file);
	snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	assert_string_equal(text, pid);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void held_by_another(void **state)
{
	char pid[64];
	struct err e;
	int fd = lock_take(run, "tandemd", "", &e);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(lock_take(run, "tandemd", "stop it first", &e), -EBUSY);
	snprintf(pid, sizeof pid, "another tandemd (pid %ld) runs on ", (long)getpid());
	assert_non_null(strstr(e.text, pid));
	assert_string_equal(e.text + strlen(e.text) - strlen(": stop it first"), ": stop it first");
	/* Closed is free, and what a longer pid left there is gone. */
	assert_int_equal(pwrite(fd, "4194304000\n", 11, 0), 11);
	close(fd);
	fd = lock_take(run, "tandemd", "", &e);
	assert_true(fd >= 0);
	snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	assert_int_equal(lseek(fd, 0, SEEK_END), strlen(pid));
	close(fd);
}

static void failures_have_sentences(void **state)
{
	char deep[PATH_MAX];
	struct err e;

	(void)state;
	snprintf(deep, sizeof deep, "%s/none/run", top);
	assert_int_equal(lock_take(deep, "tandemd", "", &e), -ENOENT);
	assert_non_null(strstr(e.text, "cannot make the run directory"));
	memset(deep, '/', sizeof deep);
	memcpy(deep, top, strlen(top));
	deep[PATH_MAX - 4] = '\0';
	assert_int_equal(lock_take(deep, "tandemd", "", &e), -ENAMETOOLONG);
	assert_non_null(strstr(e.text, "too long"));
	/* A link is not followed, wherever it leads. */
	assert_int_equal(mkdir(run, 0755), 0);
	assert_int_equal(symlink("/dev/null", lock), 0);
	assert_int_equal(lock_take(run, "tandemd", "", &e), -ELOOP);
	assert_non_null(strstr(e.text, lock));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(taken_with_pid, setup, teardown),
		cmocka_unit_test_setup_teardown(held_by_another, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_have_sentences, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
