/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/settings.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/nic/step.h"

enum { VALUE = 128 };

static const char *const folders[] = { "ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh" };

enum { FOLDERS = sizeof folders / sizeof *folders };

/* Others say the same more exactly. */
static bool is_other_view(const char *name)
{
	return !strcmp(name, "base_reachable_time") || !strcmp(name, "retrans_time") ||
	       !strcmp(name, "unres_qlen");
}

void settings_free(struct settings *s)
{
	free(s->text);
	*s = (struct settings){ 0 };
}

/* Returns the file or a negative errno. */
static int open_setting(const char *device, const char *folder, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "/proc/sys/net/%s/%s/%s", folder, device, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Returns 0; -EACCES: it can only be read; -EIO: it has no value yet; or another negative errno. */
static int get(const char *device, const char *folder, const char *name, char value[VALUE])
{
	int fd = open_setting(device, folder, name, O_RDONLY);
	struct stat is;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, value, VALUE - 1);
	n = n < 0 ? -errno : n;
	if (fstat(fd, &is) || !(is.st_mode & S_IWUSR))
		n = -EACCES;
	close(fd);
	if (n < 0)
		return (int)n;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

int settings_set(const char *device, const char *folder, const char *name, const char *value)
{
	size_t n = strlen(value);
	int fd, rc = 0;

	step(name);
	fd = open_setting(device, folder, name, O_WRONLY);
	if (fd < 0)
		return fd;
	if (write(fd, value, n) != (ssize_t)n)
		rc = -errno;
	close(fd);
	return rc;
}

static int read_folder(FILE *out, const char *device, const char *folder)
{
	char path[PATH_MAX], value[VALUE];
	const struct dirent *one;
	DIR *d;

	snprintf(path, sizeof path, "/proc/sys/net/%s/%s", folder, device);
	d = opendir(path);
	if (!d) /* the device has none of these while its MTU is too small, or without IPv6 */
		return errno == ENOENT ? 0 : -errno;
	while ((one = readdir(d)))
		if (one->d_name[0] != '.' && !is_other_view(one->d_name) &&
			!get(device, folder, one->d_name, value) && *value)
			fprintf(out, "%s %s %s\n", folder, one->d_name, value);
	closedir(d);
	return 0;
}

int settings_read(struct settings *s, const char *device)
{
	FILE *out = open_memstream(&s->text, &s->n);
	int rc = 0;

	if (!out)
		return -errno;
	for (unsigned i = 0; i < FOLDERS && !rc; i++)
		rc = read_folder(out, device, folders[i]);
	if (fclose(out) && !rc)
		rc = -ENOMEM;
	s->n++;
	if (rc)
		settings_free(s);
	return rc;
}

/* The parts of a line, the line behind which is returned; NULL: there are no more. */
struct line {
	char folder[16], name[64], value[VALUE];
};

static const char *next_line(const char *at, struct line *out)
{
	const char *end = at ? strchr(at, '\n') : NULL;

	*out = (struct line){ 0 };
	/* NOLINTNEXTLINE(cert-err34-c): strings only */
	if (!end || sscanf(at, "%15s %63s %127[^\n]", out->folder, out->name, out->value) < 2)
		return NULL;
	return end + 1;
}

bool settings_number(const struct settings *s, const char *folder, const char *name, long *out)
{
	struct line l;

	for (const char *at = next_line(s->text, &l); at; at = next_line(at, &l)) {
		char *end;

		if (strcmp(l.folder, folder) != 0 || strcmp(l.name, name) != 0)
			continue;
		*out = strtol(l.value, &end, 10);
		return *l.value && !*end;
	}
	return false;
}

static int put(const struct line *l, const char *device)
{
	char value[VALUE];
	int rc;

	if (!strcmp(l->name, "addr_gen_mode"))
		return 0;
	rc = get(device, l->folder, l->name, value);
	if (!rc && !strcmp(value, l->value))
		return 0;
	return rc && rc != -EIO ? rc : settings_set(device, l->folder, l->name, l->value);
}

int settings_put(const struct settings *s, const char *device, struct err *e)
{
	int failed = 0;
	struct line l;

	for (const char *at = next_line(s->text, &l); at; at = next_line(at, &l)) {
		int rc = put(&l, device);

		if (rc && !failed)
			failed = err_set(e, rc, "net/%s/%s/%s = %s is refused: %s", l.folder,
				device, l.name, l.value, strerror(-rc));
	}
	return failed;
}
