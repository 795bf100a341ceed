/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to the host's stack by tap(4): a frame for each read() and write(). */
#pragma once
#include "dataplane/dpdk/host_io.h"

/* tap: a descriptor that does not block and stays the caller's. room: bytes of the longest frame, headers and tags included, that an
 * mbuf of frames has room for. Returns 0 or -ENOMEM. */
int tap_io_open(struct host_io **out, int tap, struct rte_mempool *frames, unsigned room);
