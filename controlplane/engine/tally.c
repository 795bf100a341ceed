/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters that go on in another engine: a first sum is taken over while packets are still counted in the former, what they were counted
 * since then at the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/engine/body.h"

enum { TRAFFIC_WORDS = sizeof(struct l4_counter) / sizeof(uint64_t) };

struct tally_table {
	uint32_t rows;
	unsigned words;
	uint64_t *first; /* of the former engine, when it began */
};

struct engine_tally {
	struct engine *to;
	const struct engine *from;
	struct tally_table tables[ENGINE_COUNT_TABLES];
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void shape(struct engine_tally *t)
{
	const struct engine *a = t->to, *b = t->from;

	t->tables[ENGINE_VERDICT_COUNTS] = (struct tally_table){ L4_V_COUNT, 1, NULL };
	t->tables[ENGINE_PLACE_COUNTS] = (struct tally_table){ L4_PLACE_COUNT, 1, NULL };
	t->tables[ENGINE_SERVICE_COUNTS] = (struct tally_table){
		least(a->n_services, b->n_services) + 1, TRAFFIC_WORDS, NULL
	};
	t->tables[ENGINE_SERVER_COUNTS] =
		(struct tally_table){ least(a->n_servers, b->n_servers) + 1, TRAFFIC_WORDS, NULL };
	t->tables[ENGINE_VIP_DROPS] =
		(struct tally_table){ least(a->n_vips, b->n_vips) + 1, L4_V_COUNT, NULL };
	t->tables[ENGINE_SERVICE_DROPS] =
		(struct tally_table){ least(a->n_services, b->n_services) + 1, L4_V_COUNT, NULL };
}

/* Has the row of the new engine say what the former's does, whatever it has from another time. */
static int begin_row(
	struct engine_tally *t, enum engine_counts table, uint32_t row, uint64_t *first)
{
	unsigned words = t->tables[table].words;
	uint64_t is[L4_V_COUNT] = { 0 }, more[L4_V_COUNT];
	bool differs = false;
	int rc = t->from->body->count(t->from, table, row, first, words);

	if (!rc)
		rc = t->to->body->count(t->to, table, row, is, words);
	for (unsigned i = 0; !rc && i < words; i++) {
		more[i] = first[i] - is[i];
		differs |= more[i] != 0;
	}
	return rc || !differs ? rc : t->to->body->add(t->to, table, row, more, words);
}

static int begin_table(struct engine_tally *t, enum engine_counts table)
{
	struct tally_table *of = &t->tables[table];
	int rc = 0;

	of->first = calloc((size_t)of->rows * of->words, sizeof *of->first);
	if (!of->first)
		return -ENOMEM;
	for (uint32_t row = 0; row < of->rows && !rc; row++)
		rc = begin_row(t, table, row, of->first + (size_t)row * of->words);
	return rc;
}

int engine_tally_begin(
	struct engine_tally **out, struct engine *to, const struct engine *from, struct err *e)
{
	struct engine_tally *t = calloc(1, sizeof *t);
	int rc = t ? 0 : -ENOMEM;

	if (!rc) {
		*t = (struct engine_tally){ .to = to, .from = from };
		shape(t);
	}
	for (unsigned i = 0; i < ENGINE_COUNT_TABLES && !rc; i++)
		rc = begin_table(t, (enum engine_counts)i);
	if (rc) {
		engine_tally_end(t, false);
		return err_set(e, rc, "cannot carry counters over: %s", strerror(-rc));
	}
	*out = t;
	return 0;
}

bool engine_tally_may_wait(const struct engine_tally *t)
{
	return t->to->body->adds_live;
}

static void end_row(struct engine_tally *t, enum engine_counts table, uint32_t row)
{
	unsigned words = t->tables[table].words;
	const uint64_t *first = t->tables[table].first + (size_t)row * words;
	uint64_t more[L4_V_COUNT];
	bool differs = false;

	if (t->from->body->count(t->from, table, row, more, words))
		return;
	for (unsigned i = 0; i < words; i++) {
		more[i] -= first[i];
		differs |= more[i] != 0;
	}
	if (differs)
		t->to->body->add(t->to, table, row, more, words);
}

void engine_tally_end(struct engine_tally *t, bool with_rest)
{
	if (!t)
		return;
	for (unsigned i = 0; i < ENGINE_COUNT_TABLES; i++) {
		for (uint32_t row = 0; with_rest && row < t->tables[i].rows; row++)
			end_row(t, (enum engine_counts)i, row);
		free(t->tables[i].first);
	}
	free(t);
}
