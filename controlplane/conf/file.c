/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/conf/diag.h"

static int open_error(int code, struct diags *d)
{
	const char *advice = code == ENOENT		       ? "; create it, or name another file"
			     : code == EACCES || code == EPERM ? "; run as a user who may read it"
							       : "";

	diags_add(d, DIAG_ERROR, NULL, NULL, "cannot be opened: %s%s", strerror(code), advice);
	return -code;
}

static int check_kind(const struct stat *st, struct diags *d)
{
	if (S_ISREG(st->st_mode))
		return 0;
	diags_add(d, DIAG_ERROR, NULL, NULL, "is %s; name a regular file",
		S_ISDIR(st->st_mode)	? "a directory"
		: S_ISFIFO(st->st_mode) ? "a pipe"
		: S_ISSOCK(st->st_mode) ? "a socket"
					: "a device");
	return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
}

/* Looks before it opens, since opening alone sets some devices off, and once more behind, since the name
 * may lead elsewhere by then. Returns a descriptor or a negative errno. */
static int open_regular(const char *path, struct diags *d)
{
	struct stat st;
	int fd, rc;

	if (stat(path, &st))
		return open_error(errno, d);
	rc = check_kind(&st, d);
	if (rc)
		return rc;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return open_error(errno, d);
	rc = fstat(fd, &st) ? open_error(errno, d) : check_kind(&st, d);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

/* Reads to the end, whatever size the file claims to have: it may grow, and in /proc it is always 0.
 * One byte more than allowed is read, so that the caller sees the excess. */
static int read_all(int fd, size_t most, char **bytes, size_t *size)
{
	size_t room = 0, used = 0;
	char *p = NULL;

	for (;;) {
		ssize_t n;
		if (used == room) {
			char *more = realloc(p, room = room ? room * 2 : 65536);
			if (!more) {
				free(p);
				return -ENOMEM;
			}
			p = more;
		}
		n = read(fd, p + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int code = errno;
			free(p);
			return -code;
		}
		used += (size_t)n;
		if (n == 0 || used > most)
			break;
	}
	*bytes = p;
	*size = used;
	return 0;
}

int conf_file_read(const char *path, size_t most, char **bytes, size_t *size, struct diags *d)
{
	int fd = open_regular(path, d), rc;

	if (fd < 0)
		return fd;
	rc = read_all(fd, most, bytes, size);
	if (rc && rc != -ENOMEM)
		diags_add(d, DIAG_ERROR, NULL, NULL, "cannot be read: %s", strerror(-rc));
	close(fd);
	return rc;
}

static int list_text(char *bytes, size_t size, const char *path, char **text, struct err *e)
{
	char *p = size > CONF_LIST_MAX ? NULL : realloc(bytes, size + 1);

	if (!p)
		return size > CONF_LIST_MAX ? err_set(e, -EFBIG, "%s is larger than %u MiB", path,
						      CONF_LIST_MAX >> 20)
					    : err_set(e, -ENOMEM, "out of memory");
	p[size] = '\0';
	*text = p;
	return strlen(p) == size ? 0
				 : err_set(e, -EILSEQ, "%s is not text but holds a NUL byte", path);
}

int conf_file_read_list(void *arg, const char *path, char **text, struct err *e)
{
	struct diags d = { 0 };
	char *bytes = NULL;
	size_t size = 0;
	int rc = conf_file_read(path, CONF_LIST_MAX, &bytes, &size, &d);

	(void)arg;
	if (rc)
		err_set(e, rc, "%s %s", path, d.n ? d.list[0].message : strerror(-rc));
	diags_free(&d);
	if (rc)
		return rc;
	*text = bytes;
	rc = list_text(bytes, size, path, text, e);
	if (rc)
		free(*text);
	return rc;
}
