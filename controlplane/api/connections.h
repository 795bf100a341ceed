/* SPDX-License-Identifier: BSD-2-Clause */
/* How many connections are open: a client must not use up the descriptors that health checks need.
 *
 * evhttp tells when a connection comes and not when it goes, so a connection is remembered by its
 * descriptor and the number of its socket, and counts while the two still belong together. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

enum { CONNECTIONS_MAX = 64 };

struct connections {
	struct connection {
		int fd;
		ino_t socket;
	} list[CONNECTIONS_MAX];
	unsigned n;
};

/* Remembers an open socket. Returns false where there is no room or fd is not open. */
bool connections_add(struct connections *c, int fd);

/* Forgets those that were closed; returns how many are open. */
unsigned connections_count(struct connections *c);
