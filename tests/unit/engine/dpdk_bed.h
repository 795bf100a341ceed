/* SPDX-License-Identifier: BSD-2-Clause */
/* The DPDK engine's body with a process that is none (fake_dpdk.h), and its tables in a directory of the test's own. */
#pragma once
#include "tests/unit/test.h"
#include "controlplane/engine/body.h"
#include "dataplane/dpdk/store.h"
#include "tests/unit/engine/fake_dpdk.h"

enum { BED_IFINDEX = 7, BED_POOLS = 3, BED_MEMBERS = 2, BED_NEIGHBOURS = 64, BED_SERVICES = 8 };

struct dpdk_bed {
	char dir[64]; /* RUN_DIR */
	struct fake_dpdk fake;
	struct store_sizes sizes;
	struct store store; /* as the engine maps it */
	struct conf_limits limits;
	unsigned wait_ms;
	uint32_t ifindex; /* of the interface that engines are opened with */
	struct engine *engine;
	struct event_base *base;
	bool adopted;
	struct err e;
	unsigned wanted, told;
	const struct snapshot_slots *slots; /* of the first pool; NULL: all are settled */
	struct addr last_wanted;
};

extern struct dpdk_bed bed;

/* For each test: the engine runs and has no generation. */
int bed_setup(void **state);
int bed_teardown(void **state);

/* The directory of tables and socket, when it has been removed. */
void bed_new_dir(void);

/* Closes the engine's tables and makes them of bed.sizes. */
void bed_new_store(void);

/* base NULL: without a loop. Returns as engine_open(). */
int bed_open(struct event_base *base);
void bed_close(void);

/* Publishes the first n of BED_POOLS pools, each with a service, of which the first member's weight is given, so that the
 * rings differ; list: how many prefixes the list of sources has. */
int bed_publish(unsigned pools, uint16_t weight, unsigned list);

void bed_route(uint8_t last, uint8_t router, bool gone);
void bed_neighbour(uint8_t last, bool gone);
/* The row of 10.0.0.LAST as packets would find it, by the bank given. */
uint32_t bed_find(uint32_t bank, uint8_t last);

/* Runs the loop until what is asked is there, a second at most. */
bool bed_loop_until(bool (*is_there)(void));
void bed_loop_ms(unsigned ms);

enum engine_state bed_state(void);
