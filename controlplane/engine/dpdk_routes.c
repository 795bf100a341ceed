/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes on their way to the DPDK engine, which is sent all of them at once: soon after one has changed, but what it takes to
 * compile them is a small part of the time. */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/base/log.h"
#include "controlplane/engine/dpdk_body.h"

enum { SOON_US = 10000, PAUSE_TIMES = 20 };

static void on_timer(evutil_socket_t fd, short what, void *arg);

int dpdk_routes_open(struct engine *en, uint32_t limit)
{
	struct dpdk *d = en->own;
	struct dpdk_routes *r = &d->routes;

	r->dirty = true;
	r->set = routes_new(limit);
	r->held = calloc(en->tables.n_neighbours, sizeof *r->held);
	r->is_held = calloc(en->tables.n_neighbours, sizeof *r->is_held);
	if (d->base)
		r->timer = event_new(d->base, -1, 0, on_timer, en);
	return r->set && r->held && r->is_held && (r->timer || !d->base) ? 0 : -ENOMEM;
}

void dpdk_routes_close(struct dpdk *d)
{
	if (d->routes.timer)
		event_free(d->routes.timer);
	routes_free(d->routes.set);
	free(d->routes.held);
	free(d->routes.is_held);
	d->routes = (struct dpdk_routes){ 0 };
}

/* The engine goes by it until it has other routes: nobody else may get the row before that. */
static void hold(struct engine *en, uint32_t row)
{
	struct dpdk *d = en->own;
	struct dpdk_routes *r = &d->routes;

	if (row >= en->tables.n_neighbours || r->is_held[row])
		return;
	r->is_held[row] = true;
	r->held[r->n_held++] = row;
	neighbours_route_get(en->neighbours, row);
}

static void let_go(struct engine *en)
{
	struct dpdk *d = en->own;
	struct dpdk_routes *r = &d->routes;

	while (r->n_held) {
		uint32_t row = r->held[--r->n_held];

		r->is_held[row] = false;
		neighbours_route_put(en->neighbours, row);
	}
}

static int send_file(struct engine *en, int fd, struct err *e)
{
	struct dpdk *d = en->own;
	struct protocol_ask ask = { .kind = PROTOCOL_ROUTES, .file = { .bank = d->bank } };
	struct protocol_answer answer;
	int rc = dpdk_ask(en, &ask, fd, &answer, e);

	close(fd);
	return rc;
}

int dpdk_routes_send(struct engine *en, struct err *e)
{
	struct dpdk *d = en->own;
	uint64_t began = dpdk_now_us(), now;
	int fd, rc;

	if (!d->routes.dirty)
		return 0;
	fd = routes_write(d->routes.set);
	now = dpdk_now_us();
	d->routes.not_before_us = now + (now - began) * PAUSE_TIMES;
	if (fd < 0)
		return err_set(e, fd, "cannot compile the routes: %s", strerror(-fd));
	rc = send_file(en, fd, e);
	if (rc)
		return rc;
	d->routes.dirty = false;
	let_go(en);
	return 0;
}

static void send_or_tell(struct engine *en)
{
	const struct dpdk *d = en->own;
	struct err e;

	/* Of an engine that is gone it has been told. */
	if (dpdk_routes_send(en, &e) && d->link.fd >= 0)
		log_error("the DPDK engine goes on by the routes that it has: %s", e.text);
}

static void send_soon(struct dpdk_routes *r)
{
	uint64_t now = dpdk_now_us(), us = SOON_US;
	struct timeval tv;

	if (event_pending(r->timer, EV_TIMEOUT, NULL))
		return;
	if (r->not_before_us > now + us)
		us = r->not_before_us - now;
	tv = (struct timeval){ .tv_sec = (time_t)(us / 1000000),
		.tv_usec = (suseconds_t)(us % 1000000) };
	event_add(r->timer, &tv);
}

/* Nobody goes by them before the first generation, with which they are sent; a later one may have taken them along meanwhile. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct engine *en = arg;
	struct dpdk *d = en->own;

	(void)fd;
	(void)what;
	if (d->link.fd < 0 || !d->sent.lines)
		return;
	if (dpdk_now_us() < d->routes.not_before_us)
		send_soon(&d->routes);
	else
		send_or_tell(en);
}

int dpdk_route(struct engine *en, const struct addr *dst, uint8_t plen, const struct l4_route *is,
	struct l4_route *was)
{
	struct dpdk *d = en->own;
	struct routes_prefix p = { .af = dst->af, .plen = plen };
	int rc = 0;

	memcpy(p.bytes, dst->bytes, sizeof p.bytes);
	if (is)
		rc = routes_set(d->routes.set, &p, is, was);
	else
		routes_delete(d->routes.set, &p, was);
	if (rc)
		return rc;
	d->routes.dirty = true;
	hold(en, was->neighbour);
	if (d->routes.timer)
		send_soon(&d->routes);
	else if (d->link.fd >= 0)
		send_or_tell(en);
	return 0;
}
