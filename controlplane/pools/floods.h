/* SPDX-License-Identifier: BSD-2-Clause */
/* Floods of SYNs as operators are told of them, and the connections that cookies began (dataplane/l4/flood.h, proxied.h), by
 * the stable ids of services. No clock, no engine: times and tables are arguments. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "dataplane/l4/flood.h"
#include "dataplane/l4/proxied.h"

/* In coarse time: a flood that comes back so soon has never been over. */
enum { FLOODS_QUIET = 10 };

struct floods;

struct floods_service {
	bool on;
	bool cookies;	     /* that were sent in it may still come back */
	int64_t since_ms;    /* CLOCK_REALTIME, when it was first looked at in this flood */
	uint64_t syns_per_s; /* that were answered with cookies, between the last two looks */
	uint32_t proxied; /* connections that cookies began, as the last whole sweep found them */
};

enum floods_news { FLOODS_NONE, FLOODS_BEGUN, FLOODS_OVER };

/* For ids below n. NULL when out of memory. */
struct floods *floods_new(uint32_t n);
void floods_free(struct floods *f);

/* A service's row as it is now. answered: how many SYNs of it were answered with cookies, ever; now: coarse time; now_ms:
 * CLOCK_REALTIME. To be called once a second or so. */
enum floods_news floods_look(struct floods *f, uint32_t id, struct l4_flood *row, uint64_t answered,
	uint16_t now, int64_t now_ms);

/* The number has another service now. */
void floods_forget(struct floods *f, uint32_t id);

/* NULL: there is no such id. */
const struct floods_service *floods_service(const struct floods *f, uint32_t id);

/* Makes it look again for connections that cookies began, of all services that have ever had any: what was known of them may be
 * of another table. */
void floods_doubt(struct l4_flood *rows, uint32_t n);

/* A sweep over the connections: begin, any number of parts of the engine's table, end. What is over is cleared on the way. At
 * its end packets are told of services that have none left (`ended`); the result is how many these are. Sweeps begin a second or
 * more after each other: a connection that was counted before the last one began has been written by now. */
void floods_sweep_begin(struct floods *f, const struct l4_flood *rows);
void floods_sweep_part(struct floods *f, struct l4_proxied *entries, uint32_t n, uint16_t now);
unsigned floods_sweep_end(struct floods *f, struct l4_flood *rows);
