/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/shared/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who has the lock, as it wrote into the file. */
static int held(int fd, const char *run_dir, const char *program, const char *advice, struct err *e)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	return err_set(
		e, -EBUSY, "another %s (pid %ld) runs on %s: %s", program, pid, run_dir, advice);
}

static int write_pid(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n)
		return -errno;
	return 0;
}

/* Open to all whatever the umask, so that the API's group gets to the socket; what lies in it has modes of its
 * own. */
static int make_dir(const char *path)
{
	if (mkdir(path, 0755))
		return errno == EEXIST ? 0 : -errno;
	return chmod(path, 0755) ? -errno : 0;
}

int lock_take(const char *run_dir, const char *program, const char *advice, struct err *e)
{
	char path[PATH_MAX];
	int fd, err;

	err = make_dir(run_dir);
	if (err)
		return err_set(e, err, "cannot make the run directory %s: %s%s", run_dir,
			strerror(-err), err == -EACCES ? "; run it as root" : "");
	if (snprintf(path, sizeof path, "%s/%s.lock", run_dir, program) >= (int)sizeof path)
		return err_set(e, -ENAMETOOLONG, "the path of the run directory is too long");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_set(e, -errno, "cannot open %s: %s%s", path, strerror(errno),
			errno == EACCES ? "; run it as root" : "");
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK
			      ? held(fd, run_dir, program, advice, e)
			      : err_set(e, -errno, "cannot lock %s: %s", path, strerror(errno));
		close(fd);
		return err;
	}
	err = write_pid(fd);
	if (err) {
		close(fd);
		return err_set(e, err, "cannot write %s: %s", path, strerror(-err));
	}
	return fd;
}
