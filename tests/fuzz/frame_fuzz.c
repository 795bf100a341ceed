/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer: frames through the native engine in the world of most packet cases, while slots are tracked and half of the
 * table of records is taken.
 *
 * An input is one frame or several, with the word "next" between them. The first byte of each chooses the interface and
 * how much time goes by before it; its highest bit says that the frame is the answer to what was sent last: its sequence
 * numbers are written by who got that. Besides what the sanitizers see, a frame that is not sent must stay (setup_stays()), and
 * no flow may have two records or two connections. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/bytes.h"
#include "tests/packets/churn.h"
#include "tests/packets/flows.h"
#include "tests/packets/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARK "next"

enum { CHANGES = 200, SEED = 1, ANSWERS = 0x80 };

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
	struct l4_flood *floods;
	uint32_t n_floods;
	struct l4_proxied *proxied;
	uint32_t n_proxied;
	struct body_result result; /* of the last frame */
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
	it.floods = body_native.floods(it.body, &it.n_floods);
	it.proxied = body_native.proxied(it.body, &it.n_proxied);
	change_slots(&c);
	for (unsigned i = 0; i < 2; i++)
		it.begin[i] = crowd(&c, starts[i]);
	churn_free(&c);
}

static void begin(void)
{
	it.turn ^= 1;
	memcpy(it.records, it.begin[it.turn], it.n_records * sizeof *it.records);
	memset(it.floods, 0, it.n_floods * sizeof *it.floods);
	memset(it.proxied, 0, it.n_proxied * sizeof *it.proxied);
	it.result.len = 0;
	it.now = starts[it.turn];
}

/* Where TCP begins behind headers without options, and with no more than one tag; 0: too short for it. */
static size_t tcp_at(const uint8_t *frame, size_t len)
{
	size_t l3 = len > 17 && get16(frame + 12) == 0x8100 ? 18 : 14;
	size_t l4 = len > l3 ? l3 + (frame[l3] >> 4 == 6 ? 40 : 20) : len;

	return l4 + 20 <= len ? l4 : 0;
}

/* Makes the frame's numbers those of an answer to what was sent last, but for what they are off by. */
static void answer(uint8_t *frame, size_t len)
{
	size_t to = tcp_at(frame, len), from = tcp_at(it.result.frame, it.result.len);
	const uint8_t *heard = it.result.frame + from;
	struct frame numbers = { 0 };

	if (!to || !from)
		return;
	put32(&numbers, get32(heard + 8) + get32(frame + to + 4));
	put32(&numbers, get32(heard + 4) + 1 + get32(frame + to + 8));
	memcpy(frame + to + 4, numbers.bytes, numbers.len);
}

static void run_frame(uint8_t how, const uint8_t *data, size_t len)
{
	const struct world *w = &it.world->world;
	uint8_t *frame = calloc(1, len + 1);

	insist(frame, "out of memory");
	memcpy(frame, data, len);
	if (how & ANSWERS)
		answer(frame, len);
	how &= ANSWERS - 1;
	it.now += steps[how / w->n_links % (sizeof steps / sizeof *steps)];
	body_native.set_time(it.body, it.now);
	insist(!body_native.inject(
		       it.body, setup_device(w, how % w->n_links), frame, len, &it.result),
		"out of memory");
	if (verdict_action(it.result.verdict) != L4_SEND)
		insist(!it.result.ifindex && setup_stays(w->conf, frame, len, &it.result),
			"a frame that is not sent was changed");
	free(frame);
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

static bool is_live(const struct l4_proxied *e)
{
	return !l4_proxied_is_over(e->what, e->idle, it.now);
}

static void check_proxied(void)
{
	for (uint32_t i = 0; i < it.n_proxied; i++) {
		const struct l4_proxied *e = &it.proxied[i];

		insist(l4_proxied_state(e->what) != L4_PROXIED_BUSY,
			"an entry is left to be written");
		for (uint32_t k = i + 1; k % L4_BUCKET_PROXIED; k++)
			insist(!is_live(e) || !is_live(&it.proxied[k]) ||
					e->who != it.proxied[k].who,
				"a flow has two connections");
	}
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
	check_proxied();
	return 0;
}
