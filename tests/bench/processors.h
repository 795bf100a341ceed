/* SPDX-License-Identifier: BSD-2-Clause */
/* The processors that a benchmark's threads run on: the highest that this process may use, which interrupts find last. */
#pragma once
#include <pthread.h>
#include <stdbool.h>

/* Has a thread run on the last processor (number 0), the last but one, and so on. Returns false where there are not so many. */
bool processors_stay_on(pthread_attr_t *attr, unsigned number);

/* How many times the work of one the last two processors do together when they compute and touch no memory: 2 where each is a core of its
 * own. A single measurement of a millisecond or
 * two: take the median of many. Returns 0 where there are no two. */
double processors_pair(void);
