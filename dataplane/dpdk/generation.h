/* SPDX-License-Identifier: BSD-2-Clause */
/* A generation of tables in an engine: the lines of the image, mapped from the sealed file that brought them, and the rings and lists of
 * sources that generations share, copied from such files.
 *
 * Rings and lists lie in an area. A generation that only adds to those of the one before uses its area on, and what it brings is
 * written where no packet of that looks; one that is whole in itself gets a new area. So whoever sends whole generations
 * need not know what the engine has. */
#pragma once
#include <stdint.h>
#include "dataplane/snapshot/sealed.h"

struct generation_area {
	struct l4_chunk *chunks;
	struct l4_line *guard;
	uint32_t n_chunks, n_guard;
	uint32_t users; /* generations; of the thread's that takes and frees them */
	int fd;		/* of the file that it lies in: chunks first */
	void *map;
	size_t map_size;
};

struct generation {
	struct sealed sealed;
	struct generation_area *area;
	uint32_t bank; /* of neighbours */
};

/* Takes what a process has sent as fd, which stays the caller's. after: the number of the generation that it adds to, or 0; before: the
 * one that packets use, or NULL. Returns 0; as
 * sealed_read(); -ESTALE (it adds to another generation than `before`); always, but for 0, with *why, in words that follow the file's
 * name. */
int generation_take(struct generation **out, int fd, uint64_t after,
	const struct generation *before, const struct sealed_limits *limits, const char **why);

/* To be called once no packet uses it. NULL: nothing is done. */
void generation_free(struct generation *g);
