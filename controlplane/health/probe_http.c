/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP/1.1 through libevent's client. The status decides unless a body is wanted; then the whole
 * answer is read, up to a bound, before its body is searched.
 *
 * Interim answers (RFC 9110, section 15.2) are not asked for and count like others, and libevent
 * refuses chunk extensions (RFC 9112, section 7.1.1). */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/health/probe.h"

enum {
	HTTP_HEADERS = 16 << 10, /* at most so many bytes of status line and headers */
	HTTP_BODY = 64 << 10,	 /* at most so many bytes of a body that is searched */
	/* At most so many bytes wait to be understood: more than both together. (A high
	 * watermark would make libevent call its reader over and over once it is reached.) */
	HTTP_INPUT = HTTP_HEADERS + HTTP_BODY + (16 << 10),
	/* In at most so many reads: libevent looks for the end of a line from its start each
	 * time. */
	HTTP_READS = 2000,
	HTTP_PORT = 80,
};

struct http {
	struct probe probe;
	struct evhttp_connection *connection;
	struct event *report; /* for what ends within start */
	bool starting, ended;
	bool connected; /* the request was written */
	unsigned reads;
	enum probe_outcome outcome;
	char reason[160];
};

static void http_free(struct probe *p)
{
	struct http *h = (struct http *)p;

	if (h->connection)
		evhttp_connection_free(h->connection);
	if (h->report)
		event_free(h->report);
	free(h);
}

static void on_report(evutil_socket_t fd, short what, void *arg)
{
	const struct http *h = arg;
	const struct probe_request *r = &h->probe.request;

	(void)fd;
	(void)what;
	r->done(r->arg, h->outcome, h->reason);
}

/* After this the request's pointers may lead nowhere. */
static void __attribute__((format(printf, 3, 4)))
end(struct http *h, enum probe_outcome outcome, const char *fmt, ...)
{
	va_list ap;

	h->ended = true;
	h->outcome = outcome;
	va_start(ap, fmt);
	vsnprintf(h->reason, sizeof h->reason, fmt, ap);
	va_end(ap);
	if (h->starting)
		event_active(h->report, EV_TIMEOUT, 0);
	else
		on_report(-1, 0, h);
}

/* libevent writes the request once it is connected, and does not say so otherwise. */
static void on_output(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct http *h = arg;

	(void)buffer;
	if (info->n_added)
		h->connected = true;
}

static void on_input(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct http *h = arg;

	if (!info->n_added || h->ended)
		return;
	if (++h->reads > HTTP_READS)
		end(h, PROBE_FAILED, "answer in over %d pieces", HTTP_READS);
	else if (evbuffer_get_length(buffer) > HTTP_INPUT)
		end(h, PROBE_FAILED, "answer with a line or chunk over %d bytes", HTTP_INPUT);
}

/* libevent's callbacks. Any of them may come again after one has ended the probe, in the wake of
 * the connection's closing. A negative return value of the first makes libevent close the
 * connection. */
static int on_header(struct evhttp_request *request, void *arg)
{
	struct http *h = arg;
	const struct conf_health *c = h->probe.request.check;
	int status = evhttp_request_get_response_code(request);

	if (h->ended)
		return -1;
	if (status < c->status_min || status > c->status_max) {
		if (c->status_min == c->status_max)
			end(h, PROBE_FAILED, "status %d, want %d", status, c->status_min);
		else
			end(h, PROBE_FAILED, "status %d, want %d-%d", status, c->status_min,
				c->status_max);
		return -1;
	}
	if (*c->body)
		return 0;
	end(h, PROBE_OK, "status %d", status);
	return -1;
}

static void on_failure(enum evhttp_request_error error, void *arg)
{
	int err = errno; /* set by libevent for this call */
	struct http *h = arg;

	if (h->ended)
		return;
	if (!h->connected) {
		end(h, probe_errno_outcome(err), "%s", probe_errno_text(err));
		return;
	}
	switch (error) {
	case EVREQ_HTTP_INVALID_HEADER:
		end(h, PROBE_FAILED, "not an HTTP answer, or headers over %d bytes", HTTP_HEADERS);
		break;
	case EVREQ_HTTP_DATA_TOO_LONG:
		end(h, PROBE_FAILED, "body over %d bytes, or broken chunks", HTTP_BODY);
		break;
	default:
		end(h, PROBE_FAILED, "closed before the answer was complete");
	}
}

/* After a failure, with request NULL; or after a refused connection, with status 0; or after a
 * whole answer. */
static void on_answer(struct evhttp_request *request, void *arg)
{
	struct http *h = arg;
	struct evbuffer *input;
	const char *body;
	int status;

	if (h->ended || !request)
		return;
	body = h->probe.request.check->body;
	status = evhttp_request_get_response_code(request);
	if (!status) {
		end(h, PROBE_FAILED, "connection refused");
		return;
	}
	input = evhttp_request_get_input_buffer(request);
	if (evbuffer_search(input, body, strlen(body), NULL).pos < 0)
		end(h, PROBE_FAILED, "body does not contain \"%s\"", body);
	else
		end(h, PROBE_OK, "status %d, body contains \"%s\"", status, body);
}

static const enum evhttp_cmd_type methods[] = {
	[CONF_GET] = EVHTTP_REQ_GET,
	[CONF_HEAD] = EVHTTP_REQ_HEAD,
	[CONF_POST] = EVHTTP_REQ_POST,
	[CONF_PUT] = EVHTTP_REQ_PUT,
	[CONF_DELETE] = EVHTTP_REQ_DELETE,
	[CONF_OPTIONS] = EVHTTP_REQ_OPTIONS,
	[CONF_TRACE] = EVHTTP_REQ_TRACE,
	[CONF_PATCH] = EVHTTP_REQ_PATCH,
};

static void host_text(const struct probe_request *r, char *buf, size_t size)
{
	char addr[ADDR_TEXT], port[8] = "";

	if (r->port != HTTP_PORT)
		snprintf(port, sizeof port, ":%u", r->port);
	addr_text(r->addr, addr);
	if (*r->check->host)
		snprintf(buf, size, "%s", r->check->host);
	else if (r->addr->af == 6)
		snprintf(buf, size, "[%s]%s", addr, port);
	else
		snprintf(buf, size, "%s%s", addr, port);
}

static struct evhttp_request *make_request(struct http *h)
{
	struct evhttp_request *request = evhttp_request_new(on_answer, h);
	struct evkeyvalq *headers;
	char host[512];

	if (!request)
		return NULL;
	evhttp_request_set_header_cb(request, on_header);
	evhttp_request_set_error_cb(request, on_failure);
	headers = evhttp_request_get_output_headers(request);
	host_text(&h->probe.request, host, sizeof host);
	if (!evhttp_add_header(headers, "Host", host) &&
		!evhttp_add_header(headers, "User-Agent", "tandem/" TANDEM_VERSION) &&
		!evhttp_add_header(headers, "Accept", "*/*") &&
		!evhttp_add_header(headers, "Connection", "close"))
		return request;
	evhttp_request_free(request);
	return NULL;
}

static bool make_connection(struct http *h)
{
	const struct probe_request *r = &h->probe.request;
	/* libevent's own time-out is never to be the first. */
	const struct timeval late = { .tv_sec = r->check->timeout_ms / 1000 + 60 };
	struct bufferevent *stream;
	char addr[ADDR_TEXT];

	/* The address is numeric: it is not looked up anywhere. */
	h->connection =
		evhttp_connection_base_new(r->base, NULL, addr_text(r->addr, addr), r->port);
	if (!h->connection)
		return false;
	evhttp_connection_set_family(h->connection, r->addr->af == 4 ? AF_INET : AF_INET6);
	evhttp_connection_set_timeout_tv(h->connection, &late);
	evhttp_connection_set_max_headers_size(h->connection, HTTP_HEADERS);
	evhttp_connection_set_max_body_size(h->connection, HTTP_BODY);
	stream = evhttp_connection_get_bufferevent(h->connection);
	return evbuffer_add_cb(bufferevent_get_output(stream), on_output, h) &&
	       evbuffer_add_cb(bufferevent_get_input(stream), on_input, h);
}

static struct probe *http_start(const struct probe_request *r)
{
	struct http *h = calloc(1, sizeof *h);
	struct evhttp_request *request;

	if (!h)
		return NULL;
	h->probe.kind = &probe_http;
	h->probe.request = *r;
	h->starting = true;
	h->report = event_new(r->base, -1, 0, on_report, h);
	if (!h->report || !make_connection(h))
		goto fail;
	request = make_request(h);
	if (!request || evhttp_make_request(
				h->connection, request, methods[r->check->method], r->check->path))
		goto fail;
	h->starting = false;
	return &h->probe;
fail:
	http_free(&h->probe);
	return NULL;
}

const struct probe_kind probe_http = { http_start, http_free };
