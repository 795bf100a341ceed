/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/store.h"
#include <errno.h>
#include <string.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* What a table's rows are to users: whether two of them look alike, and how a change of one is
 * told. */
typedef bool (*same_fn)(const void *a, const void *b);
typedef void (*tell_fn)(const void *row, struct host_change *change);

static int link_compare(const void *x, const void *y)
{
	const struct host_link_row *a = x, *b = y;

	return COMPARE(a->link.ifindex, b->link.ifindex);
}

static bool link_same(const void *x, const void *y)
{
	const struct host_link_row *a = x, *b = y;

	return !strcmp(a->link.name, b->link.name) && !memcmp(a->link.mac, b->link.mac, 6) &&
	       a->link.mtu == b->link.mtu && a->link.up == b->link.up &&
	       a->link.master == b->link.master && a->link.lower == b->link.lower &&
	       !strcmp(a->link.kind, b->link.kind) && a->link.vlan_id == b->link.vlan_id &&
	       a->link.vlan_protocol == b->link.vlan_protocol;
}

static void link_tell(const void *row, struct host_change *change)
{
	const struct host_link_row *r = row;

	change->kind = HOST_KIND_LINK;
	change->link = r->link;
}

static int address_compare(const void *x, const void *y)
{
	const struct host_address *a = x, *b = y;
	int order = addr_compare(&a->addr, &b->addr);

	if (!order)
		order = COMPARE(a->ifindex, b->ifindex);
	return order ? order : COMPARE(a->plen, b->plen);
}

/* All of an address is its key. */
static bool address_same(const void *x, const void *y)
{
	return !address_compare(x, y);
}

static void address_tell(const void *row, struct host_change *change)
{
	const struct host_address *a = row;

	change->kind = HOST_KIND_ADDRESS;
	change->address = *a;
}

static int nexthop_compare(const void *x, const void *y)
{
	const struct host_nexthop *a = x, *b = y;

	return COMPARE(a->id, b->id);
}

static int neighbour_compare(const void *x, const void *y)
{
	const struct host_neighbour *a = x, *b = y;
	int order = COMPARE(a->ifindex, b->ifindex);

	return order ? order : addr_compare(&a->addr, &b->addr);
}

static bool neighbour_same(const void *x, const void *y)
{
	const struct host_neighbour *a = x, *b = y;

	return a->state == b->state && !memcmp(a->mac, b->mac, 6);
}

static void neighbour_tell(const void *row, struct host_change *change)
{
	const struct host_neighbour *n = row;

	change->kind = HOST_KIND_NEIGHBOUR;
	change->neighbour = *n;
	if (change->gone)
		change->neighbour.state = HOST_NEIGHBOUR_NONE;
}

static bool route_same(const struct host_route *a, const struct host_route *b)
{
	return a->kind == b->kind && a->ifindex == b->ifindex &&
	       addr_equal(&a->gateway, &b->gateway);
}

void host_store_init(struct host_store *s)
{
	host_table_init(&s->links, sizeof(struct host_link_row), link_compare);
	host_table_init(&s->addresses, sizeof(struct host_address), address_compare);
	host_table_init(&s->nexthops, sizeof(struct host_nexthop), nexthop_compare);
	host_table_init(&s->neighbours, sizeof(struct host_neighbour), neighbour_compare);
	host_routes_init(&s->routes);
}

void host_store_fini(struct host_store *s)
{
	host_table_fini(&s->links);
	host_table_fini(&s->addresses);
	host_table_fini(&s->nexthops);
	host_table_fini(&s->neighbours);
	host_routes_fini(&s->routes);
}

static void add_nexthop(const struct host_store *s, uint32_t id, struct host_route_row *r)
{
	const struct host_nexthop key = { .id = id };
	const struct host_nexthop *n = host_table_find(&s->nexthops, &key);

	if (!n || n->n_members)
		return; /* groups do not nest */
	if (!n->blackhole) {
		host_route_add_hop(r, &n->hop);
	} else if (!r->usable) {
		r->usable = true;
		r->route.kind = HOST_ROUTE_DISCARD;
	}
}

/* Finds the next hops of a route that names a nexthop object only (the kernel's sysctl
 * nexthop_compat_mode is 0). */
static void resolve(const struct host_store *s, struct host_route_row *r)
{
	const struct host_nexthop key = { .id = r->nexthop };
	const struct host_nexthop *n = r->nexthop ? host_table_find(&s->nexthops, &key) : NULL;

	if (!n)
		return;
	add_nexthop(s, n->id, r);
	for (unsigned i = 0; i < n->n_members; i++)
		add_nexthop(s, n->members[i], r);
}

int host_store_load(struct host_store *s, const struct host_message *m)
{
	struct host_route_row route;

	switch (m->kind) {
	case HOST_KIND_LINK:
		return host_table_append(&s->links, &m->link);
	case HOST_KIND_ADDRESS:
		return host_table_append(&s->addresses, &m->address);
	case HOST_KIND_NEXTHOP:
		return host_table_put(&s->nexthops, &m->nexthop);
	case HOST_KIND_ROUTE:
		route = m->route;
		resolve(s, &route);
		return host_routes_append(&s->routes, &route);
	case HOST_KIND_NEIGHBOUR:
		return host_table_append(&s->neighbours, &m->neighbour);
	case HOST_KIND_COUNT:
		break;
	}
	return 0;
}

void host_store_loaded(struct host_store *s)
{
	host_table_sort(&s->links);
	host_table_sort(&s->addresses);
	host_table_sort(&s->neighbours);
	host_routes_sort(&s->routes);
}

/* Puts or removes a row and tells what users see of that. Returns 0 or -ENOMEM. */
static int follow_row(struct host_table *t, const void *row, same_fn same, tell_fn tell,
	struct host_change *change)
{
	const void *known = host_table_find(t, row);

	if (change->gone ? !known : known && same(known, row)) {
		/* Nothing that users see; but the row may hold more than that. */
		return known ? host_table_put(t, row) : 0;
	}
	tell(row, change);
	if (!change->gone)
		return host_table_put(t, row);
	host_table_remove(t, host_table_lower(t, row));
	return 0;
}

static int follow_link(struct host_store *s, const struct host_message *m, struct host_change *c)
{
	const struct host_link_row *known = host_table_find(&s->links, &m->link);
	bool silent = known && (m->gone || known->admin_up != m->link.admin_up ||
				       known->link.up != m->link.link.up);
	int err = follow_row(&s->links, &m->link, link_same, link_tell, c);

	return err ? err : silent ? -ESTALE : 0;
}

/* The kernel removes the IPv4 routes that prefer a deleted address as their source without a
 * word. */
static int follow_address(struct host_store *s, const struct host_message *m, struct host_change *c)
{
	int err = follow_row(&s->addresses, &m->address, address_same, address_tell, c);

	return err ? err : m->gone ? -ESTALE : 0;
}

/* What users see of a prefix went from one route to another; either may be NULL. */
static void route_change(
	const struct host_route *from, const struct host_route *to, struct host_change *c)
{
	if (!to && !from)
		return;
	if (to && from && route_same(from, to))
		return;
	c->kind = HOST_KIND_ROUTE;
	c->gone = !to;
	c->route = to ? *to : *from;
}

static int follow_route(struct host_store *s, const struct host_message *m, struct host_change *c)
{
	const struct addr *dst = &m->route.route.dst;
	uint8_t plen = m->route.route.plen;
	const struct host_route *best = host_routes_best(&s->routes, dst, plen);
	struct host_route before, *from = NULL;
	struct host_route_row row = m->route;
	int err;

	if (best) {
		before = *best;
		from = &before;
	}
	if (m->gone) {
		err = host_routes_remove(&s->routes, &row);
	} else {
		resolve(s, &row);
		err = host_routes_add(&s->routes, &row, m->replace);
	}
	route_change(from, host_routes_best(&s->routes, dst, plen), c);
	return err;
}

int host_store_follow(
	struct host_store *s, const struct host_message *m, struct host_change *change)
{
	*change = (struct host_change){ .kind = HOST_KIND_COUNT, .gone = m->gone };
	switch (m->kind) {
	case HOST_KIND_LINK:
		return follow_link(s, m, change);
	case HOST_KIND_ADDRESS:
		return follow_address(s, m, change);
	case HOST_KIND_NEXTHOP:
		return -ESTALE; /* the routes through it change too */
	case HOST_KIND_ROUTE:
		return follow_route(s, m, change);
	case HOST_KIND_NEIGHBOUR:
		return follow_row(
			&s->neighbours, &m->neighbour, neighbour_same, neighbour_tell, change);
	case HOST_KIND_COUNT:
		break;
	}
	return 0;
}

/* One pass over two tables, both in order. */
static void diff_tables(const struct host_table *from, const struct host_table *to, same_fn same,
	tell_fn tell, void (*fn)(void *arg, const struct host_change *change), void *arg)
{
	size_t i = 0, j = 0;

	while (i < from->n || j < to->n) {
		int order = i == from->n ? 1
			    : j == to->n
				    ? -1
				    : from->compare(host_table_row(from, i), host_table_row(to, j));
		const void *row = order < 0 ? host_table_row(from, i) : host_table_row(to, j);
		struct host_change change = { .gone = order < 0 };

		if (order || !same(host_table_row(from, i), row)) {
			tell(row, &change);
			fn(arg, &change);
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static void diff_routes(const struct host_routes *from, const struct host_routes *to,
	void (*fn)(void *arg, const struct host_change *change), void *arg)
{
	size_t i = 0, j = 0;
	const struct host_route *old = host_routes_next(from, &i);
	const struct host_route *new = host_routes_next(to, &j);

	while (old || new) {
		struct host_change change = { .kind = HOST_KIND_COUNT };
		int order = !old ? 1 : !new ? -1 : host_route_compare(old, new);

		route_change(order <= 0 ? old : NULL, order >= 0 ? new : NULL, &change);
		if (change.kind != HOST_KIND_COUNT)
			fn(arg, &change);
		if (order <= 0)
			old = host_routes_next(from, &i);
		if (order >= 0)
			new = host_routes_next(to, &j);
	}
}

void host_store_diff(const struct host_store *from, const struct host_store *to,
	void (*fn)(void *arg, const struct host_change *change), void *arg)
{
	diff_tables(&from->links, &to->links, link_same, link_tell, fn, arg);
	diff_tables(&from->addresses, &to->addresses, address_same, address_tell, fn, arg);
	diff_routes(&from->routes, &to->routes, fn, arg);
	diff_tables(&from->neighbours, &to->neighbours, neighbour_same, neighbour_tell, fn, arg);
}

const struct host_link *host_store_link(const struct host_store *s, uint32_t ifindex)
{
	const struct host_link_row key = { .link = { .ifindex = ifindex } };
	const struct host_link_row *row = host_table_find(&s->links, &key);

	return row ? &row->link : NULL;
}

const struct host_neighbour *host_store_neighbour(
	const struct host_store *s, uint32_t ifindex, const struct addr *addr)
{
	const struct host_neighbour key = { .ifindex = ifindex, .addr = *addr };

	return host_table_find(&s->neighbours, &key);
}

uint32_t host_store_owner(const struct host_store *s, const struct addr *addr)
{
	const struct host_address key = { .addr = *addr };
	size_t i = host_table_lower(&s->addresses, &key);
	const struct host_address *row = i < s->addresses.n ? host_table_row(&s->addresses, i)
							    : NULL;

	return row && addr_equal(&row->addr, addr) ? row->ifindex : 0;
}
