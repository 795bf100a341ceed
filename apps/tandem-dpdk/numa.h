/* SPDX-License-Identifier: BSD-2-Clause */
/* Cards and workers on different NUMA nodes: each packet then crosses from one to the other. */
#pragma once
#include "apps/tandem-dpdk/eal.h"

/* Calls tell with a sentence for each PCI port of the configuration that has workers on other nodes than its own, which
 * names these. Machines that do not tell of nodes have one. root: "" but in tests. */
void numa_check(const char *root, const struct conf *c, const struct eal_workers *w,
	void (*tell)(void *arg, const char *sentence), void *arg);
