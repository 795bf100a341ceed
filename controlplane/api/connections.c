/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/connections.h"
#include <sys/stat.h>

static bool is_open(const struct connection *k)
{
	struct stat st;

	return !fstat(k->fd, &st) && st.st_ino == k->socket;
}

unsigned connections_count(struct connections *c)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < c->n; i++)
		if (is_open(&c->list[i]))
			c->list[kept++] = c->list[i];
	c->n = kept;
	return kept;
}

bool connections_add(struct connections *c, int fd)
{
	struct stat st;

	if (c->n == CONNECTIONS_MAX || fstat(fd, &st))
		return false;
	c->list[c->n++] = (struct connection){ .fd = fd, .socket = st.st_ino };
	return true;
}
