/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>
#include "controlplane/health/probe.h"

struct tcp {
	struct probe probe;
	int fd; /* -1: connect() failed at once, with err */
	int err;
	struct event *writable;
};

static void tcp_free(struct probe *p)
{
	/* A reset leaves no TIME_WAIT here and frees the server's side at once. */
	static const struct linger reset = { .l_onoff = 1 };
	struct tcp *t = (struct tcp *)p;

	if (t->writable)
		event_free(t->writable);
	if (t->fd >= 0) {
		setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(t->fd);
	}
	free(t);
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
	const struct tcp *t = arg;
	const struct probe_request *r = &t->probe.request;
	int err = t->err;
	socklen_t len = sizeof err;

	(void)what;
	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	if (err)
		r->done(r->arg, probe_errno_outcome(err), probe_errno_text(err));
	else
		r->done(r->arg, PROBE_OK, "connected");
}

static void tcp_connect(struct tcp *t)
{
	struct sockaddr_storage to;
	socklen_t len = probe_sockaddr(t->probe.request.addr, t->probe.request.port, &to);

	t->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd >= 0 && (!connect(t->fd, (struct sockaddr *)&to, len) || errno == EINPROGRESS))
		return;
	t->err = errno;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

static struct probe *tcp_start(const struct probe_request *r)
{
	struct tcp *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->probe.kind = &probe_tcp;
	t->probe.request = *r;
	tcp_connect(t);
	t->writable = event_new(r->base, t->fd, t->fd < 0 ? 0 : EV_WRITE, on_connected, t);
	if (!t->writable || (t->fd >= 0 && event_add(t->writable, NULL))) {
		tcp_free(&t->probe);
		return NULL;
	}
	if (t->fd < 0)
		event_active(t->writable, EV_TIMEOUT, 0);
	return &t->probe;
}

const struct probe_kind probe_tcp = { tcp_start, tcp_free };
