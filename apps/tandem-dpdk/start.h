/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's own start. */
#pragma once
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"

/* Starts it once in a process, with a thread for each worker, lcore 1 and up; the calling thread is lcore 0 and keeps its CPUs. Returns how
 * many workers, or a negative errno and a sentence. */
int start_eal(const struct conf *c, struct err *e);
