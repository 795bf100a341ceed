/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/state_file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_NAME "state.json"
#define STATE_TEMP "state.json.new"

enum { STATE_BYTES_MAX = 64 << 20 };

struct state_file {
	int dir; /* open and locked */
	char path[PATH_MAX];
};

int state_file_new(struct state_file **out, const char *dir, struct err *e)
{
	struct state_file *f = calloc(1, sizeof *f);
	int err;

	if (!f)
		return err_set(e, -ENOMEM, "out of memory");
	f->dir = -1;
	if (snprintf(f->path, sizeof f->path, "%s/" STATE_NAME, dir) >= (int)sizeof f->path) {
		err = err_set(e, -ENAMETOOLONG, "the path of the state directory is too long");
		goto fail;
	}
	if (mkdir(dir, 0700) && errno != EEXIST) {
		err = err_set(e, -errno,
			"cannot make the state directory %s: %s; make it, or name another with "
			"--state-dir",
			dir, strerror(errno));
		goto fail;
	}
	f->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0) {
		err = err_set(
			e, -errno, "cannot open the state directory %s: %s", dir, strerror(errno));
		goto fail;
	}
	if (flock(f->dir, LOCK_EX | LOCK_NB)) {
		err = err_set(e, -EBUSY,
			"the state directory %s is in use by another tandemd: stop that one, or "
			"name another "
			"with --state-dir",
			dir);
		goto fail;
	}
	*out = f;
	return 0;
fail:
	state_file_free(f);
	return err;
}

void state_file_free(struct state_file *f)
{
	if (!f)
		return;
	if (f->dir >= 0)
		close(f->dir);
	free(f);
}

/* Everything that fd holds; *len bytes and a NUL. */
static int read_all(int fd, char **out, size_t *len)
{
	struct stat st;
	size_t n = 0;
	ssize_t got;
	char *text;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > STATE_BYTES_MAX)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	*out = text;
	*len = n;
	return 0;
}

int state_file_load(struct state_file *f, struct state **out, struct err *e)
{
	int fd = openat(f->dir, STATE_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	size_t len = 0;
	int err;

	if (fd < 0 && errno == ENOENT) {
		*out = state_new();
		return *out ? 0
			    : err_set(e, -ENOMEM, "no memory or no random bytes for a new state");
	}
	if (fd < 0)
		return err_set(e, -errno, "cannot read %s: %s", f->path, strerror(errno));
	err = read_all(fd, &text, &len);
	close(fd);
	if (err)
		return err_set(e, err, "cannot read %s: %s", f->path, strerror(-err));
	err = state_decode(text, len, f->path, out, e);
	free(text);
	return err;
}

/* Writes the text to a new file and waits until the disk has it. */
static int write_temp(const struct state_file *f, const char *text, size_t len)
{
	int fd = openat(
		f->dir, STATE_TEMP, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err = fd < 0 ? -errno : 0;

	if (err)
		return err;
	if (fchmod(fd, 0600))
		err = -errno;
	for (size_t done = 0; done < len && !err;) {
		ssize_t n = write(fd, text + done, len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			err = -errno;
	}
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

int state_file_save(struct state_file *f, const struct state *st, struct err *e)
{
	char *text = state_encode(st);
	int err;

	if (!text)
		return err_set(e, -ENOMEM, "cannot write %s: out of memory", f->path);
	err = write_temp(f, text, strlen(text));
	free(text);
	if (!err && renameat(f->dir, STATE_TEMP, f->dir, STATE_NAME))
		err = -errno;
	if (err) {
		unlinkat(f->dir, STATE_TEMP, 0);
		return err_set(e, err, "cannot write %s: %s", f->path, strerror(-err));
	}
	if (fsync(f->dir))
		return err_set(
			e, -errno, "cannot write %s to the disk: %s", f->path, strerror(errno));
	return 0;
}
