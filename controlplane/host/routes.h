/* SPDX-License-Identifier: BSD-2-Clause */
/* The routes of the tables main and local, best first within each prefix: the table local before
 * main (the kernel's order for equal prefixes), then by metric, then in the kernel's order.
 * Pure. */
#pragma once
#include "controlplane/host/message.h"
#include "controlplane/host/table.h"

enum { HOST_PREFIX_LENGTHS = 129 };

struct host_routes {
	struct host_table table;	       /* of struct host_route_row */
	uint32_t used[2][HOST_PREFIX_LENGTHS]; /* rows per prefix length, of IPv4 and of IPv6 */
	uint64_t next_order;
};

void host_routes_init(struct host_routes *r);
void host_routes_fini(struct host_routes *r);

/* For a dump: rows in the kernel's order, then sort. Append returns 0 or -ENOMEM. */
int host_routes_append(struct host_routes *r, const struct host_route_row *row);
void host_routes_sort(struct host_routes *r);

/* Follow one message. Return 0; -ENOMEM; or -ESTALE and no change when the message cannot be
 * placed for certain among routes of the same prefix, table and metric: then the routes are to
 * be dumped again. */
int host_routes_add(struct host_routes *r, const struct host_route_row *row, bool replace);
int host_routes_remove(struct host_routes *r, const struct host_route_row *row);

/* The best usable route of exactly this prefix, or NULL. */
const struct host_route *host_routes_best(
	const struct host_routes *r, const struct addr *dst, uint8_t plen);

/* The best usable route of the longest prefix that holds dst, or NULL. */
const struct host_route *host_routes_lookup(const struct host_routes *r, const struct addr *dst);

/* For a walk over the best of each prefix: that of the first prefix with a usable route at or
 * after place *at, which moves behind the prefix; NULL at the end. */
const struct host_route *host_routes_next(const struct host_routes *r, size_t *at);

/* Orders by family, prefix length and prefix. */
int host_route_compare(const struct host_route *a, const struct host_route *b);
