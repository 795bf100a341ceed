/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of the XDP engine: rows of per-CPU maps. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bpf/tandem.skel.h"
#include "controlplane/engine/xdp_body.h"

static int map_of(const struct engine *en, enum engine_counts table)
{
	const struct tandem_bpf *bpf = engine_bpf(en);
	const struct bpf_map *maps[ENGINE_COUNT_TABLES] = {
		[ENGINE_VERDICT_COUNTS] = bpf->maps.verdict_counters,
		[ENGINE_PLACE_COUNTS] = bpf->maps.record_counters,
		[ENGINE_SERVICE_COUNTS] = bpf->maps.service_counters,
		[ENGINE_SERVER_COUNTS] = bpf->maps.server_counters,
		[ENGINE_VIP_DROPS] = bpf->maps.vip_drops,
		[ENGINE_SERVICE_DROPS] = bpf->maps.service_drops,
	};

	return bpf_map__fd(maps[table]);
}

/* A row of zeros, of all processors, and how many there are of them. */
static uint64_t *new_row(unsigned words, unsigned *cpus)
{
	int n = libbpf_num_possible_cpus();

	*cpus = n > 0 ? (unsigned)n : 0;
	return *cpus ? calloc((size_t)*cpus * words, sizeof(uint64_t)) : NULL;
}

/* What all processors have counted in a row, to be freed. Returns 0 or a negative errno. */
static int read_row(const struct engine *en, enum engine_counts table, uint32_t row, unsigned words,
	uint64_t **out, unsigned *cpus)
{
	*out = new_row(words, cpus);
	return *out ? bpf_map_lookup_elem(map_of(en, table), &row, *out) : -ENOMEM;
}

int xdp_count(const struct engine *en, enum engine_counts table, uint32_t row, uint64_t *out,
	unsigned words)
{
	unsigned cpus;
	uint64_t *values;
	int rc = read_row(en, table, row, words, &values, &cpus);

	memset(out, 0, words * sizeof *out);
	for (unsigned cpu = 0; !rc && cpu < cpus; cpu++)
		for (unsigned i = 0; i < words; i++)
			out[i] += values[cpu * words + i];
	free(values);
	return rc;
}

/* By what the first processor has. */
int xdp_add(struct engine *en, enum engine_counts table, uint32_t row, const uint64_t *more,
	unsigned words)
{
	unsigned cpus;
	uint64_t *values;
	int rc = read_row(en, table, row, words, &values, &cpus);

	for (unsigned i = 0; !rc && i < words; i++)
		values[i] += more[i];
	if (!rc)
		rc = bpf_map_update_elem(map_of(en, table), &row, values, BPF_ANY);
	free(values);
	return rc;
}

int xdp_clear(struct engine *en, enum engine_counts table, uint32_t row, unsigned words)
{
	unsigned cpus;
	uint64_t *zeros = new_row(words, &cpus);
	int rc = -ENOMEM;

	if (zeros)
		rc = bpf_map_update_elem(map_of(en, table), &row, zeros, BPF_ANY);
	free(zeros);
	return rc;
}
