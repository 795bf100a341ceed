/* SPDX-License-Identifier: BSD-2-Clause */
/* How large the DPDK engine's tables are by the configuration's limits: for the program that makes them. */
#pragma once
#include "controlplane/conf/conf.h"
#include "dataplane/dpdk/store.h"
#include "dataplane/snapshot/sealed.h"

/* workers: 1 to STORE_MAX_WORKERS. *routes: how many there may be of each family. */
void dpdk_sizes(const struct conf_limits *limits, unsigned workers, struct store_sizes *tables,
	struct sealed_limits *generations, uint32_t *routes);
