/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes and neighbours as the kernel has them, which may change at any time. */
#include <errno.h>
#include <string.h>
#include "controlplane/engine/body.h"

static int route_value(struct engine *en, const struct host_route *r, struct l4_route *v)
{
	uint32_t ifindex = engine_own_ifindex(en, r->ifindex);

	*v = (struct l4_route){ L4_ROUTE_DISCARD, 0, L4_NO_NEIGHBOUR, r->plen };
	if (r->kind == HOST_ROUTE_LOCAL)
		v->kind = L4_ROUTE_LOCAL;
	if (r->kind != HOST_ROUTE_UNICAST || !neighbours_has_port(en->neighbours, ifindex))
		return 0;
	v->ifindex = ifindex;
	v->kind = r->gateway.af ? L4_ROUTE_GATEWAY : L4_ROUTE_LINK;
	return r->gateway.af ? neighbours_get(en->neighbours, ifindex, &r->gateway, &v->neighbour)
			     : 0;
}

static int route_error(int rc, struct err *e)
{
	if (rc == -ENOSPC)
		return err_set(e, rc,
			"the engine's table of routes or neighbours is full; raise limits.routes or "
			"limits.neighbours and restart tandemd");
	return err_set(e, rc, "cannot enter a route: %s", strerror(-rc));
}

int engine_route(struct engine *en, const struct host_route *route, bool gone, struct err *e)
{
	struct l4_route was = { .neighbour = L4_NO_NEIGHBOUR }, is;
	int rc = gone ? 0 : route_value(en, route, &is);

	if (!rc)
		rc = en->body->route(en, &route->dst, route->plen, gone ? NULL : &is, &was);
	if (rc)
		return route_error(rc, e);
	if (!gone && is.neighbour != L4_NO_NEIGHBOUR)
		neighbours_route_get(en->neighbours, is.neighbour);
	if (was.neighbour != L4_NO_NEIGHBOUR)
		neighbours_route_put(en->neighbours, was.neighbour);
	return 0;
}

int engine_neighbour(struct engine *en, const struct host_neighbour *n, bool gone, struct err *e)
{
	bool usable = !gone && n->state != HOST_NEIGHBOUR_NONE;
	int rc = neighbours_learn(en->neighbours, engine_own_ifindex(en, n->ifindex), &n->addr,
		usable ? n->mac : NULL, true);

	if (rc == -ENOSPC)
		return err_set(e, rc,
			"the engine's table of neighbours is full; raise limits.neighbours and "
			"restart tandemd");
	return 0; /* of an interface that is not the engine's: none of its business */
}

void engine_inherit(struct engine *to, const struct engine *from)
{
	if (to->generation < from->generation)
		to->generation = from->generation;
	for (uint32_t i = 0; i < from->tables.n_neighbours; i++) {
		const struct l4_neighbour *r = &from->tables.neighbours[i];
		struct addr a = { .af = r->is6 ? 6 : 4 };

		memcpy(a.bytes, r->address, addr_size(&a));
		for (unsigned k = 0; r->usable && k < from->n_ports && k < to->n_ports; k++)
			if (from->ports[k].ifindex == r->ifindex)
				neighbours_inherit(
					to->neighbours, to->ports[k].ifindex, &a, r->mac);
	}
}

void engine_each_used_neighbour(struct engine *en,
	void (*fn)(void *arg, uint32_t ifindex, const struct addr *addr), void *arg)
{
	neighbours_sweep(en->neighbours, fn, arg);
}
