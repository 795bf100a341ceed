/* SPDX-License-Identifier: BSD-2-Clause */
/* What the DPDK engine tells of by itself: wants, legs of captured packets, how its workers spend their time, and, by the end of the
 * connection, that it has ended. */
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include "controlplane/engine/dpdk_body.h"

enum { TURN_TOLD = 256 }; /* in one turn of the loop, which others wait for */

static void take(struct engine *en, const struct protocol_told *t, size_t size)
{
	const size_t head = offsetof(struct protocol_told, want);

	if (size < head)
		return;
	if (t->kind == PROTOCOL_WANT && size >= head + sizeof t->want)
		engine_told(en, &t->want);
	else if (t->kind == PROTOCOL_LEG && en->capture)
		engine_capture_tell(en->capture, &t->leg, size - head);
	else if (t->kind == PROTOCOL_WORKERS_NOW)
		dpdk_workers_take(en->own, &t->status, size - head);
}

/* The callbacks of one may end the connection. */
static void on_told(evutil_socket_t fd, short what, void *arg)
{
	struct engine *en = arg;
	const struct dpdk *d = en->own;
	struct protocol_told t;

	(void)fd;
	(void)what;
	for (int i = 0; i < TURN_TOLD && d->told.fd >= 0; i++) {
		ssize_t n = recv(d->told.fd, &t, sizeof t, MSG_DONTWAIT);

		if (n > 0) {
			take(en, &t, (size_t)n);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		dpdk_lost(en, n ? strerror(errno) : "its process has ended");
		return;
	}
}

int dpdk_told_open(struct engine *en, struct err *e)
{
	struct protocol_ask ask = { .kind = PROTOCOL_LISTEN };
	struct protocol_answer answer;
	struct dpdk *d = en->own;
	int rc;

	if (!d->base)
		return 0;
	rc = dpdk_link_open(&d->told, d->run_dir, d->wait_ms, e);
	if (!rc)
		rc = dpdk_link_ask(&d->told, &ask, -1, &answer, NULL, e);
	if (rc)
		return rc;
	d->on_told = event_new(d->base, d->told.fd, EV_READ | EV_PERSIST, on_told, en);
	return d->on_told && !event_add(d->on_told, NULL) ? 0
							  : err_set(e, -ENOMEM, "out of memory");
}

void dpdk_told_close(struct dpdk *d)
{
	if (d->on_told)
		event_free(d->on_told);
	d->on_told = NULL;
	dpdk_link_close(&d->told);
}
