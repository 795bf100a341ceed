/* SPDX-License-Identifier: BSD-2-Clause */
/* The mbufs that all ports of a process receive into. */
#pragma once
#include <rte_mempool.h>
#include <stdbool.h>
#include <stdint.h>

enum { FRAMES_CACHE = 128 }; /* that a thread keeps for itself */

/* Bytes of a frame, its headroom included, that is one of `pages`. */
uint32_t frames_page_room(void);

/* n frames of `room` bytes at least. `pages`: each takes one page of memory together with what DPDK has before it, and they lie one behind
 * the other, as XDP sockets need it. Returns NULL, and a negative errno: -ENOMEM; -EMSGSIZE, such have less room. */
struct rte_mempool *frames_new(unsigned n, uint32_t room, bool pages, int *rc);
