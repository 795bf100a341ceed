/* SPDX-License-Identifier: BSD-2-Clause */
/* A generation on its way to an engine that is another process: a sealed file (memfd.h). What does not change with it, rings
 * and lists of sources, the engine has kept from earlier ones.
 *
 * A file is a head, the lines of the image, lines of the lists of sources, and for each ring of the file where it lies and how long it is,
 * and then its chunks. There are no offsets in it that could lead anywhere: all of them follow from the numbers in the head. */
#pragma once
#include "dataplane/snapshot/memfd.h"
#include "dataplane/snapshot/snapshot.h"

/* Of the tables of sources: the lines that are new with this generation. */
struct sealed_guard {
	const struct l4_line *lines;
	uint32_t first, n;
};

/* Puts a generation into a new file; sn->image begins with its root. Returns a file descriptor, or a negative errno. */
int sealed_write(const struct snapshot *sn, const struct sealed_guard *guard);

/* Where a ring goes in the engine's table of chunks, and how many of the file's chunks are its. */
struct sealed_ring {
	uint32_t chunk, chunks;
};

/* How large the engine's tables are. */
struct sealed_limits {
	uint32_t lines, chunks, guard;
};

struct sealed {
	uint64_t generation;
	const struct l4_line *image;
	uint32_t lines;
	struct sealed_guard guard;
	const struct l4_chunk *chunks; /* of all rings, one after the other */
	struct sealed_ring *rings;
	uint32_t n_rings;
	struct memfd file; /* the implementation's alone */
};

/* Maps a file that another process has sent, and checks all of its numbers: each is read once. What is in the lines of
 * the image is not looked at, for bodies check it when they use it. fd stays the caller's. Returns 0; -EPERM (not sealed), -EINVAL
 * (no such file, or of another version), -EMSGSIZE (another length than it says), -ENOSPC (does not fit the tables), -ENOMEM; then
 * *why says what is wrong, in words that follow the file's name. To be freed with sealed_free(). */
int sealed_read(struct sealed *out, int fd, const struct sealed_limits *limits, const char **why);
void sealed_free(struct sealed *s);
