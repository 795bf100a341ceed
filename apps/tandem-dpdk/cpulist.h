/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of CPUs as the kernel and DPDK write them: "0-1,6". */
#pragma once
#include <sched.h>

#define CPULIST_TEXT 4096 /* for every other one of CPU_SETSIZE CPUs */

/* Reads text, up to its end or a newline, into *out. Returns 0, or -EINVAL. An empty text is an empty set. */
int cpulist_parse(const char *text, cpu_set_t *out);

/* Writes the set to buf and returns it. */
const char *cpulist_text(const cpu_set_t *set, char buf[CPULIST_TEXT]);
