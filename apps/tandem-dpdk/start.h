/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's own start. */
#pragma once
#include "apps/tandem-dpdk/eal.h"

/* Starts it once in a process, with a thread for each worker, lcore EAL_WORKER(0) and up; the calling thread is lcore
 * EAL_MAIN. run_dir: this instance's. Returns how many workers, or a negative errno and a sentence. */
int start_eal(const struct conf *c, const char *run_dir, struct err *e);
