/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/links.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINK_PREFIX	  "if"
#define NOT_NATIVE_PREFIX "no-native"

/* One interface, and what is needed to put it back. */
struct attachment {
	uint32_t ifindex;
	int link;
	int former;		     /* program that ran before; -1: none */
	enum links_mode former_mode; /* how */
	bool replaced; /* the former link had to go; else it was given another program */
};

struct links_change {
	const char *dir;
	int program;
	const uint32_t *ifindexes;
	unsigned n;
	enum links_mode mode; /* that was asked for */
	struct links_report *report;
	struct attachment done[];
};

void links_dir(const char *root, char *path, size_t size)
{
	snprintf(path, size, "%s/links", root);
}

static void link_path(const char *dir, uint32_t ifindex, char *path, size_t size)
{
	snprintf(path, size, "%s/" LINK_PREFIX "%u", dir, ifindex);
}

/* Calls fn with each entry of the directory whose name is the prefix and a number. */
static int each_entry(const char *dir, const char *prefix,
	int (*fn)(void *arg, const char *path, uint32_t ifindex), void *arg)
{
	size_t length = strlen(prefix);
	char path[PATH_MAX];
	struct dirent *e;
	int rc = 0;
	DIR *d = opendir(dir);

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (!rc && (e = readdir(d))) {
		unsigned long ifindex = strncmp(e->d_name, prefix, length)
						? 0
						: strtoul(e->d_name + length, NULL, 10);

		if (!ifindex)
			continue;
		snprintf(path, sizeof path, "%s/%s%lu", dir, prefix, ifindex);
		rc = fn(arg, path, (uint32_t)ifindex);
	}
	closedir(d);
	return rc;
}

/* Detaches at once: a link whose pin merely goes is freed some time later. */
static int link_remove(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd >= 0) {
		bpf_link_detach(fd);
		close(fd);
	}
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* The pinned link of an interface and the program it runs; -1: there is none, or its interface is gone. */
static int link_open(const char *path, uint32_t ifindex, int *program)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof info;
	int fd = bpf_obj_get(path);

	*program = -1;
	if (fd < 0)
		return -1;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.xdp.ifindex == ifindex)
		*program = bpf_prog_get_fd_by_id(info.prog_id);
	if (*program >= 0)
		return fd;
	close(fd);
	link_remove(path);
	return -1;
}

static int link_new(const char *path, int program, uint32_t ifindex, enum links_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	char name[IF_NAMESIZE];
	int fd, rc;

	opts.flags = mode == LINKS_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	fd = bpf_link_create(program, (int)ifindex, BPF_XDP, &opts);
	if (fd == -EINVAL && !if_indextoname(ifindex, name))
		return -ENODEV; /* the kernel's word for it is EINVAL */
	if (fd < 0)
		return fd;
	rc = bpf_obj_pin(fd, path);
	if (!rc)
		return fd;
	bpf_link_detach(fd);
	close(fd);
	return rc;
}

static enum links_mode mode_of(uint32_t ifindex)
{
	return strcmp(links_port_mode(ifindex), "native") ? LINKS_GENERIC : LINKS_NATIVE;
}

static int attach(
	const char *dir, int program, uint32_t ifindex, enum links_mode mode, struct attachment *a)
{
	char path[PATH_MAX];

	link_path(dir, ifindex, path, sizeof path);
	*a = (struct attachment){ .ifindex = ifindex };
	a->link = link_open(path, ifindex, &a->former);
	if (a->link >= 0) {
		a->former_mode = mode_of(ifindex);
		if (a->former_mode == mode)
			return bpf_link_update(a->link, program, NULL);
		close(a->link);
		link_remove(path);
		a->replaced = true;
	}
	a->link = link_new(path, program, ifindex, mode);
	return a->link < 0 ? a->link : 0;
}

static void detach(const char *dir, struct attachment *a)
{
	char path[PATH_MAX];

	if (a->former >= 0 && !a->replaced) {
		bpf_link_update(a->link, a->former, NULL);
		return;
	}
	link_path(dir, a->ifindex, path, sizeof path);
	if (a->link >= 0) {
		link_remove(path);
		close(a->link);
		a->link = -1;
	}
	if (a->replaced)
		a->link = link_new(path, a->former, a->ifindex, a->former_mode);
}

static void put(struct attachment *a)
{
	if (a->link >= 0)
		close(a->link);
	if (a->former >= 0)
		close(a->former);
}

static int attach_all(struct links_change *c, enum links_mode mode)
{
	unsigned i;
	int rc = 0;

	for (i = 0; i < c->n; i++) {
		rc = attach(c->dir, c->program, c->ifindexes[i], mode, &c->done[i]);
		if (rc)
			break;
	}
	if (!rc)
		return 0;
	c->report->failed = i;
	for (unsigned k = 0; k <= i; k++) {
		detach(c->dir, &c->done[k]);
		put(&c->done[k]);
	}
	return rc;
}

/* Whether the interface cannot run the program natively; else the failure has nothing to do with the mode.
 * Drivers say all kinds of things: too large an MTU is EINVAL, too few queues ENOMEM. */
static bool is_refusal(int rc)
{
	return rc && rc != -EBUSY && rc != -EEXIST && rc != -ENODEV && rc != -EPERM &&
	       rc != -EACCES;
}

static int find_not_native(void *arg, const char *path, uint32_t ifindex)
{
	struct links_change *c = arg;
	int program, link;
	char pin[PATH_MAX];

	(void)path;
	for (unsigned i = 0; i < c->n; i++) {
		if (c->ifindexes[i] != ifindex)
			continue;
		link_path(c->dir, ifindex, pin, sizeof pin);
		link = link_open(pin, ifindex, &program);
		if (link < 0)
			continue;
		if (mode_of(ifindex) == LINKS_GENERIC)
			c->report->not_native = i;
		close(program);
		close(link);
	}
	return 0;
}

static int attach_auto(struct links_change *c)
{
	int rc;

	each_entry(c->dir, NOT_NATIVE_PREFIX, find_not_native, c);
	if (c->report->not_native == c->n) {
		rc = attach_all(c, LINKS_NATIVE);
		if (!is_refusal(rc))
			return rc;
		c->report->not_native = c->report->failed;
		c->report->failed = c->n;
	}
	return attach_all(c, LINKS_GENERIC);
}

int links_change(struct links_change **out, const char *dir, int program, const uint32_t *ifindexes,
	unsigned n, enum links_mode mode, struct links_report *report)
{
	struct links_change *c = malloc(sizeof *c + n * sizeof c->done[0]);
	int rc;

	*report = (struct links_report){ n, n };
	if (!c)
		return -ENOMEM;
	*c = (struct links_change){ dir, program, ifindexes, n, mode, report };
	if (mkdir(dir, 0700) && errno != EEXIST)
		rc = -errno;
	else
		rc = mode == LINKS_AUTO ? attach_auto(c) : attach_all(c, mode);
	if (rc)
		free(c);
	else
		*out = c;
	return rc;
}

static int drop_unwanted_link(void *arg, const char *path, uint32_t ifindex)
{
	const struct links_change *c = arg;

	for (unsigned i = 0; i < c->n; i++)
		if (c->ifindexes[i] == ifindex)
			return 0;
	return link_remove(path);
}

static int drop_mark(void *arg, const char *path, uint32_t ifindex)
{
	(void)arg;
	(void)ifindex;
	return rmdir(path) ? -errno : 0;
}

static void finish(struct links_change *c)
{
	for (unsigned i = 0; i < c->n; i++)
		put(&c->done[i]);
	free(c);
}

void links_commit(struct links_change *c)
{
	char path[PATH_MAX];

	each_entry(c->dir, LINK_PREFIX, drop_unwanted_link, c);
	each_entry(c->dir, NOT_NATIVE_PREFIX, drop_mark, NULL);
	if (c->report->not_native < c->n) {
		snprintf(path, sizeof path, "%s/" NOT_NATIVE_PREFIX "%u", c->dir,
			c->ifindexes[c->report->not_native]);
		mkdir(path, 0700); /* without it the next start asks again, no more */
	}
	finish(c);
}

void links_abort(struct links_change *c)
{
	for (unsigned i = 0; i < c->n; i++)
		detach(c->dir, &c->done[i]);
	finish(c);
}

struct exchange {
	int program, rc;
};

static int exchange(void *arg, const char *path, uint32_t ifindex)
{
	struct exchange *x = arg;
	int fd = bpf_obj_get(path), rc;

	(void)ifindex;
	rc = fd < 0 ? fd : bpf_link_update(fd, x->program, NULL);
	if (fd >= 0)
		close(fd);
	if (!x->rc)
		x->rc = rc;
	return 0;
}

int links_exchange(const char *dir, int program)
{
	struct exchange x = { .program = program };
	int rc = each_entry(dir, LINK_PREFIX, exchange, &x);

	return rc ? rc : x.rc;
}

struct each_program {
	int (*fn)(void *arg, int program);
	void *arg;
};

static int call_with_program(void *arg, const char *path, uint32_t ifindex)
{
	const struct each_program *each = arg;
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof info;
	int link = bpf_obj_get(path), program = -1, rc = 0;

	(void)ifindex;
	if (link < 0)
		return link == -ENOENT ? 0 : link;
	if (!bpf_obj_get_info_by_fd(link, &info, &size))
		program = bpf_prog_get_fd_by_id(info.prog_id);
	close(link);
	if (program < 0)
		return program == -ENOENT ? 0 : program; /* it was detached just now */
	rc = each->fn(each->arg, program);
	close(program);
	return rc;
}

int links_each_program(const char *dir, int (*fn)(void *arg, int program), void *arg)
{
	struct each_program each = { fn, arg };

	return each_entry(dir, LINK_PREFIX, call_with_program, &each);
}

static int count(void *arg, const char *path, uint32_t ifindex)
{
	(void)path;
	(void)ifindex;
	++*(int *)arg;
	return 0;
}

int links_count(const char *dir)
{
	int n = 0, rc = each_entry(dir, LINK_PREFIX, count, &n);

	return rc ? rc : n;
}

static int remove_counted(void *arg, const char *path, uint32_t ifindex)
{
	int rc = link_remove(path);

	(void)ifindex;
	*(int *)arg += !rc;
	return rc;
}

int links_remove(const char *dir)
{
	int n = 0, rc = each_entry(dir, LINK_PREFIX, remove_counted, &n);

	if (!rc)
		rc = each_entry(dir, NOT_NATIVE_PREFIX, drop_mark, NULL);
	return rc ? rc : n;
}

const char *links_port_mode(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);

	if (bpf_xdp_query((int)ifindex, 0, &opts))
		return "none";
	return opts.attach_mode == XDP_ATTACHED_DRV   ? "native"
	       : opts.attach_mode == XDP_ATTACHED_SKB ? "generic"
						      : "none";
}
