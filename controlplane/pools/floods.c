/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/floods.h"
#include <stdlib.h>

struct flood {
	struct floods_service known;
	uint64_t answered; /* at the last look, which was at looked_ms */
	int64_t looked_ms; /* 0: there was none */
	/* What had begun when the sweep that runs, or the last one, began, and the one before that. */
	uint32_t begun, begun_before;
	uint32_t counting;
};

struct floods {
	uint32_t n;
	bool unsure; /* the sweep met an entry that was being written */
	struct flood list[];
};

struct floods *floods_new(uint32_t n)
{
	struct floods *f = calloc(1, sizeof *f + n * sizeof *f->list);

	if (f)
		f->n = n;
	return f;
}

void floods_free(struct floods *f)
{
	free(f);
}

const struct floods_service *floods_service(const struct floods *f, uint32_t id)
{
	return id < f->n ? &f->list[id].known : NULL;
}

void floods_forget(struct floods *f, uint32_t id)
{
	if (id < f->n)
		f->list[id] = (struct flood){ 0 };
}

/* A clock that was set back tells nothing. */
static uint64_t rate(const struct flood *s, uint64_t answered, int64_t now_ms)
{
	int64_t ms = now_ms - s->looked_ms;

	if (!s->looked_ms || ms <= 0 || answered < s->answered)
		return 0;
	return (answered - s->answered) * 1000 / (uint64_t)ms;
}

/* Of a row that `seen` is up to date in. */
static bool is_on(const struct floods_service *was, const struct l4_flood *row, uint16_t now)
{
	return row->seen &&
	       l4_time_since(row->last, now) <= (was->on ? FLOODS_QUIET : L4_FLOOD_AGE);
}

enum floods_news floods_look(struct floods *f, uint32_t id, struct l4_flood *row, uint64_t answered,
	uint16_t now, int64_t now_ms)
{
	struct l4_flood is;
	struct flood *s;
	bool on, was;

	if (id >= f->n)
		return FLOODS_NONE;
	s = &f->list[id];
	s->known.cookies = l4_flood_has_cookies(row, now);
	is = *(const volatile struct l4_flood *)row;
	on = is_on(&s->known, &is, now);
	was = s->known.on;
	if (on && !was)
		s->known.since_ms = now_ms;
	s->known.on = on;
	s->known.syns_per_s = rate(s, answered, now_ms);
	s->answered = answered;
	s->looked_ms = now_ms;
	return on == was ? FLOODS_NONE : on ? FLOODS_BEGUN : FLOODS_OVER;
}

static uint32_t read_begun(const struct l4_flood *row)
{
	return *(const volatile uint32_t *)&row->begun;
}

static void set_ended(struct l4_flood *row, uint32_t ended)
{
	*(volatile uint32_t *)&row->ended = ended;
}

void floods_doubt(struct l4_flood *rows, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (read_begun(&rows[i]))
			set_ended(&rows[i], read_begun(&rows[i]) - 1);
}

void floods_sweep_begin(struct floods *f, const struct l4_flood *rows)
{
	f->unsure = false;
	for (uint32_t i = 0; i < f->n; i++) {
		struct flood *s = &f->list[i];

		s->begun_before = s->begun;
		s->begun = read_begun(&rows[i]);
		s->counting = 0;
	}
}

/* An entry that changes under the sweep's hands lives. */
static bool clear(struct l4_proxied *e, uint64_t what, uint16_t now)
{
	return l4_proxied_is_over(what, *(volatile uint32_t *)&e->idle, now) &&
	       __sync_bool_compare_and_swap(&e->what, what, L4_PROXIED_EMPTY);
}

static void sweep_one(struct floods *f, struct l4_proxied *e, uint16_t now)
{
	uint64_t what = l4_record_read(&e->what);
	uint32_t service = l4_proxied_service(what);

	if (l4_proxied_state(what) == L4_PROXIED_EMPTY)
		return;
	if (l4_proxied_state(what) == L4_PROXIED_BUSY)
		f->unsure = true;
	else if (!clear(e, what, now) && service < f->n)
		f->list[service].counting++;
}

void floods_sweep_part(struct floods *f, struct l4_proxied *entries, uint32_t n, uint16_t now)
{
	for (uint32_t i = 0; i < n; i++)
		sweep_one(f, &entries[i], now);
}

unsigned floods_sweep_end(struct floods *f, struct l4_flood *rows)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		struct flood *s = &f->list[i];

		s->known.proxied = s->counting;
		if (f->unsure || s->counting || s->begun != s->begun_before ||
			rows[i].ended == s->begun)
			continue;
		set_ended(&rows[i], s->begun);
		n++;
	}
	return n;
}
