/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections begun, changed and forgotten by several threads at once, in buckets that are far too few: whatever is found is
 * the flow's own. */
#include "tests/unit/l4/race.h"
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include "dataplane/l4/proxied.h"

enum { BUCKETS = 2, FLOWS = 64, ROUNDS = 4000000, SERVICE = 7 };

static struct l4_proxied_bucket buckets[BUCKETS];

/* All that an entry holds but its state and times follows from the flow; these are the same for many flows. */
static uint64_t hash_of(uint32_t flow)
{
	return (uint64_t)(flow & 1) << 63 | flow;
}

static uint32_t shift_of(uint32_t flow)
{
	return 0x10000 * (flow + 1);
}

static uint32_t isn_of(uint32_t flow)
{
	return 0x1000000 + flow;
}

static uint32_t idle_of(uint32_t flow)
{
	return 0x2000 + flow;
}

static uint64_t what_of(uint8_t state, uint16_t now)
{
	return l4_proxied_seen((uint64_t)SERVICE << L4_PROXIED_SERVICE_AT, state, now);
}

static struct l4_proxied entry_of(uint32_t flow, uint8_t state, uint16_t now)
{
	return (struct l4_proxied){ .who = hash_of(flow),
		.what = what_of(state, now),
		.shift = shift_of(flow),
		.isn = isn_of(flow),
		.idle = idle_of(flow) };
}

/* What packets do with a connection that is there. */
static void go_on(struct racer *w, const struct l4_proxied_found *f, uint32_t flow, uint16_t now)
{
	const struct l4_proxied to = entry_of(flow, L4_PROXIED_OPENING, now);

	switch (draw(w, 4)) {
	case 0:
		l4_proxied_exchange(f->at, f->what, L4_PROXIED_EMPTY);
		break;
	case 1:
		l4_proxied_put(f->at, f->what, &to);
		break;
	default:
		l4_proxied_exchange(
			f->at, f->what, l4_proxied_seen(f->what, L4_PROXIED_ASKED, now));
	}
}

static void do_one(struct racer *w, uint32_t round)
{
	uint32_t flow = draw(w, FLOWS);
	uint16_t now = (uint16_t)(round >> 14);
	struct l4_proxied_bucket *b = &buckets[hash_of(flow) >> 63];
	struct l4_proxied_found f = l4_proxied_find(b, hash_of(flow), now);
	const struct l4_proxied to = entry_of(flow, L4_PROXIED_ASKED, now);

	w->found += f.at != NULL;
	w->wrong += f.at &&
		    (f.shift != shift_of(flow) || f.isn != isn_of(flow) ||
			    f.idle != idle_of(flow) || l4_proxied_service(f.what) != SERVICE);
	if (f.at)
		go_on(w, &f, flow, now);
	else
		w->begun += l4_proxied_begin(b, &to, now);
}

/* Clears entries as a sweep does. */
static void clear(struct racer *w)
{
	struct l4_proxied *e = &buckets[draw(w, BUCKETS)].entries[draw(w, L4_BUCKET_PROXIED)];
	uint64_t what = l4_record_read(&e->what);

	if (l4_proxied_state(what) > L4_PROXIED_BUSY)
		l4_proxied_exchange(e, what, L4_PROXIED_EMPTY);
}

static void no_flow_finds_anothers_numbers(void **state)
{
	struct racer racers[RACERS];

	(void)state;
	race_with_sweep(racers, do_one, ROUNDS, clear);
	for (unsigned i = 0; i < RACERS; i++)
		assert_true(racers[i].begun);
	for (unsigned i = 0; i < BUCKETS * L4_BUCKET_PROXIED; i++)
		assert_int_not_equal(
			l4_proxied_state(
				buckets[i / L4_BUCKET_PROXIED].entries[i % L4_BUCKET_PROXIED].what),
			L4_PROXIED_BUSY);
}

/* Of two flows that differ in their numbers alone, and not in their state, time and service, one takes the other's entry wherever
 * the other's look-up is interrupted, as another processor would. */
enum { ONE = 2, OTHER = 4, INTERRUPTS = 20000 };

static atomic_uint interrupts;

static void interrupt(int signal)
{
	const struct l4_proxied to = entry_of(OTHER, L4_PROXIED_ASKED, 0);

	(void)signal;
	l4_proxied_begin(&buckets[0], &to, 0);
	atomic_fetch_add(&interrupts, 1);
}

static void is_interrupted_anywhere(void **state)
{
	const struct itimerval often = { { 0, 20 }, { 0, 20 } }, never = { 0 };
	const struct l4_proxied one = entry_of(ONE, L4_PROXIED_ASKED, 0);
	uint64_t found = 0, wrong = 0;

	(void)state;
	for (unsigned i = 0; i < L4_BUCKET_PROXIED; i++)
		buckets[0].entries[i] = entry_of(OTHER + 2 + 2 * i, L4_PROXIED_ASKED, 0);
	assert_ptr_not_equal(signal(SIGALRM, interrupt), SIG_ERR);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (atomic_load(&interrupts) < INTERRUPTS) {
		struct l4_proxied_found f = l4_proxied_find(&buckets[0], hash_of(ONE), 0);

		found += f.at != NULL;
		wrong += f.at && (f.shift != shift_of(ONE) || f.isn != isn_of(ONE) ||
					 f.idle != idle_of(ONE));
		if (!f.at)
			l4_proxied_begin(&buckets[0], &one, 0);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	assert_true(found);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_flow_finds_anothers_numbers),
		cmocka_unit_test(is_interrupted_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
