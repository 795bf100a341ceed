/* SPDX-License-Identifier: BSD-2-Clause */
/* A port without a NIC: frames come from a ring of buffers that are written anew each time, and what is sent goes nowhere. The driver's
 * part of it is as short as one can be. */
#pragma once
#include <rte_mbuf.h>
#include "tests/bench/xdp/frames.h"

enum { FEED_FRAMES = 256 };

/* A worker's each, side by side with another's: prefetchers bring lines in pairs. */
struct feed {
	struct rte_mbuf *ring[FEED_FRAMES];
	uint8_t frame[FRAMES_MAX]; /* that all are made from */
	uint32_t len;
	uint32_t source,
		ports; /* where the flow's number goes: an address' lower half and the source port */
	uint64_t n;    /* frames so far */
	uint32_t mask;	   /* of flows' numbers */
	uint32_t services; /* they go to so many ports from the first one on; 0: to one */
	uint16_t first_port;
	uint64_t sent;
	uint16_t ethdev;
	bool is_open;
} __attribute__((aligned(128)));

/* Makes a port. Returns 0 or a negative errno. */
int feed_open(struct feed *f, const char *name, struct rte_mempool *frames);
/* Of one that is not open, nothing. */
void feed_close(struct feed *f);

/* Nothing comes in. */
void feed_silence(struct feed *f);

/* What comes in from now on: packets of a case, of so many flows (a power of two, at most 2^32), in an order without any. lane:
 * other flows than another lane's. */
void feed_set(struct feed *f, const struct site_world *w, const struct bench_case *c,
	uint64_t flows, unsigned lane);
