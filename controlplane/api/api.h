/* SPDX-License-Identifier: BSD-2-Clause */
/* The API: HTTP/1.1 with JSON on a Unix socket. Whoever may open the socket may do everything. */
#pragma once
#include "controlplane/base/err.h"
#include "controlplane/pools/site.h"

struct event_base;
struct api;

struct api_options {
	const char *path;  /* of the socket; what a dead daemon left there is replaced */
	const char *group; /* that may use the socket, besides its owner; "": the daemon's own */
};

/* Serves a site, which must outlive it. The caller must hold the lock of the run directory. Returns 0 or
 * a negative errno and a sentence. */
int api_new(struct api **out, struct event_base *base, struct site *site,
	const struct api_options *o, struct err *e);

/* Ends all connections and removes the socket. */
void api_free(struct api *a);
