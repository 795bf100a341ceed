/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/engine/dpdk_link.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { MORE_FILES = 8 }; /* room for some that nobody asked for, to be closed */

int dpdk_link_path(char *out, size_t size, const char *run_dir, const char *name)
{
	int n = snprintf(out, size, "%s/%s", run_dir, name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int open_error(int rc, const char *run_dir, struct err *e)
{
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		return err_set(e, rc,
			"no DPDK engine answers at %s/" PROTOCOL_SOCKET
			": start tandem-dpdk first, with the same --run-dir",
			run_dir);
	return err_set(e, rc, "cannot speak to the DPDK engine at %s/" PROTOCOL_SOCKET ": %s",
		run_dir, strerror(-rc));
}

static int set_wait(int fd, unsigned wait_ms)
{
	const struct timeval tv = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000L };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) ||
			       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv)
		       ? -errno
		       : 0;
}

static int connect_to(int fd, const char *run_dir, unsigned wait_ms)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int rc = dpdk_link_path(a.sun_path, sizeof a.sun_path, run_dir, PROTOCOL_SOCKET);

	if (!rc)
		rc = set_wait(fd, wait_ms);
	if (rc)
		return rc;
	if (!connect(fd, (const struct sockaddr *)&a, sizeof a))
		return 0;
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int dpdk_link_open(struct dpdk_link *l, const char *run_dir, unsigned wait_ms, struct err *e)
{
	int rc;

	l->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	rc = l->fd < 0 ? -errno : connect_to(l->fd, run_dir, wait_ms);
	if (!rc)
		return 0;
	dpdk_link_close(l);
	return open_error(rc, run_dir, e);
}

void dpdk_link_close(struct dpdk_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void dpdk_files_close(struct dpdk_files *f)
{
	for (unsigned i = 0; i < PROTOCOL_FILES; i++) {
		if (f->fd[i] >= 0)
			close(f->fd[i]);
		f->fd[i] = -1;
	}
	f->n = 0;
}

static int send_ask(int fd, const struct protocol_ask *ask, int file)
{
	struct iovec iov = { (void *)ask, sizeof *ask };
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(sizeof file)];
	} control = { .bytes = { 0 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (file >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof control.bytes;
		control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof file) };
		memcpy(CMSG_DATA(&control.head), &file, sizeof file);
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return n == sizeof *ask ? 0 : -EPIPE;
}

/* Those for which there is no room are closed. */
static void take_files(struct msghdr *m, struct dpdk_files *f)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (f->n < PROTOCOL_FILES)
				f->fd[f->n++] = fd;
			else
				close(fd);
		}
	}
}

/* Returns the bytes of the answer, or a negative errno. */
static ssize_t receive(int fd, struct protocol_answer *answer, struct dpdk_files *f)
{
	struct iovec iov = { answer, sizeof *answer };
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(MORE_FILES * sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	ssize_t n;

	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	take_files(&m, f);
	if (!n)
		return -EPIPE;
	return m.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EPROTO : n;
}

/* How long an answer is at least. */
static size_t least(uint32_t kind, const struct protocol_answer *a)
{
	if (a->rc)
		return offsetof(struct protocol_answer, hello);
	switch (kind) {
	case PROTOCOL_HELLO:
		return offsetof(struct protocol_answer, hello) + sizeof a->hello;
	case PROTOCOL_TRACE:
		return offsetof(struct protocol_answer, trace) + sizeof a->trace;
	case PROTOCOL_STATUS:
		return offsetof(struct protocol_answer, status) + sizeof a->status;
	case PROTOCOL_CHANGES:
		return offsetof(struct protocol_answer, changes) + sizeof a->changes;
	default:
		return offsetof(struct protocol_answer, hello);
	}
}

static int check(const struct protocol_answer *a, uint32_t kind, size_t n)
{
	size_t head = offsetof(struct protocol_answer, hello);

	return n < head || n < least(kind, a) || a->kind != kind || a->rc > 0 ? -EPROTO : 0;
}

static int broken(struct dpdk_link *l, int rc, struct err *e)
{
	dpdk_link_close(l);
	if (rc == -ETIMEDOUT)
		return err_set(e, rc,
			"the DPDK engine does not answer: see whether tandem-dpdk still runs");
	if (rc == -EPROTO)
		return err_set(e, rc,
			"the DPDK engine speaks otherwise than this tandemd: both must be of one "
			"version; restart the one that is older");
	return err_set(e, rc, "the connection to the DPDK engine is lost: %s", strerror(-rc));
}

static int refused(const struct protocol_answer *a, struct err *e)
{
	return err_set(e, a->rc, "the DPDK engine refuses: %.*s", PROTOCOL_WHY,
		a->why[0] ? a->why : strerror(-a->rc));
}

int dpdk_link_ask(struct dpdk_link *l, struct protocol_ask *ask, int file,
	struct protocol_answer *answer, struct dpdk_files *files, struct err *e)
{
	struct dpdk_files got = { .fd = { -1, -1 } };
	ssize_t n;
	int rc;

	if (l->fd < 0)
		return err_set(e, -ENOTCONN, "the DPDK engine is not there: start tandem-dpdk");
	ask->version = PROTOCOL_VERSION;
	rc = send_ask(l->fd, ask, file);
	n = rc ? rc : receive(l->fd, answer, &got);
	rc = n < 0 ? (int)n : check(answer, ask->kind, (size_t)n);
	if (rc || answer->rc || !files)
		dpdk_files_close(&got);
	if (files)
		*files = got;
	if (rc)
		return broken(l, rc, e);
	return answer->rc ? refused(answer, e) : 0;
}
