/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/read.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/snapshot/maglev.h"

struct reader {
	const struct l4_line *image;
	uint32_t lines;
	const struct l4_chunk *rings;
	uint32_t n_chunks;
};

static uint16_t slot_at(const struct reader *r, uint32_t chunk, uint32_t slot)
{
	return r->rings[chunk + slot / L4_CHUNK_SLOTS].slots[slot % L4_CHUNK_SLOTS];
}

static bool ring_is_inside(const struct reader *r, const struct l4_pool *p, uint32_t planes)
{
	uint64_t n = (uint64_t)p->ring_mask + 1;

	return n >= MAGLEV_MIN_SLOTS && n <= MAGLEV_MAX_SLOTS && !(n & (n - 1)) &&
	       p->ring_chunk + n / L4_CHUNK_SLOTS * planes <= r->n_chunks;
}

static bool is_tracked(const struct reader *r, const struct l4_pool *p)
{
	for (uint32_t i = 0; i <= p->ring_mask; i++)
		if (slot_at(r, p->ring_chunk, i) & L4_SLOT_TRACKED)
			return true;
	return false;
}

/* The id of a pool's member, 0: there is none. */
static uint16_t member_id(const struct reader *r, const struct l4_pool *p, uint16_t slot)
{
	uint64_t line = (uint64_t)p->member_base + (slot & L4_SLOT_NONE);
	uint32_t id;

	if ((slot & L4_SLOT_NONE) == L4_SLOT_NONE || line >= r->lines)
		return 0;
	id = ((const struct l4_member *)&r->image[line])->id;
	return id <= UINT16_MAX ? (uint16_t)id : 0;
}

static int read_pool(const struct reader *r, uint16_t id, const struct l4_pool *p,
	snapshot_slots_fn *fn, void *arg)
{
	uint32_t n = p->ring_mask + 1, step = n / L4_CHUNK_SLOTS;
	uint16_t *owner = calloc(3 * (size_t)n, sizeof *owner);
	uint16_t *base, *since;
	int rc;

	if (!owner)
		return -ENOMEM;
	base = owner + n;
	since = base + n;
	for (uint32_t i = 0; i < n; i++) {
		uint16_t slot = slot_at(r, p->ring_chunk, i);

		owner[i] = member_id(r, p, slot);
		base[i] = SNAPSHOT_SETTLED;
		if (!(slot & L4_SLOT_TRACKED))
			continue;
		base[i] = member_id(r, p, slot_at(r, p->ring_chunk + step, i));
		since[i] = slot_at(r, p->ring_chunk + 2 * step, i);
	}
	rc = fn(arg, id, n, owner, base, since);
	free(owner);
	return rc;
}

static bool is_image(const struct l4_line *image, uint32_t lines)
{
	const struct l4_root *root = (const struct l4_root *)&image[L4_LINE_ROOT];

	return lines > L4_LINE_KEYS && root->magic == L4_TABLES_MAGIC &&
	       root->version == L4_TABLES_VERSION;
}

int snapshot_read_slots(const struct l4_line *image, uint32_t lines, const struct l4_chunk *rings,
	uint32_t n_chunks, snapshot_slots_fn *fn, void *arg)
{
	const struct reader r = { image, lines, rings, n_chunks };
	const struct l4_keys *keys = (const struct l4_keys *)&image[L4_LINE_KEYS];
	int rc = 0;

	if (!is_image(image, lines) || (uint64_t)keys->pool_base + keys->n_pools > lines)
		return -EINVAL;
	for (uint32_t id = 0; id < keys->n_pools && id <= UINT16_MAX && !rc; id++) {
		const struct l4_pool *p = (const struct l4_pool *)&image[keys->pool_base + id];

		if (!ring_is_inside(&r, p, 1) || (is_tracked(&r, p) && !ring_is_inside(&r, p, 3)))
			continue;
		rc = read_pool(&r, (uint16_t)id, p, fn, arg);
	}
	return rc;
}

static void read_mac(const struct l4_key *key, snapshot_macs_fn *fn, void *arg)
{
	static const uint8_t none[6];
	uint8_t mac[6];

	memcpy(mac, &key->address[1], sizeof mac);
	if (key->kind == L4_KIND_MAC && !(mac[0] & 1) && memcmp(mac, none, sizeof mac) != 0)
		fn(arg, key->address[0], mac);
}

int snapshot_read_macs(const struct l4_line *image, uint32_t lines, snapshot_macs_fn *fn, void *arg)
{
	const struct l4_root *root = (const struct l4_root *)&image[L4_LINE_ROOT];
	const struct l4_bucket *buckets = (const struct l4_bucket *)image;

	if (!is_image(image, lines) || (uint64_t)root->bucket_base + root->bucket_mask >= lines)
		return -EINVAL;
	if (!(root->flags & L4_ROOT_VIRTUAL))
		return 0;
	buckets += root->bucket_base;
	for (uint32_t i = 0; i <= root->bucket_mask; i++)
		for (unsigned k = 0; k < L4_BUCKET_ENTRIES; k++)
			if (buckets[i].entries[k].tag && buckets[i].entries[k].line < lines)
				read_mac((const struct l4_key *)&image[buckets[i].entries[k].line],
					fn, arg);
	return 0;
}
