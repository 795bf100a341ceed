/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/engine/dpdk_sizes.h"
#include "bpf/loader.h"
#include "controlplane/engine/body.h"

static uint32_t at_least(uint32_t n, uint32_t least)
{
	return n < least ? least : n;
}

void dpdk_sizes(const struct conf_limits *limits, unsigned workers, struct store_sizes *tables,
	struct sealed_limits *generations, uint32_t *routes)
{
	*tables = (struct store_sizes){
		.vips = limits->vips,
		.services = limits->services,
		.servers = limits->servers,
		.neighbours = limits->neighbours,
		.records = at_least(limits->records, LOADER_MIN_RECORDS),
		.sources = at_least(limits->guard_sources, LOADER_MIN_SOURCES),
		.datagrams = at_least(limits->datagrams, LOADER_MIN_DATAGRAMS),
		.proxied = at_least(limits->syn_proxied, LOADER_MIN_PROXIED),
		.workers = workers,
	};
	generations->lines = engine_image_lines(limits);
	generations->chunks = ring_store_chunks(limits->ring_slots);
	generations->guard = guard_store_lines(limits->guard_prefixes);
	*routes = limits->routes;
}
