/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/stack.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK_TEXT = 128 };

static int open_setting(const char *name, int flags)
{
	char path[PATH_MAX] = "/proc/sys/";
	size_t n = strlen(path);
	int fd;

	if (strlen(name) >= sizeof path - n)
		return -ENAMETOOLONG;
	memcpy(path + n, name, strlen(name) + 1);
	for (char *dot = strchr(path + n, '.'); dot; dot = strchr(dot, '.'))
		*dot = '/';
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int stack_get(const char *name, unsigned nth, long *out)
{
	int fd = open_setting(name, O_RDONLY);
	char text[STACK_TEXT], *at, *end = text;
	ssize_t n;
	int rc;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof text - 1);
	rc = n < 0 ? -errno : 0;
	close(fd);
	if (rc)
		return rc;
	text[n] = '\0';
	for (unsigned i = 0; i <= nth; i++) {
		at = end;
		*out = strtol(at, &end, 10);
		if (end == at)
			return -EBADMSG;
	}
	return 0;
}

int stack_set(const char *name, long value)
{
	int fd = open_setting(name, O_WRONLY), rc = 0;
	char text[32];
	int n = snprintf(text, sizeof text, "%ld\n", value);

	if (fd < 0)
		return fd;
	if (write(fd, text, (size_t)n) != n)
		rc = -errno;
	close(fd);
	return rc;
}

uint8_t stack_window_scale(void)
{
	enum { WINDOW_BITS = 16, SCALE_MAX = 14 }; /* RFC 7323, section 2.3 */
	long space = 0, most = 0;
	uint8_t scale = 0;

	stack_get("net.ipv4.tcp_rmem", 2, &space);
	if (!stack_get("net.core.rmem_max", 0, &most) && most > space)
		space = most;
	while (scale < SCALE_MAX && space >> (WINDOW_BITS + scale))
		scale++;
	return scale;
}
