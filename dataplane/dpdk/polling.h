/* SPDX-License-Identifier: BSD-2-Clause */
/* When a worker that finds nothing to do sleeps, and for how long. Pure.
 *
 * It goes on polling for a while, since what comes next may come soon; then it sleeps, each time twice as long as before, so that the first
 * frame after a short pause waits for less than that pause was. A host's timers wake it later than asked: the longest sleep and that are
 * less than 500 us together. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum {
	POLLING_SPINS = 256, /* polls in a row that find nothing, before it sleeps */
	POLLING_SHORTEST_US = 20,
	POLLING_LONGEST_US = 400,
};

struct polling {
	bool adaptive; /* else it never sleeps */
	uint32_t spins, sleep_us;
};

/* After a poll that found so many frames: how many microseconds to sleep before the next one; 0: none. */
static inline uint32_t polling_next(struct polling *p, unsigned frames)
{
	if (frames || !p->adaptive) {
		p->spins = p->sleep_us = 0;
		return 0;
	}
	if (p->spins < POLLING_SPINS) {
		p->spins++;
		return 0;
	}
	p->sleep_us = p->sleep_us ? p->sleep_us * 2 : POLLING_SHORTEST_US;
	if (p->sleep_us > POLLING_LONGEST_US)
		p->sleep_us = POLLING_LONGEST_US;
	return p->sleep_us;
}
