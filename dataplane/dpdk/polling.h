/* SPDX-License-Identifier: BSD-2-Clause */
/* When a worker that finds nothing to do sleeps, and for how long. Pure.
 *
 * It goes on polling for a while, since what comes next may come soon; then it sleeps, each time twice as long as before, so that the first
 * frame after a short pause waits for less than that pause was. Each sleep costs a wake-up, so the longest are as long as a frame may
 * wait, less what this host's timers are late: of nine sleeps in ten, as they have been. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
	POLLING_SPINS = 256, /* polls in a row that find nothing, before it sleeps */
	POLLING_SHORTEST_US = 20,
	POLLING_MOST_US = 500, /* that a frame may wait */
	POLLING_MARGIN_US = 10,
	POLLING_LATE_US = 90, /* what timers are late at most: more is another program's doing */
	/* How fast the guess of that follows: nine sleeps that are less late weigh as much as one that is more. */
	POLLING_RISES_US = 9,
	POLLING_FALLS_US = 1,
};

struct polling {
	bool adaptive; /* else it never sleeps */
	uint32_t spins, sleep_us;
	uint32_t late_us;
};

/* Before the first poll. */
static inline void polling_begin(struct polling *p, bool adaptive)
{
	*p = (struct polling){ .adaptive = adaptive, .late_us = POLLING_LATE_US };
}

static inline uint32_t polling_longest_us(const struct polling *p)
{
	return POLLING_MOST_US - POLLING_MARGIN_US - p->late_us;
}

/* After a poll that found so many frames: how many microseconds to sleep before the next one; 0: none. */
static inline uint32_t polling_next(struct polling *p, unsigned frames)
{
	uint32_t longest = polling_longest_us(p);

	if (frames || !p->adaptive) {
		p->spins = p->sleep_us = 0;
		return 0;
	}
	if (p->spins < POLLING_SPINS) {
		p->spins++;
		return 0;
	}
	p->sleep_us = p->sleep_us ? p->sleep_us * 2 : POLLING_SHORTEST_US;
	if (p->sleep_us > longest)
		p->sleep_us = longest;
	return p->sleep_us;
}

/* It has slept so long, as polling_next() said. */
static inline void polling_slept(struct polling *p, uint64_t took_us)
{
	if (took_us > (uint64_t)p->sleep_us + p->late_us)
		p->late_us += POLLING_RISES_US;
	else if (p->late_us >= POLLING_FALLS_US)
		p->late_us -= POLLING_FALLS_US;
	if (p->late_us > POLLING_LATE_US)
		p->late_us = POLLING_LATE_US;
}
