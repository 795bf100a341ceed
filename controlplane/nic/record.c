/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/nic/step.h"

enum {
	BOOT_ID = 40,
	SETTINGS_MAX = 1 << 20,
	MESSAGE_MAX = 1 << 16,
	MESSAGES_MAX = 1 << 24,
	LOCK_TRIES = 10
};

/* No device has a colon in its name. */
static const char lock_suffix[] = ":lock", fresh_suffix[] = ":new";

/* The file begins with this; then come the settings' text and the messages. */
struct head {
	char magic[16];
	char boot[BOOT_ID];
	uint64_t netns;
	struct record_fixed fixed;
	uint32_t settings, messages;
};

static const char magic[16] = "tandem handover";

void record_free(struct record *r)
{
	settings_free(&r->settings);
	holdings_free(&r->holdings);
	*r = (struct record){ 0 };
}

static int path_of(char path[PATH_MAX], const char *run_dir, const char *name, const char *suffix)
{
	int n = snprintf(path, PATH_MAX, "%s/handover/%s%s", run_dir, name, suffix);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Which boot and which network namespace this is. */
static int here(struct head *h)
{
	FILE *in = fopen("/proc/sys/kernel/random/boot_id", "re");
	struct stat is;

	memset(h, 0, sizeof *h);
	memcpy(h->magic, magic, sizeof magic);
	if (in) {
		if (fgets(h->boot, sizeof h->boot, in))
			h->boot[strcspn(h->boot, "\n")] = '\0';
		fclose(in);
	}
	if (stat("/proc/self/ns/net", &is))
		return -errno;
	h->netns = is.st_ino;
	return 0;
}

static int read_messages(struct record *r, FILE *in, uint32_t n)
{
	struct nlmsghdr *buf = malloc(MESSAGE_MAX);
	int rc = buf ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < n && !rc; i++) {
		if (fread(buf, sizeof *buf, 1, in) != 1 || buf->nlmsg_len < sizeof *buf ||
			buf->nlmsg_len > MESSAGE_MAX ||
			fread(buf + 1, buf->nlmsg_len - sizeof *buf, 1, in) != 1)
			rc = -EBADMSG;
		else
			rc = holdings_add(&r->holdings, buf);
	}
	free(buf);
	return rc;
}

static int read_body(struct record *r, FILE *in, const struct head *h)
{
	if (h->settings > SETTINGS_MAX || h->messages > MESSAGES_MAX)
		return -EBADMSG;
	if (h->settings) {
		r->settings.text = malloc(h->settings);
		if (!r->settings.text)
			return -ENOMEM;
		r->settings.n = h->settings;
		if (fread(r->settings.text, h->settings, 1, in) != 1 ||
			r->settings.text[h->settings - 1])
			return -EBADMSG;
	}
	return read_messages(r, in, h->messages);
}

static int read_file(struct record *r, FILE *in)
{
	struct head is, h;
	int rc = here(&is);

	if (rc)
		return rc;
	if (fread(&h, sizeof h, 1, in) != 1 || memcmp(h.magic, magic, sizeof magic) != 0)
		return -EBADMSG;
	if (strncmp(h.boot, is.boot, sizeof h.boot) != 0)
		return -ENOENT;
	if (h.netns != is.netns)
		return -EXDEV;
	r->fixed = h.fixed;
	r->holdings.ifindex = h.fixed.owner;
	return read_body(r, in, &h);
}

int record_load(struct record *r, const char *run_dir, const char *name, struct err *e)
{
	char path[PATH_MAX];
	int rc = path_of(path, run_dir, name, "");
	FILE *in;

	*r = (struct record){ 0 };
	if (rc)
		return err_set(e, rc, "%s: %s", run_dir, strerror(-rc));
	in = fopen(path, "re");
	if (!in)
		return err_set(e, -errno, "cannot read %s: %s", path, strerror(errno));
	rc = read_file(r, in);
	fclose(in);
	if (!rc)
		return 0;
	record_free(r);
	if (rc == -EXDEV)
		return err_set(e, rc,
			"%s is about a device of another network namespace: go there, or remove the file if that is gone",
			path);
	return err_set(e, rc,
		"cannot read from %s how the device was before: %s; put it back by hand and remove the file",
		path, strerror(-rc));
}

static int write_file(const struct record *r, FILE *out)
{
	struct head h;
	int rc = here(&h);
	bool good;

	if (rc)
		return rc;
	h.fixed = r->fixed;
	h.fixed.owner = r->holdings.ifindex;
	h.settings = (uint32_t)r->settings.n;
	h.messages = (uint32_t)r->holdings.n;
	good = fwrite(&h, sizeof h, 1, out) == 1 &&
	       (!h.settings || fwrite(r->settings.text, h.settings, 1, out) == 1);
	for (size_t i = 0; i < r->holdings.n && good; i++)
		good = fwrite(r->holdings.list[i], r->holdings.list[i]->nlmsg_len, 1, out) == 1;
	return good ? 0 : -EIO;
}

static int save(const struct record *r, const char *run_dir)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	int rc = path_of(path, run_dir, r->fixed.name, "");
	FILE *out;

	if (!rc)
		rc = path_of(fresh, run_dir, r->fixed.name, fresh_suffix);
	if (rc)
		return rc;
	step("write the record");
	out = fopen(fresh, "we");
	if (!out)
		return -errno;
	rc = write_file(r, out);
	if (fclose(out) && !rc)
		rc = -errno;
	step("put the record in its place");
	if (!rc && rename(fresh, path))
		rc = -errno;
	if (rc)
		unlink(fresh);
	return rc;
}

int record_save(const struct record *r, const char *run_dir, struct err *e)
{
	int rc = save(r, run_dir);

	return rc ? err_set(e, rc, "cannot write down in %s/handover how %s was: %s", run_dir,
			    r->fixed.name, strerror(-rc))
		  : 0;
}

/* Anything but what was to be removed is a fault. */
static int remove_path(const char *run_dir, const char *name, const char *suffix)
{
	char path[PATH_MAX];
	int rc = path_of(path, run_dir, name, suffix);

	if (rc)
		return rc;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

int record_remove(const char *run_dir, const char *name, struct err *e)
{
	int rc;

	step("remove the record");
	remove_path(run_dir, name, fresh_suffix);
	rc = remove_path(run_dir, name, "");
	return rc ? err_set(e, rc, "cannot remove %s/handover/%s: %s", run_dir, name, strerror(-rc))
		  : 0;
}

/* Whoever had the file before may have removed it after it was opened. */
static int try_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat is, stands;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return errno == EWOULDBLOCK ? -EBUSY : -EIO;
	}
	if (!fstat(fd, &is) && !stat(path, &stands) && is.st_ino == stands.st_ino)
		return fd;
	close(fd);
	return -ESTALE;
}

int record_lock(const char *run_dir, const char *name, struct err *e)
{
	char path[PATH_MAX];
	int rc = path_of(path, run_dir, "", "");

	if (rc)
		return err_set(e, rc, "%s: %s", run_dir, strerror(-rc));
	for (int i = 0; i < LOCK_TRIES && (!i || rc == -ESTALE || rc == -ENOENT); i++) {
		path_of(path, run_dir, "", "");
		if (mkdir(path, 0700) && errno != EEXIST)
			return err_set(
				e, -errno, "cannot make the folder %s: %s", path, strerror(errno));
		rc = path_of(path, run_dir, name, lock_suffix);
		if (!rc)
			rc = try_lock(path);
	}
	if (rc == -EBUSY)
		return err_set(e, rc, "another process has %s: stop it first", name);
	if (rc < 0)
		return err_set(e, rc, "cannot lock %s: %s", path, strerror(-rc));
	return rc;
}

void record_unlock(const char *run_dir, const char *name, int lock)
{
	char path[PATH_MAX];

	remove_path(run_dir, name, lock_suffix);
	if (!path_of(path, run_dir, "", ""))
		rmdir(path);
	close(lock);
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && !strcmp(text + n - m, suffix);
}

int record_each(
	const char *run_dir, int (*fn)(void *arg, const char *name), void *arg, struct err *e)
{
	char path[PATH_MAX];
	struct dirent **list;
	int rc = path_of(path, run_dir, "", ""), n, first = 0;

	if (rc)
		return err_set(e, rc, "%s: %s", run_dir, strerror(-rc));
	n = scandir(path, &list, NULL, alphasort);
	if (n < 0)
		return errno == ENOENT
			       ? 0
			       : err_set(e, -errno, "cannot read %s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (*name != '.' && !ends_with(name, lock_suffix) &&
			!ends_with(name, fresh_suffix)) {
			rc = fn(arg, name);
			if (!first)
				first = rc;
		}
		free(list[i]);
	}
	free(list);
	return first;
}
