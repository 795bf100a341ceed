/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/routes.h"
#include <errno.h>
#include <string.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

int host_route_compare(const struct host_route *a, const struct host_route *b)
{
	int order = COMPARE(a->dst.af, b->dst.af);

	if (!order)
		order = COMPARE(a->plen, b->plen);
	return order ? order : addr_compare(&a->dst, &b->dst);
}

/* Whether two rows have the same prefix, table and metric, which is all the kernel tells a route
 * by when it is replaced. */
static int key_compare(const struct host_route_row *a, const struct host_route_row *b)
{
	int order = host_route_compare(&a->route, &b->route);

	if (!order)
		order = COMPARE(a->in_main, b->in_main);
	return order ? order : COMPARE(a->metric, b->metric);
}

static int row_compare(const void *x, const void *y)
{
	const struct host_route_row *a = x, *b = y;
	int order = key_compare(a, b);

	return order ? order : COMPARE(a->order, b->order);
}

void host_routes_init(struct host_routes *r)
{
	*r = (struct host_routes){ .next_order = 1 };
	host_table_init(&r->table, sizeof(struct host_route_row), row_compare);
}

void host_routes_fini(struct host_routes *r)
{
	host_table_fini(&r->table);
}

static uint32_t *used(struct host_routes *r, const struct host_route *route)
{
	return &r->used[route->dst.af == 6][route->plen];
}

int host_routes_append(struct host_routes *r, const struct host_route_row *row)
{
	struct host_route_row copy = *row;

	copy.order = r->next_order++;
	if (host_table_append(&r->table, &copy))
		return -ENOMEM;
	++*used(r, &row->route);
	return 0;
}

void host_routes_sort(struct host_routes *r)
{
	host_table_sort(&r->table);
}

static struct host_route_row *row_at(const struct host_routes *r, size_t i)
{
	return host_table_row(&r->table, i);
}

/* IPv6 keeps on-link routes of one prefix and metric through several devices side by side
 * (fe80::/64); each is a route of its own. */
static bool is_apart(const struct host_route_row *a, const struct host_route_row *b)
{
	return a->route.dst.af == 6 && a->n_hops == 1 && b->n_hops == 1 && !a->first.gateway.af &&
	       !b->first.gateway.af && a->first.ifindex != b->first.ifindex;
}

/* How many rows are in question when a message speaks of row's prefix, table and metric; *at is
 * the place of the last of them. A route that replaces another may replace any. */
static unsigned count_rivals(
	const struct host_routes *r, const struct host_route_row *row, bool replace, size_t *at)
{
	struct host_route_row key = *row;
	unsigned n = 0;

	key.order = 0;
	for (size_t i = host_table_lower(&r->table, &key);
		i < r->table.n && !key_compare(row_at(r, i), row); i++) {
		if (!replace && is_apart(row_at(r, i), row))
			continue;
		*at = i;
		n++;
	}
	return n;
}

/* Whether a and b, of the same prefix, table and metric, are one route; whether its next hops
 * work does not count. */
static bool is_same(const struct host_route_row *a, const struct host_route_row *b)
{
	if (a->nexthop || b->nexthop)
		return a->nexthop == b->nexthop;
	return a->route.kind == b->route.kind && a->n_hops == b->n_hops &&
	       a->first.ifindex == b->first.ifindex &&
	       addr_equal(&a->first.gateway, &b->first.gateway);
}

int host_routes_add(struct host_routes *r, const struct host_route_row *row, bool replace)
{
	struct host_route_row copy = *row;
	size_t at = 0;
	unsigned rivals = count_rivals(r, row, replace, &at);

	if (rivals > 1 || (rivals && !replace && !is_same(row_at(r, at), row)))
		return -ESTALE;
	copy.order = rivals ? row_at(r, at)->order : r->next_order++;
	if (host_table_put(&r->table, &copy))
		return -ENOMEM;
	*used(r, &row->route) += !rivals;
	return 0;
}

int host_routes_remove(struct host_routes *r, const struct host_route_row *row)
{
	size_t at = 0;
	unsigned rivals = count_rivals(r, row, false, &at);

	if (!rivals)
		return 0;
	if (rivals > 1 || !is_same(row_at(r, at), row))
		return -ESTALE;
	host_table_remove(&r->table, at);
	--*used(r, &row->route);
	return 0;
}

const struct host_route *host_routes_best(
	const struct host_routes *r, const struct addr *dst, uint8_t plen)
{
	const struct host_route_row key = { .route = { .dst = *dst, .plen = plen } };

	for (size_t i = host_table_lower(&r->table, &key); i < r->table.n; i++) {
		const struct host_route_row *row = row_at(r, i);

		if (host_route_compare(&row->route, &key.route))
			break;
		if (row->usable)
			return &row->route;
	}
	return NULL;
}

const struct host_route *host_routes_lookup(const struct host_routes *r, const struct addr *dst)
{
	for (unsigned plen = 8 * (unsigned)addr_size(dst) + 1; plen-- > 0;) {
		const struct host_route *best;
		struct addr prefix = *dst;

		if (!r->used[dst->af == 6][plen])
			continue;
		host_addr_mask(&prefix, (uint8_t)plen);
		best = host_routes_best(r, &prefix, (uint8_t)plen);
		if (best)
			return best;
	}
	return NULL;
}

const struct host_route *host_routes_next(const struct host_routes *r, size_t *at)
{
	const struct host_route *best = NULL;

	for (; *at < r->table.n; ++*at) {
		const struct host_route_row *row = row_at(r, *at);

		if (best && host_route_compare(&row->route, best))
			break;
		if (!best && row->usable)
			best = &row->route;
	}
	return best;
}
