/* SPDX-License-Identifier: BSD-2-Clause */
/* What packets counted, and floods that they saw: read, and set back when a number has another object. */
#include <errno.h>
#include <string.h>
#include "controlplane/engine/body.h"

enum { TRAFFIC_WORDS = sizeof(struct l4_counter) / sizeof(uint64_t) };

static int read_traffic(
	const struct engine *en, enum engine_counts table, uint32_t id, struct engine_counter *out)
{
	uint64_t sums[TRAFFIC_WORDS] = { 0 };
	int rc = en->body->count(en, table, id, sums, TRAFFIC_WORDS);

	*out = (struct engine_counter){ sums[0], sums[1] };
	return rc;
}

int engine_service_counter(const struct engine *en, uint32_t id, struct engine_counter *out)
{
	return read_traffic(en, ENGINE_SERVICE_COUNTS, id, out);
}

int engine_server_counter(const struct engine *en, uint32_t id, struct engine_counter *out)
{
	return read_traffic(en, ENGINE_SERVER_COUNTS, id, out);
}

/* The rows of a table, of one word each. */
static int read_rows(
	const struct engine *en, enum engine_counts table, uint64_t *out, uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++) {
		int rc = en->body->count(en, table, i, &out[i], 1);

		if (rc)
			return rc;
	}
	return 0;
}

int engine_verdict_counters(const struct engine *en, uint64_t out[L4_V_COUNT])
{
	return read_rows(en, ENGINE_VERDICT_COUNTS, out, L4_V_COUNT);
}

int engine_record_counters(const struct engine *en, uint64_t out[L4_PLACE_COUNT])
{
	return read_rows(en, ENGINE_PLACE_COUNTS, out, L4_PLACE_COUNT);
}

int engine_vip_drops(const struct engine *en, uint32_t vip_id, uint64_t out[L4_V_COUNT])
{
	return en->body->count(en, ENGINE_VIP_DROPS, vip_id, out, L4_V_COUNT);
}

int engine_service_drops(const struct engine *en, uint32_t service_id, uint64_t out[L4_V_COUNT])
{
	int rc = en->body->count(en, ENGINE_SERVICE_DROPS, service_id, out, L4_V_COUNT);

	out[L4_V_SYN_COOKIE] = 0; /* no drop, but counted beside them */
	return rc;
}

int engine_service_cookies(const struct engine *en, uint32_t service_id, uint64_t *out)
{
	uint64_t counts[L4_V_COUNT] = { 0 };
	int rc = en->body->count(en, ENGINE_SERVICE_DROPS, service_id, counts, L4_V_COUNT);

	*out = counts[L4_V_SYN_COOKIE];
	return rc;
}

/* Connections go on being counted from where they are: packets may have begun one already. */
static void end_flood(struct l4_flood *f)
{
	*(volatile uint32_t *)&f->seen = 0;
	*(volatile uint8_t *)&f->ready = 0;
	f->ended = *(volatile uint32_t *)&f->begun - 1;
}

int engine_counter_reset(struct engine *en, enum engine_counter_kind kind, uint32_t id)
{
	int rc;

	switch (kind) {
	case ENGINE_VIP:
		return en->body->clear(en, ENGINE_VIP_DROPS, id, L4_V_COUNT);
	case ENGINE_SERVICE:
		if (id < en->tables.n_floods)
			end_flood(&en->tables.floods[id]);
		rc = en->body->clear(en, ENGINE_SERVICE_COUNTS, id, TRAFFIC_WORDS);
		return rc ? rc : en->body->clear(en, ENGINE_SERVICE_DROPS, id, L4_V_COUNT);
	case ENGINE_SERVER:
		return en->body->clear(en, ENGINE_SERVER_COUNTS, id, TRAFFIC_WORDS);
	}
	return -EINVAL;
}
