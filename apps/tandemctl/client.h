/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP over the daemon's Unix socket. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "controlplane/base/err.h"

struct client;

struct client_reply {
	long status; /* HTTP's */
	char *body;  /* NUL-terminated besides; to be freed with client_reply_clear() */
	size_t length;
};

/* Prepares a client for the socket at `path`, which is opened by the first call only. Returns 0 and *out, or
 * -ENAMETOOLONG (the path does not fit a socket's address) or -ENOMEM with a sentence. */
int client_new(struct client **out, const char *path, long timeout_ms, struct err *e);
void client_free(struct client *c);

/* The socket's path. */
const char *client_socket(const struct client *c);

/* Sends one request and waits for its answer. target begins with "/v1/"; body is JSON text, or NULL.
 * Returns 0 and *out whatever the answer's status is; or with a sentence in e: -EACCES (the socket may not be
 * opened), -ECONNREFUSED (nothing listens there), -EPROTO (what listens gave no usable answer),
 * -ETIMEDOUT. */
int client_call(struct client *c, const char *method, const char *target, const char *body,
	struct client_reply *out, struct err *e);
/* The same for an answer without an end: with a status of 200 each line of it is given to `line`, until that returns
 * false, `stop` (asked now and then) returns true, or the answer ends. Then *out has no body. */
struct client_stream {
	bool (*line)(void *arg, const char *text, size_t n);
	bool (*stop)(void);
	void *arg;
};
int client_stream(struct client *c, const char *method, const char *target, const char *body,
	const struct client_stream *to, struct client_reply *out, struct err *e);
void client_reply_clear(struct client_reply *r);
