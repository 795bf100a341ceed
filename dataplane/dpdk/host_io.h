/* SPDX-License-Identifier: BSD-2-Clause */
/* A port's end of the host's own stack, of one of two kinds: a tap that is read and written (tap_io.h), or rings between this process
 * and the kernel's vhost-net (vhost_io.h). By one thread. */
#pragma once
#include <rte_mbuf.h>

/* Entries of each of its rings, and frames that it holds at most. */
enum { HOST_IO_RING = 512, HOST_IO_FRAMES = 2 * HOST_IO_RING };

struct host_io;

struct host_io_kind {
	const char *name; /* of the configuration: "tap" */
	/* Takes up to n frames that the host has sent. Returns how many; fewer than n: poll(2) finds the descriptor readable when there
	 * are more. */
	unsigned (*take)(struct host_io *io, struct rte_mbuf **frames, unsigned n);
	/* Gives the host n frames, which are the caller's no more. Returns how many it has taken; the rest are gone. */
	unsigned (*give)(struct host_io *io, struct rte_mbuf **frames, unsigned n);
	void (*close)(struct host_io *io);
};

struct host_io {
	const struct host_io_kind *kind;
	int fd; /* for poll(2); -1: nothing comes any more */
};

/* NULL: nothing is done. */
static inline void host_io_close(struct host_io *io)
{
	if (io)
		io->kind->close(io);
}
