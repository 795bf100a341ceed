/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/api.h"
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/api/call.h"
#include "controlplane/api/connections.h"
#include "controlplane/api/routes.h"
#include "controlplane/api/socket.h"

enum {
	API_TIMEOUT_S = 10, /* of a client that neither sends nor takes anything */
	API_HEADERS_MAX = 16 << 10,
	/* evhttp itself cuts off bodies above this, with a 413 that is no problem+json; those between this and
	 * CALL_BODY_MAX get the proper answer. */
	API_BODY_CUT = 2 * CALL_BODY_MAX,
	API_FULL_MS = 50, /* how long to wait before looking whether a connection has gone */
};

struct api {
	struct site *site;
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener; /* owned by http */
	struct event *admit;
	struct bufferevent
		*fresh; /* of the connection that was accepted last, until it is counted */
	struct connections connections;
	char *path;
};

static void on_request(struct evhttp_request *req, void *arg)
{
	struct api *a = arg;

	routes_dispatch(a->site, req);
}

/* evhttp asks for a bufferevent and gives it its socket afterwards, so that the socket is looked at when
 * control is back in the loop, before the next one is accepted. */
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
	struct api *a = arg;
	struct bufferevent *b = bufferevent_socket_new(base, -1, 0);

	if (!b)
		return NULL;
	bufferevent_incref(b);
	a->fresh = b;
	evconnlistener_disable(a->listener);
	event_active(a->admit, EV_TIMEOUT, 0);
	return b;
}

/* Takes the next connection, or waits while there are as many as may be. */
static void on_admit(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval again = { .tv_usec = API_FULL_MS * 1000 };
	struct api *a = arg;

	(void)fd;
	(void)what;
	connections_count(&a->connections);
	if (a->fresh) {
		connections_add(&a->connections, bufferevent_getfd(a->fresh));
		bufferevent_decref(a->fresh);
		a->fresh = NULL;
	}
	if (a->connections.n < CONNECTIONS_MAX)
		evconnlistener_enable(a->listener);
	else
		event_add(a->admit, &again);
}

static int open_http(struct api *a)
{
	a->http = evhttp_new(a->base);
	a->admit = event_new(a->base, -1, 0, on_admit, a);
	if (!a->http || !a->admit)
		return -ENOMEM;
	evhttp_set_timeout(a->http, API_TIMEOUT_S);
	evhttp_set_max_headers_size(a->http, API_HEADERS_MAX);
	evhttp_set_max_body_size(a->http, API_BODY_CUT);
	evhttp_set_allowed_methods(a->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_default_content_type(a->http, NULL);
	evhttp_set_bevcb(a->http, on_accept, a);
	evhttp_set_gencb(a->http, on_request, a);
	return 0;
}

/* Takes over fd. */
static int open_listener(struct api *a, int fd)
{
	a->listener = evconnlistener_new(
		a->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!a->listener) {
		close(fd);
		return -ENOMEM;
	}
	if (!evhttp_bind_listener(a->http, a->listener)) {
		evconnlistener_free(a->listener);
		return -ENOMEM;
	}
	return 0;
}

int api_new(struct api **out, struct event_base *base, struct site *site,
	const struct api_options *o, struct err *e)
{
	struct api *a = calloc(1, sizeof *a);
	char *path = strdup(o->path);
	int fd, err = -ENOMEM;

	if (!a || !path) {
		free(path);
		err_set(e, err, "out of memory");
		goto fail;
	}
	a->base = base;
	a->site = site;
	if (open_http(a)) {
		free(path);
		err_set(e, err, "out of memory");
		goto fail;
	}
	fd = socket_listen(path, o->group, e);
	if (fd < 0) {
		free(path);
		err = fd;
		goto fail;
	}
	a->path = path; /* from here on there is a socket to remove */
	err = open_listener(a, fd);
	if (err) {
		err_set(e, err, "out of memory");
		goto fail;
	}
	*out = a;
	return 0;
fail:
	api_free(a);
	return err;
}

void api_free(struct api *a)
{
	if (!a)
		return;
	if (a->fresh)
		bufferevent_decref(a->fresh);
	if (a->http)
		evhttp_free(a->http);
	if (a->admit)
		event_free(a->admit);
	if (a->path)
		unlink(a->path);
	free(a->path);
	free(a);
}
