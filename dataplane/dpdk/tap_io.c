/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/tap_io.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct tap_io {
	struct host_io io;
	struct rte_mempool *frames;
	unsigned room;
	struct rte_mbuf *spare; /* for the next frame */
};

/* False: the tap has none. */
static bool take_one(struct tap_io *t)
{
	ssize_t n;

	if (!t->spare)
		t->spare = rte_pktmbuf_alloc(t->frames);
	if (!t->spare)
		return false; /* it stays where it is until workers have sent some */
	n = read(t->io.fd, rte_pktmbuf_mtod(t->spare, void *), t->room);
	if (n <= 0)
		return false;
	t->spare->data_len = (uint16_t)n;
	t->spare->pkt_len = (uint32_t)n;
	return true;
}

static unsigned take(struct host_io *io, struct rte_mbuf **frames, unsigned n)
{
	struct tap_io *t = (struct tap_io *)io;
	unsigned i = 0;

	while (i < n && take_one(t)) {
		frames[i++] = t->spare;
		t->spare = NULL;
	}
	return i;
}

/* The host takes none by an interface that is down. */
static unsigned give(struct host_io *io, struct rte_mbuf **frames, unsigned n)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++) {
		taken += write(io->fd, rte_pktmbuf_mtod(frames[i], void *), frames[i]->data_len) >=
			 0;
		rte_pktmbuf_free(frames[i]);
	}
	return taken;
}

static void leave(struct host_io *io)
{
	struct tap_io *t = (struct tap_io *)io;

	rte_pktmbuf_free(t->spare);
	free(t);
}

static const struct host_io_kind tap_kind = { "tap", take, give, leave };

int tap_io_open(struct host_io **out, int tap, struct rte_mempool *frames, unsigned room)
{
	struct tap_io *t = calloc(1, sizeof *t);

	if (!t)
		return -ENOMEM;
	*t = (struct tap_io){ { &tap_kind, tap }, frames, room, NULL };
	*out = &t->io;
	return 0;
}
