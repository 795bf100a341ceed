/* SPDX-License-Identifier: BSD-2-Clause */
/* One request and its answer. Every handler ends in exactly one of the functions that answer. */
#pragma once
#include <jansson.h>
#include <sys/socket.h>
#include "controlplane/base/err.h"
#include "controlplane/pools/site.h"

struct evhttp_request;

enum { CALL_NAMES = 2, CALL_NAME_BYTES = 64, CALL_BODY_MAX = 1 << 20 };

struct call {
	struct site *site;
	struct evhttp_request *req;
	char names[CALL_NAMES][CALL_NAME_BYTES]; /* what stood for the stars of the path, decoded */
};

/* Answers 200 with a JSON text; takes the reference. NULL: out of memory, answers 500. */
void call_reply(struct call *c, json_t *body);

/* Answers 200 with a JSON text that is there already. */
void call_reply_text(struct call *c, const char *text);

/* Answers with an application/problem+json (RFC 9457) whose detail is the sentence. */
void call_problem(struct call *c, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with a further member "diagnostics"; takes the reference. */
void call_problem_diagnostics(struct call *c, int status, json_t *diagnostics, const char *detail);

/* Answers 404: there is no such object of this kind. */
void call_not_found(struct call *c, const char *kind, const char *name);

/* The status that a site's negative errno stands for. */
int call_status(int err);

/* The request's body, an object (an empty body is an empty one), whose members are all among `members`
 * (NULL at the end). Returns a new reference; or NULL when it has answered: 413, 400 or 422. */
json_t *call_body(struct call *c, const char *const *members);

/* Whether packets go by this process' tables, which alone can be looked at; else it has answered 409. */
bool call_can_look(struct call *c);

/* Who is at the other end. Returns 0 or a negative errno. */
int call_peer(const struct call *c, struct ucred *out);
