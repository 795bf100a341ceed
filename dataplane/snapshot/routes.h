/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes for an engine that is another process: the control plane keeps the set of them, compiles it, and sends it as a sealed file
 * (memfd.h), of which the engine's workers look routes up (dataplane/dpdk/routes.h).
 *
 * A file is a head; for each family the addresses where the longest match changes, sorted, as a tree (tree.h); the distinct routes;
 * and for each family's addresses which of them holds from there on. There are no offsets in it: where its parts lie follows from the
 * numbers in the head. */
#pragma once
#include "dataplane/snapshot/memfd.h"
#include "dataplane/snapshot/tree.h"

struct routes;

/* bytes: network order, IPv4 in the first four; those behind the first plen bits are ignored. */
struct routes_prefix {
	uint8_t af, plen; /* 4, 32 at most; or 6, 128 */
	uint8_t bytes[16];
};

/* limit: how many there may be of each family. NULL when out of memory. */
struct routes *routes_new(uint32_t limit);
void routes_free(struct routes *r);

/* Enters a prefix's route, or replaces it. *was: the one before, all zero but for L4_NO_NEIGHBOUR where there was none. Returns 0;
 * -ENOSPC (the limit), -EINVAL (no prefix), -ENOMEM: then all is as it was. */
int routes_set(struct routes *r, const struct routes_prefix *p, const struct l4_route *is,
	struct l4_route *was);
/* *was: as above. */
void routes_delete(struct routes *r, const struct routes_prefix *p, struct l4_route *was);

/* Puts what is there now into a new file. Returns a file descriptor, or a negative errno. */
int routes_write(struct routes *r);

/* Where a family's longest match changes. */
struct routes_tree {
	uint32_t n, n_levels;
	const uint32_t *
		answers; /* n + 1: before the first one, and from each on; 0: no route, else one more than its number */
	struct {
		const struct l4_line *lines;
		uint32_t last; /* node */
	} levels[TREE_LEVELS];
};

struct route_table {
	struct routes_tree trees[2]; /* IPv4's, IPv6's */
	const struct l4_route *routes;
	uint32_t n_routes;
	struct memfd file; /* the implementation's alone */
};

/* Maps a file that another process has sent, and checks the numbers of its head, each of which is read once. Keys and answers are
 * not looked at, for workers check where they lead. limit: that of routes_new(). fd stays the caller's. Returns 0; -EPERM (not sealed),
 * -EINVAL (no such file, or of another version), -EMSGSIZE (another length than it says), -ENOSPC (beyond the limit), -ENOMEM; then
 * *why says what is wrong, in words that follow the file's name. To be freed with routes_unread(). */
int routes_read(struct route_table *out, int fd, uint32_t limit, const char **why);
void routes_unread(struct route_table *t);
