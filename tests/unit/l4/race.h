/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that use one table at once, and count what they find there. */
#pragma once
#include <pthread.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <cmocka.h>

enum { RACERS = 3 }; /* of race_with_sweep() */

struct racer {
	pthread_t thread;
	uint64_t random;
	uint64_t found;		   /* of its own */
	uint64_t wrong;		   /* of another one's */
	uint64_t begun;		   /* by itself, where a test counts that */
	_Atomic unsigned *running; /* how many have not ended yet */
	void (*turn)(struct racer *r, uint32_t round);
	uint32_t rounds;
};

/* Any number below n. */
static inline uint32_t draw(struct racer *r, uint32_t n)
{
	r->random = r->random * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)((r->random >> 32) * n >> 32);
}

static inline void race_start(struct racer *racers, unsigned n, void *(*run)(void *))
{
	for (unsigned i = 0; i < n; i++) {
		racers[i].random = i;
		racers[i].found = racers[i].wrong = racers[i].begun = 0;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, run, &racers[i]), 0);
	}
}

/* Waits for their end. Each must have found something, and nothing that is another one's. */
static inline void race_join(struct racer *racers, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
		assert_true(racers[i].found);
		assert_int_equal(racers[i].wrong, 0);
	}
}

static inline void *race_turns(void *arg)
{
	struct racer *r = arg;

	for (uint32_t round = 0; round < r->rounds; round++)
		r->turn(r, round);
	atomic_fetch_sub(r->running, 1);
	return NULL;
}

/* Threads take so many turns each, while this one sweeps now and then. */
static inline void race_with_sweep(struct racer racers[RACERS],
	void (*turn)(struct racer *r, uint32_t round), uint32_t rounds,
	void (*sweep)(struct racer *me))
{
	struct racer me = { .random = 99 };
	_Atomic unsigned running = RACERS;

	for (unsigned i = 0; i < RACERS; i++)
		racers[i] = (struct racer){ .running = &running, .turn = turn, .rounds = rounds };
	race_start(racers, RACERS, race_turns);
	while (atomic_load(&running)) {
		sweep(&me);
		for (unsigned pause = 0; pause < 2000; pause++)
			__builtin_ia32_pause();
	}
	race_join(racers, RACERS);
}
