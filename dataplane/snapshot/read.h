/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read back from a published image: slot tables, as a restarted control plane finds them with the rings; virtual MAC addresses. */
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

/* Called with each virtual MAC address of an interface; the array ends with the call. */
typedef void snapshot_macs_fn(void *arg, uint32_t ifindex, const uint8_t mac[6]);

/* Reads all of them; one that is named twice is told twice. What points outside, or is no address of one host, is left out. Returns 0
 * or -EINVAL (no image of this version). */
int snapshot_read_macs(
	const struct l4_line *image, uint32_t lines, snapshot_macs_fn *fn, void *arg);
