/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/health/peer.h"
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>
#include "controlplane/health/probe.h"
#include "tests/unit/test.h"

enum { PEER_GAP_MS = 2, PEER_BACKLOG = 4096 };

struct connection {
	struct listener *listener;
	struct bufferevent *stream;
	struct event *next; /* time for the next piece */
	unsigned sent;	    /* pieces */
	bool closing;	    /* once all that was said is on its way */
	LIST_ENTRY(connection) link;
};

struct listener {
	struct peer peer;
	struct event_base *base;
	struct event *acceptable;
	int fd, blocker; /* blocker fills the queue of a deaf peer */
	LIST_HEAD(, connection) connections;
};

static void connection_free(struct connection *c)
{
	LIST_REMOVE(c, link);
	c->listener->peer.open--;
	bufferevent_free(c->stream);
	event_free(c->next);
	free(c);
}

static void say_next(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval gap = { .tv_usec = 1000 * PEER_GAP_MS };
	struct connection *c = arg;
	const struct peer_script *s = c->listener->peer.script;
	const char *piece = s->pieces ? s->pieces[c->sent] : NULL;

	(void)fd;
	(void)what;
	if (piece)
		c->sent++;
	else
		piece = s->endless;
	if (piece) {
		bufferevent_write(c->stream, piece, strlen(piece));
		if (s->dribble || s->pieces)
			event_add(c->next, &gap);
	} else if (s->close && evbuffer_get_length(bufferevent_get_output(c->stream))) {
		c->closing = true;
	} else if (s->close) {
		connection_free(c);
	}
}

/* Endless talk goes on as fast as the client takes it. */
static void on_drained(struct bufferevent *stream, void *arg)
{
	struct connection *c = arg;
	const struct peer_script *s = c->listener->peer.script;

	if (c->closing)
		connection_free(c);
	else if (s->endless && !s->dribble && !(s->pieces && s->pieces[c->sent]))
		bufferevent_write(stream, s->endless, strlen(s->endless));
}

static void on_readable(struct bufferevent *stream, void *arg)
{
	struct connection *c = arg;
	struct peer *p = &c->listener->peer;
	size_t n = strlen(p->request);

	n += bufferevent_read(stream, p->request + n, sizeof p->request - 1 - n);
	p->request[n] = '\0';
	if (!p->script->hasty && strstr(p->request, "\r\n\r\n"))
		event_active(c->next, EV_TIMEOUT, 0);
}

static void on_event(struct bufferevent *stream, short what, void *arg)
{
	(void)stream;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		connection_free(arg);
}

static void on_accept(evutil_socket_t listening, short what, void *arg)
{
	struct listener *l = arg;
	struct connection *c = calloc(1, sizeof *c);
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;

	(void)what;
	assert_true(fd >= 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	*l->peer.request = '\0';
	l->peer.accepted++;
	l->peer.open++;
	if (l->peer.most_open < l->peer.open)
		l->peer.most_open = l->peer.open;
	c->listener = l;
	c->stream = bufferevent_socket_new(l->base, fd, BEV_OPT_CLOSE_ON_FREE);
	c->next = evtimer_new(l->base, say_next, c);
	LIST_INSERT_HEAD(&l->connections, c, link);
	bufferevent_setcb(c->stream, on_readable, on_drained, on_event, c);
	bufferevent_enable(c->stream, EV_READ | EV_WRITE);
	if (l->peer.script->hasty)
		say_next(-1, 0, c);
}

/* One connection fills the queue; the kernel drops what comes after it. */
static void fill_queue(struct listener *l, const struct sockaddr *to, socklen_t len)
{
	l->blocker = socket(to->sa_family, SOCK_STREAM, 0);
	assert_int_equal(connect(l->blocker, to, len), 0);
}

struct peer *peer_new(
	struct event_base *base, const char *addr, uint16_t port, const struct peer_script *script)
{
	struct listener *l = calloc(1, sizeof *l);
	struct sockaddr_storage sa;
	socklen_t len;

	l->base = base;
	l->peer.script = script;
	l->blocker = -1;
	assert_int_equal(addr_parse(addr, &l->peer.addr), 0);
	len = probe_sockaddr(&l->peer.addr, port, &sa);
	l->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	evutil_make_listen_socket_reuseable(l->fd);
	assert_int_equal(bind(l->fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(getsockname(l->fd, (struct sockaddr *)&sa, &len), 0);
	l->peer.port = ntohs(((struct sockaddr_in *)&sa)->sin_port); /* as in sockaddr_in6 */
	if (script->refuse)
		return &l->peer;
	assert_int_equal(listen(l->fd, script->deaf ? 0 : PEER_BACKLOG), 0);
	if (script->deaf) {
		fill_queue(l, (struct sockaddr *)&sa, len);
		return &l->peer;
	}
	l->acceptable = event_new(base, l->fd, EV_READ | EV_PERSIST, on_accept, l);
	event_add(l->acceptable, NULL);
	return &l->peer;
}

void peer_free(struct peer *p)
{
	struct listener *l = (struct listener *)p;
	struct connection *c, *next;

	for (c = LIST_FIRST(&l->connections); c; c = next) {
		next = LIST_NEXT(c, link);
		connection_free(c);
	}
	if (l->acceptable)
		event_free(l->acceptable);
	close(l->fd);
	if (l->blocker >= 0)
		close(l->blocker);
	free(l);
}
