/* SPDX-License-Identifier: BSD-2-Clause */
/* Slot tables read back from a published image and its rings, as a restarted control plane finds them. */
#pragma once
#include "dataplane/snapshot/snapshot.h"

/* Called with each pool's table, in stable ids as struct snapshot_slots has them; the arrays end with the call. A value
 * other than 0 ends the reading. */
typedef int snapshot_slots_fn(void *arg, uint16_t pool, uint32_t n, const uint16_t *owner,
	const uint16_t *base, const uint16_t *since);

/* Reads all tables. What contradicts itself or points outside is left out. Returns 0, what fn returned, -EINVAL (no
 * image of this version), or -ENOMEM. */
int snapshot_read_slots(const struct l4_line *image, uint32_t lines, const struct l4_chunk *rings,
	uint32_t n_chunks, snapshot_slots_fn *fn, void *arg);
