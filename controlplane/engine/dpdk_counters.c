/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of the DPDK engine: rows that workers write (dataplane/dpdk/store.h). */
#include <errno.h>
#include <string.h>
#include "controlplane/engine/dpdk_body.h"

enum { WORDS_MOST = (int)L4_V_COUNT > (int)L4_PLACE_COUNT ? (int)L4_V_COUNT : (int)L4_PLACE_COUNT };

static const enum store_kind kinds[ENGINE_COUNT_TABLES] = {
	[ENGINE_VERDICT_COUNTS] = STORE_VERDICTS,
	[ENGINE_PLACE_COUNTS] = STORE_PLACES,
	[ENGINE_SERVICE_COUNTS] = STORE_SERVICES,
	[ENGINE_SERVER_COUNTS] = STORE_SERVERS,
	[ENGINE_VIP_DROPS] = STORE_VIP_DROPS,
	[ENGINE_SERVICE_DROPS] = STORE_SERVICE_DROPS,
};

/* A table is its words one after the other: several rows of ours may be one of the store's. */
int dpdk_count(const struct engine *en, enum engine_counts table, uint32_t row, uint64_t *out,
	unsigned words)
{
	const struct dpdk *d = en->own;
	uint32_t per_row = d->store.tables[kinds[table]].row_size / sizeof(uint64_t);
	uint64_t at = (uint64_t)row * words, sums[WORDS_MOST] = { 0 };
	int rc = -ENOENT;

	if (at / per_row <= UINT32_MAX)
		rc = store_sum(&d->store, kinds[table], (uint32_t)(at / per_row), sums);
	memcpy(out, sums + at % per_row, words * sizeof *out);
	return rc;
}

int dpdk_add(struct engine *en, enum engine_counts table, uint32_t row, const uint64_t *more,
	unsigned words)
{
	struct dpdk *d = en->own;
	uint32_t per_row = d->store.tables[kinds[table]].row_size / sizeof(uint64_t);
	uint64_t at = (uint64_t)row * words;

	return store_add(&d->store, kinds[table], (uint32_t)(at / per_row),
		(uint32_t)(at % per_row), more, words);
}

int dpdk_clear(struct engine *en, enum engine_counts table, uint32_t row, unsigned words)
{
	struct dpdk *d = en->own;

	if (words * sizeof(uint64_t) != d->store.tables[kinds[table]].row_size)
		return -EINVAL;
	return store_reset(&d->store, kinds[table], row);
}
