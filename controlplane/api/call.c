/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/call.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	int status;
	const char *title;
} titles[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 422, "Unprocessable Content" },
	{ 500, "Internal Server Error" },
};

static const char *status_title(int status)
{
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

static void send_text(struct call *c, int status, const char *type, const char *text)
{
	struct evbuffer *out = evhttp_request_get_output_buffer(c->req);

	evhttp_add_header(evhttp_request_get_output_headers(c->req), "Content-Type", type);
	evbuffer_add(out, text, strlen(text));
	evbuffer_add(out, "\n", 1);
	evhttp_send_reply(c->req, status, status_title(status), NULL);
}

static void send_json(struct call *c, int status, const char *type, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;

	json_decref(body);
	if (text)
		send_text(c, status, type, text);
	else
		send_text(c, 500, "application/problem+json",
			"{\"type\": \"about:blank\", \"title\": \"Internal Server Error\", "
			"\"status\": 500, "
			"\"detail\": \"out of memory\"}");
	free(text);
}

void call_reply(struct call *c, json_t *body)
{
	send_json(c, 200, "application/json", body);
}

void call_reply_text(struct call *c, const char *text)
{
	send_text(c, 200, "application/json", text);
}

void call_problem_diagnostics(struct call *c, int status, json_t *diagnostics, const char *detail)
{
	json_t *body = json_pack("{s:s, s:s, s:i, s:s, s:o*}", "type", "about:blank", "title",
		status_title(status), "status", status, "detail", detail, "diagnostics",
		diagnostics);

	send_json(c, status, "application/problem+json", body);
}

void call_problem(struct call *c, int status, const char *fmt, ...)
{
	char detail[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	call_problem_diagnostics(c, status, NULL, detail);
}

void call_not_found(struct call *c, const char *kind, const char *name)
{
	call_problem(c, 404, "there is no %s \"%s\"", kind, name);
}

int call_status(int err)
{
	switch (err) {
	case -EBUSY:
	case -EAGAIN:
	case -EADDRINUSE:
		return 409;
	case -EINVAL:
	case -ENOENT:
	case -ENOTDIR:
	case -EACCES:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -ENOTSUP:
	case -EFBIG:
	case -EILSEQ:
	case -ENOSPC:
		return 422;
	default:
		return 500;
	}
}

static bool is_member(const char *const *members, const char *name)
{
	while (*members && strcmp(*members, name))
		members++;
	return *members != NULL;
}

/* The first member that is not among those known, or NULL. */
static const char *unknown_member(json_t *body, const char *const *members)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value) if (!is_member(members, name)) return name;
	return NULL;
}

json_t *call_body(struct call *c, const char *const *members)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(c->req);
	size_t len = evbuffer_get_length(in);
	const char *unknown;
	json_error_t je;
	json_t *body;

	if (!len)
		return json_object();
	if (len > CALL_BODY_MAX) {
		call_problem(
			c, 413, "the body has %zu bytes, at most %d are taken", len, CALL_BODY_MAX);
		return NULL;
	}
	body = json_loadb((const char *)evbuffer_pullup(in, -1), len, JSON_REJECT_DUPLICATES, &je);
	if (!body) {
		call_problem(c, 400, "the body is not JSON: line %d, column %d: %s", je.line,
			je.column, je.text);
		return NULL;
	}
	unknown = json_is_object(body) ? unknown_member(body, members) : NULL;
	if (!json_is_object(body))
		call_problem(c, 422, "the body must be a JSON object");
	else if (unknown)
		call_problem(c, 422, "unknown member \"%.64s\"", unknown);
	else
		return body;
	json_decref(body);
	return NULL;
}

bool call_can_look(struct call *c)
{
	struct site_status status;

	site_status(c->site, &status);
	if (status.detached)
		call_problem(c, 409,
			"the engine is detached: packets go by no program; restart tandemd to "
			"attach it again");
	else if (!status.generation)
		call_problem(c, 409,
			"no snapshot has been published yet: packets still go by the former "
			"process' tables; try again when the servers' health is known");
	return !status.detached && status.generation;
}

int call_peer(const struct call *c, struct ucred *out)
{
	struct evhttp_connection *conn = evhttp_request_get_connection(c->req);
	socklen_t len = sizeof *out;

	if (getsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(conn)), SOL_SOCKET,
		    SO_PEERCRED, out, &len))
		return -errno;
	return 0;
}
