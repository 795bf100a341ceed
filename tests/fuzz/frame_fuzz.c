/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer: frames through the native engine in the world of most packet cases, while slots are tracked and half of the
 * table of records is taken.
 *
 * An input is one frame or several, with the word "next" between them. The first byte of each chooses the interface and
 * how much time goes by before it. Besides what the sanitizers see, a frame that is not sent must stay (setup_stays()), and
 * no flow may have two records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/churn.h"
#include "tests/packets/flows.h"
#include "tests/packets/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARK "next"

enum { CHANGES = 200, SEED = 1 };

/* When inputs begin, by turns, so that the limit of answers begins anew too. */
static const uint16_t starts[] = { 1000, 0xfff0 };
/* Around the time-outs of records. */
static const uint16_t steps[] = { 0, 1, 5, 6, 56, 57, 837, 839 };

static struct {
	struct world_file *world;
	struct body *body;
	struct flows *flows;
	struct l4_record *records, *begin[2]; /* the table, and what it holds at each start */
	uint32_t n_records;
	unsigned turn;
	uint16_t now;
} it;

static void insist(bool good, const char *why)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", why);
	abort();
}

static int tell_slots(void *arg, const struct case_step *s, struct err *e)
{
	(void)arg;
	return s->kind == CASE_SLOTS ? flows_step(it.flows, s, e) : 0;
}

static void change_slots(struct churn *c)
{
	struct err e;

	for (unsigned i = 0; i < CHANGES; i++)
		insist(!churn_next(c, tell_slots, NULL, &e), e.text);
	insist(!flows_publish(it.flows, &e), e.text);
}

/* What the table holds when an input begins at that time. */
static struct l4_record *crowd(struct churn *c, uint16_t start)
{
	struct l4_record *out = calloc(it.n_records, sizeof *out);

	insist(out, "out of memory");
	c->now = start;
	for (uint32_t i = 0; i < it.n_records / 64; i++)
		churn_records(c, out, it.n_records);
	return out;
}

static void open_once(void)
{
	struct churn c;
	struct err e;

	if (it.body)
		return;
	insist(!world_open(&it.world, WORLD_FILE, &e), e.text);
	insist(!body_native.open(&it.body, &it.world->world, &e), e.text);
	insist(!flows_new(&it.flows, it.world, &body_native, it.body) &&
			!churn_init(&c, it.world->conf, SEED),
		"out of memory");
	it.records = body_native.records(it.body, &it.n_records);
	change_slots(&c);
	for (unsigned i = 0; i < 2; i++)
		it.begin[i] = crowd(&c, starts[i]);
	churn_free(&c);
}

static void begin(void)
{
	it.turn ^= 1;
	memcpy(it.records, it.begin[it.turn], it.n_records * sizeof *it.records);
	it.now = starts[it.turn];
}

static void run_frame(uint8_t how, const uint8_t *frame, size_t len)
{
	static struct body_result result;
	const struct world *w = &it.world->world;

	it.now += steps[how / w->n_links % (sizeof steps / sizeof *steps)];
	body_native.set_time(it.body, it.now);
	insist(!body_native.inject(it.body, setup_device(w, how % w->n_links), frame, len, &result),
		"out of memory");
	if (verdict_action(result.verdict) != L4_SEND)
		insist(!result.ifindex && setup_stays(w->conf, frame, len, &result),
			"a frame that is not sent was changed");
}

static bool are_one_flow(const struct l4_record *a, const struct l4_record *b)
{
	return l4_record_state(a->what) > L4_RECORD_BUSY &&
	       l4_record_state(b->what) > L4_RECORD_BUSY && (uint32_t)a->who == (uint32_t)b->who &&
	       a->what >> L4_RECORD_POOL_AT == b->what >> L4_RECORD_POOL_AT;
}

static void check_records(void)
{
	for (uint32_t i = 0; i < it.n_records; i++)
		for (uint32_t k = i + 1; k % L4_BUCKET_RECORDS; k++)
			insist(!are_one_flow(&it.records[i], &it.records[k]),
				"a flow has two records");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size, *mark;
	size_t len;

	open_once();
	begin();
	for (; data < end; data = mark ? mark + strlen(MARK) : end) {
		mark = memmem(data, (size_t)(end - data), MARK, strlen(MARK));
		len = (size_t)((mark ? mark : end) - data);
		if (len > 1 + BODY_FRAME_MAX)
			return -1;
		if (len)
			run_frame(*data, data + 1, len - 1);
	}
	check_records();
	return 0;
}
