/* SPDX-License-Identifier: BSD-2-Clause */
/* A server in the test's own loop, well-behaved or not. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/addr.h"

struct event_base;
struct peer;

/* What it does with a connection. Each piece leaves as a segment of its own. */
struct peer_script {
	bool refuse; /* only reserve the port */
	bool deaf;   /* never accept: connections beyond the first stay in the making */
	bool hasty;  /* speak before a request was read */
	const char *const *pieces; /* up to NULL; NULL: none */
	const char *endless;	   /* then this for ever */
	bool dribble;		   /* and slowly */
	bool close;		   /* then close; else keep the connection */
};

struct peer {
	struct addr addr;
	uint16_t port;
	unsigned accepted, open, most_open; /* connections */
	char request[2048];		    /* what the last connection sent */
	const struct peer_script *script;   /* may be changed at any time */
};

/* Listens on an address ("127.0.0.1", "::1") and a port, 0 for any that is free. Fails the test
 * when it cannot. */
struct peer *peer_new(
	struct event_base *base, const char *addr, uint16_t port, const struct peer_script *script);
void peer_free(struct peer *p);
