/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/socket.h"
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_BACKLOG = 16 };

static int find_group(const char *name, gid_t *gid, struct err *e)
{
	const struct group *g;

	*gid = (gid_t)-1;
	if (!*name)
		return 0;
	g = getgrnam(name);
	if (!g)
		return err_set(e, -ENOENT,
			"api.group: there is no group \"%s\" on this host; make it (groupadd %s) "
			"or correct the "
			"name",
			name, name);
	*gid = g->gr_gid;
	return 0;
}

static int remove_stale(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT
			       ? 0
			       : err_set(e, -errno, "cannot look at %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(
			e, -EEXIST, "%s is in the way: it is not a socket; move it away", path);
	return unlink(path) ? err_set(e, -errno, "cannot remove %s: %s", path, strerror(errno)) : 0;
}

/* Only the owner has rights until the group is right, and nobody is heard before that. */
static int bind_socket(int fd, const struct sockaddr_un *sun, gid_t gid, struct err *e)
{
	mode_t old = umask(0177);
	int err = bind(fd, (const struct sockaddr *)sun, sizeof *sun) ? -errno : 0;

	umask(old);
	if (err)
		return err_set(
			e, err, "cannot make the socket %s: %s", sun->sun_path, strerror(-err));
	if (lchown(sun->sun_path, (uid_t)-1, gid) || chmod(sun->sun_path, 0660) ||
		listen(fd, SOCKET_BACKLOG)) {
		err = err_set(e, -errno, "cannot open the socket %s to its group: %s",
			sun->sun_path, strerror(errno));
		unlink(sun->sun_path);
	}
	return err;
}

int socket_listen(const char *path, const char *group, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	gid_t gid;
	int fd, err;

	if (snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path) >= (int)sizeof sun.sun_path)
		return err_set(e, -ENAMETOOLONG,
			"the socket's path %s is longer than the %zu bytes that the kernel takes; "
			"choose a "
			"shorter --run-dir",
			path, sizeof sun.sun_path - 1);
	err = find_group(group, &gid, e);
	if (!err)
		err = remove_stale(path, e);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, -errno, "cannot make a socket: %s", strerror(errno));
	err = bind_socket(fd, &sun, gid, e);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
