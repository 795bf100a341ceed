/* SPDX-License-Identifier: BSD-2-Clause */
/* An HTTP client that shares the loop of the server under test. */
#pragma once
#include <jansson.h>
#include <stddef.h>

struct event_base;

struct answer {
	int status;
	char *text;	  /* the whole answer, NUL-terminated */
	const char *body; /* within text */
	json_t *json;	  /* the body, or NULL where it is not JSON */
};

/* Sends the bytes on a connection of their own and reads until the server closes it. */
struct answer client_send(
	struct event_base *base, const char *socket, const char *bytes, size_t len);

/* METHOD PATH with a body (NULL: none), as one request on a connection of its own. */
struct answer client_request(struct event_base *base, const char *socket, const char *method,
	const char *path, const char *body);

void answer_free(struct answer *a);

/* Opens a connection and leaves it; the descriptor. */
int client_connect(const char *socket);
