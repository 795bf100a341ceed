/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/shared/notify.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/unit/test.h"

/* A service manager's socket; a path that begins with "@" is in the abstract name space. */
static int manager(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(sun.sun_path, path, len);
	if (*path == '@')
		sun.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&sun,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	return fd;
}

static void expect_state(int fd, const char *state)
{
	char text[64] = "";
	ssize_t n = recv(fd, text, sizeof text - 1, 0);

	assert_int_equal(n, strlen(state));
	assert_string_equal(text, state);
	assert_true(recv(fd, text, sizeof text, 0) < 0);
}

static void tells_the_manager(void **state)
{
	char path[64];
	int fd;

	(void)state;
	snprintf(path, sizeof path, "/tmp/tandem-notify-%ld", (long)getpid());
	for (int i = 0; i < 2; i++) {
		fd = manager(path);
		setenv("NOTIFY_SOCKET", path, 1);
		notify("READY=1");
		expect_state(fd, "READY=1");
		notify("STOPPING=1");
		expect_state(fd, "STOPPING=1");
		close(fd);
		unlink(path);
		*path = '@';
	}
}

/* All that may happen is a line in the log. */
static void nobody_to_tell(void **state)
{
	char path[200];
	FILE *kept = tmpfile();
	int saved = dup(2);
	size_t n;

	(void)state;
	assert_true(kept && saved >= 0 && dup2(fileno(kept), 2) == 2);
	unsetenv("NOTIFY_SOCKET");
	notify("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	notify("READY=1");
	n = (size_t)ftell(kept);
	assert_int_equal(lseek(fileno(kept), 0, SEEK_END), (off_t)n);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	notify("READY=1");
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	notify("STOPPING=1");
	dup2(saved, 2);
	close(saved);
	rewind(kept);
	assert_non_null(fgets(path, sizeof path, kept));
	assert_non_null(strstr(path, "cannot tell the service manager READY=1: No such file"));
	assert_non_null(fgets(path, sizeof path, kept));
	assert_non_null(
		strstr(path, "cannot tell the service manager STOPPING=1: File name too long"));
	assert_null(fgets(path, sizeof path, kept));
	fclose(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_manager),
		cmocka_unit_test(nobody_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
