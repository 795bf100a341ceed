/* SPDX-License-Identifier: BSD-2-Clause */
/* A mirror of a private network namespace, and what it reported. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "controlplane/host/host.h"

struct lab {
	struct event_base *base;
	struct host *host;
	unsigned resyncs;
	/* What was last reported of each kind, and how often. */
	struct host_link link;
	struct host_address address;
	struct host_route route;
	struct host_neighbour neighbour;
	bool link_gone, address_gone, route_gone, neighbour_gone;
	unsigned links, addresses, routes, neighbours;
	/* The last report of the route to this very prefix. */
	struct addr watched;
	uint8_t watched_plen;
	struct host_route watched_route;
	bool watched_gone;
};

/* cmocka fixtures: a namespace of the test program's own, once; a fresh namespace and a mirror
 * of it, per test. Fail without the right to make one. */
int lab_setup(void **state);
int lab_teardown(void **state);

/* Runs commands, one a line, in the namespace; all must succeed. */
void lab_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Makes a veth pair a-b in the namespace, both ends up. */
void lab_veth(const char *a, const char *b);

/* Lets the mirror's loop run until the condition holds; fails when that takes seconds. */
#define lab_until(l, condition)                                      \
	do {                                                         \
		lab_wait_begin(l);                                   \
		while (!(condition))                                 \
			lab_wait(l, #condition, __FILE__, __LINE__); \
	} while (0)
void lab_wait_begin(struct lab *l);
void lab_wait(struct lab *l, const char *condition, const char *file, int line);

/* Lets the loop run until nothing more is heard. */
void lab_settle(struct lab *l);

struct addr lab_addr(const char *text);
uint32_t lab_ifindex(const struct lab *l, const char *name); /* 0: no such link */

/* The way to an address in words: "DEVICE", "DEVICE via GATEWAY", "local", "discard", "none".
 * The text is good until the next call. */
const char *lab_way(const struct lab *l, const char *dst);

/* The same of exactly this prefix. */
const char *lab_route(const struct lab *l, const char *prefix);
