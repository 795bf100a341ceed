/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/source.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/conf/conf.h"

/* Opens with another's rights; only this thread's file access changes, and only for the one call. */
static int open_as(const char *path, uid_t uid, gid_t gid)
{
	gid_t old_gid = (gid_t)setfsgid(gid);
	uid_t old_uid = (uid_t)setfsuid(uid);
	int fd = -1;
	int err = EPERM;

	/* setfsuid() tells a failure only by what the next call returns. */
	if ((uid_t)setfsuid(uid) == uid && (gid_t)setfsgid(gid) == gid) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		err = errno;
	}
	setfsuid(old_uid);
	setfsgid(old_gid);
	return fd >= 0 ? fd : -err;
}

static int read_text(int fd, off_t most, char **out)
{
	struct stat st;
	size_t n = 0;
	ssize_t got;
	char *text;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	if (st.st_size > most)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	if (strlen(text) != n) {
		free(text);
		return -EILSEQ;
	}
	*out = text;
	return 0;
}

static int read_as(const char *path, uid_t uid, gid_t gid, off_t most, char **text, struct err *e)
{
	int fd = open_as(path, uid, gid), err;

	if (fd < 0)
		return err_set(e, fd, "cannot read %s: %s", path, strerror(-fd));
	err = read_text(fd, most, text);
	close(fd);
	if (err == -ENOTSUP)
		return err_set(e, err, "cannot read %s: it is not a regular file", path);
	if (err == -EILSEQ)
		return err_set(e, err, "cannot read %s: it is not text but holds a NUL byte", path);
	return err ? err_set(e, err, "cannot read %s: %s", path, strerror(-err)) : 0;
}

int source_read(const char *path, uid_t uid, gid_t gid, char **text, struct err *e)
{
	return read_as(path, uid, gid, SOURCE_BYTES_MAX, text, e);
}

int source_read_list(void *arg, const char *path, char **text, struct err *e)
{
	const struct source_reader *r = arg;

	return read_as(path, r->uid, r->gid, CONF_LIST_MAX, text, e);
}
