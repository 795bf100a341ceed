/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's start for tests: memory of the process' own, and no devices but those that tests name. */
#pragma once
#include <rte_eal.h>

static inline int eal_begin(void)
{
	static char words[][24] = { "test", "--no-huge", "--no-shconf", "--no-pci",
		"--no-telemetry", "-m", "128", "--log-level=4" };
	char *args[sizeof words / sizeof *words];

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		args[i] = words[i];
	return rte_eal_init((int)(sizeof words / sizeof *words), args) < 0 ? -1 : 0;
}
