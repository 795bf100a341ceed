/* SPDX-License-Identifier: BSD-2-Clause */
/* The clocks, read by callbacks of the loop only; everything below them takes the time as an argument. */
#pragma once
#include <stdint.h>
#include <time.h>
#include "dataplane/l4/record.h"

/* Milliseconds of CLOCK_MONOTONIC, as in health reports. */
static inline uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Coarse time as packets have it (dataplane/l4/record.h). */
static inline uint16_t clock_coarse(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint16_t)(((uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec) >>
			  L4_TIME_SHIFT);
}

/* Milliseconds of CLOCK_REALTIME. */
static inline int64_t clock_real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
