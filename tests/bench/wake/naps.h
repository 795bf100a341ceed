/* SPDX-License-Identifier: BSD-2-Clause */
/* What sleeping takes by itself on this machine: a thread that does nothing else. */
#pragma once
#include <pthread.h>
#include <stdint.h>

/* Has a thread run on the highest processor that this process may use, which interrupts find last. */
void naps_stay_on_last(pthread_attr_t *attr);

/* Sleeps us microseconds (below a million) again and again for ms milliseconds, on a thread as a worker's. Returns how many percent of a
 * processor that takes, or a negative number if there is no thread. */
double naps_percent(uint32_t us, unsigned ms);
