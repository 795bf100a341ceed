/* SPDX-License-Identifier: BSD-2-Clause */
/* What sleeping takes by itself on this machine: a thread that does nothing else. */
#pragma once
#include <stdint.h>

/* Sleeps us microseconds (below a million) again and again for ms milliseconds, on a thread as a worker's. Returns how many percent of a
 * processor that takes, or a negative number if there is no thread. */
double naps_percent(uint32_t us, unsigned ms);
