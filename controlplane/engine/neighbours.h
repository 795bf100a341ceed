/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the engine's neighbour table: who has which, and when one is free again.
 *
 * A row belongs to one (interface, address). It lives while the kernel knows the neighbour, a published
 * generation's server or a route's gateway goes by it. Rows are reused in the order in which they came
 * free, so that a packet that has just read a row's number does not find another neighbour in it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/addr.h"
#include "dataplane/l4/tables.h"

struct neighbours;

/* Where packets find the row of an address, kept by the engine. */
struct neighbours_index {
	/* The row has been filled. Other than 0: no room; then it is not removed. */
	int (*set)(void *arg, const struct l4_neighbour_key *key, uint32_t row);
	/* The row is still filled, and only then given to another. */
	void (*remove)(void *arg, const struct l4_neighbour_key *key, uint32_t row);
};

/* rows: the table as engines read it, zeroed. index: is told of every row that is taken, and when it is free again. */
int neighbours_new(struct neighbours **out, struct l4_neighbour *rows, uint32_t n,
	const struct neighbours_index *index, void *arg);
void neighbours_free(struct neighbours *t);

/* Interfaces that packets leave by; rows of others are neither made nor kept. Rewrites source MAC, MTU, device and
 * tags in the rows of those that changed. */
struct neighbour_port {
	uint32_t ifindex;
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t device; /* that frames leave by, with these tags (l4_tag()) */
	uint32_t tags[L4_MAX_TAGS];
};
int neighbours_set_ports(struct neighbours *t, const struct neighbour_port *ports, unsigned n);
bool neighbours_has_port(const struct neighbours *t, uint32_t ifindex);

/* The row of a next hop, made when there is none. Returns 0, -ENOSPC, or -ENODEV when the interface is no port. */
int neighbours_get(struct neighbours *t, uint32_t ifindex, const struct addr *a, uint32_t *row);

/* The same for one who may have got it before: *row, which may be any number, is tried before all others. */
int neighbours_get_again(
	struct neighbours *t, uint32_t ifindex, const struct addr *a, uint32_t *row);

/* What the kernel (or, with confirmed false, a former process' table) says of a neighbour. mac NULL: it is
 * not to be used. Returns as neighbours_get(). */
int neighbours_learn(struct neighbours *t, uint32_t ifindex, const struct addr *a,
	const uint8_t *mac, bool confirmed);

/* What another engine's table says of it, whose packets are ours now: it stays until packets have not used it from one sweep to the next,
 * or the kernel knows better. Returns as neighbours_get(). */
int neighbours_inherit(
	struct neighbours *t, uint32_t ifindex, const struct addr *a, const uint8_t *mac);

/* Counts users of a row: routes by get and put, the servers of a generation by a mark. A generation is made up
 * by neighbours_mark() calls and becomes the live one by neighbours_settle(published). */
void neighbours_route_get(struct neighbours *t, uint32_t row);
void neighbours_route_put(struct neighbours *t, uint32_t row);
void neighbours_mark(struct neighbours *t, uint32_t row);
void neighbours_settle(struct neighbours *t, bool published);

/* Calls fn for every neighbour that packets used since the last call; frees inherited rows that neither packets
 * nor the kernel asked for in between. */
void neighbours_sweep(struct neighbours *t,
	void (*fn)(void *arg, uint32_t ifindex, const struct addr *a), void *arg);
