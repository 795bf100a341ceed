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

enum { STATE_BYTES_MAX = 64 << 20, NAME_BYTES = 16 };

struct state_file {
	int dir; /* open and locked */
	char path[PATH_MAX];
};

/* In the order in which they are written. The numbers come last, because a file of them that is as old as the time
 * when they were all that was kept has the other parts in it until it is replaced. */
static const struct file {
	enum state_part part;
	char name[NAME_BYTES], temp[NAME_BYTES];
} files[] = {
	{ STATE_SEEN, "seen.json", "seen.json.new" },
	{ STATE_WANTED, "wanted.json", "wanted.json.new" },
	{ STATE_NUMBERS, "state.json", "state.json.new" },
};

enum { FILES = sizeof files / sizeof *files };

int state_file_new(struct state_file **out, const char *dir, struct err *e)
{
	struct state_file *f = calloc(1, sizeof *f);
	int err;

	if (!f)
		return err_set(e, -ENOMEM, "out of memory");
	f->dir = -1;
	if (snprintf(f->path, sizeof f->path, "%s", dir) >= (int)sizeof f->path) {
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

/* Returns as state_decode(), and 0 when there is no file. */
static int load_file(
	const struct state_file *f, const struct file *p, struct state *st, struct err *e)
{
	int fd = openat(f->dir, p->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char path[PATH_MAX + NAME_BYTES], *text = NULL;
	size_t len = 0;
	int err;

	if (fd < 0 && errno == ENOENT)
		return 0;
	snprintf(path, sizeof path, "%s/%s", f->path, p->name);
	if (fd < 0)
		return err_set(e, -errno, "cannot read %s: %s", path, strerror(errno));
	err = read_all(fd, &text, &len);
	close(fd);
	if (err)
		return err_set(e, err, "cannot read %s: %s", path, strerror(-err));
	err = state_decode(st, p->part, text, len, path, e);
	free(text);
	return err;
}

int state_file_load(struct state_file *f, struct state **out, struct err *e)
{
	struct state *st = state_new();
	unsigned known = 0;

	if (!st)
		return err_set(e, -ENOMEM, "no memory or no random bytes for a new state");
	for (unsigned i = FILES; i-- > 0;) {
		int found = known & files[i].part ? 0 : load_file(f, &files[i], st, e);

		if (found < 0) {
			state_free(st);
			return found;
		}
		known |= (unsigned)found;
	}
	*out = st;
	return 0;
}

/* Writes the text to a new file and waits until the disk has it. */
static int write_temp(const struct state_file *f, const char *temp, const char *text, size_t len)
{
	int fd = openat(f->dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
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

static int save_file(
	const struct state_file *f, const struct file *p, const struct state *st, struct err *e)
{
	char *text = state_encode(st, p->part);
	int err;

	if (!text)
		return err_set(e, -ENOMEM, "cannot write %s/%s: out of memory", f->path, p->name);
	err = write_temp(f, p->temp, text, strlen(text));
	free(text);
	if (!err && renameat(f->dir, p->temp, f->dir, p->name))
		err = -errno;
	if (err) {
		unlinkat(f->dir, p->temp, 0);
		return err_set(e, err, "cannot write %s/%s: %s", f->path, p->name, strerror(-err));
	}
	if (fsync(f->dir))
		return err_set(e, -errno, "cannot write %s/%s to the disk: %s", f->path, p->name,
			strerror(errno));
	return 0;
}

int state_file_save(struct state_file *f, const struct state *st, unsigned parts, struct err *e)
{
	int err = 0;

	for (unsigned i = 0; i < FILES && !err; i++)
		if (parts & files[i].part)
			err = save_file(f, &files[i], st, e);
	return err;
}
