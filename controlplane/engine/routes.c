/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes and neighbours as the kernel has them, which may change at any time. */
#include <errno.h>
#include <string.h>
#include "controlplane/engine/body.h"

static int route_value(struct engine *en, const struct host_route *r, struct l4_route *v)
{
	*v = (struct l4_route){ L4_ROUTE_DISCARD, 0, L4_NO_NEIGHBOUR, r->plen };
	if (r->kind == HOST_ROUTE_LOCAL)
		v->kind = L4_ROUTE_LOCAL;
	if (r->kind != HOST_ROUTE_UNICAST || !neighbours_has_port(en->neighbours, r->ifindex))
		return 0;
	v->ifindex = r->ifindex;
	v->kind = r->gateway.af ? L4_ROUTE_GATEWAY : L4_ROUTE_LINK;
	return r->gateway.af
		       ? neighbours_get(en->neighbours, r->ifindex, &r->gateway, &v->neighbour)
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
	int rc = neighbours_learn(
		en->neighbours, n->ifindex, &n->addr, usable ? n->mac : NULL, true);

	if (rc == -ENOSPC)
		return err_set(e, rc,
			"the engine's table of neighbours is full; raise limits.neighbours and "
			"restart tandemd");
	return 0; /* of an interface that is not the engine's: none of its business */
}

void engine_each_used_neighbour(struct engine *en,
	void (*fn)(void *arg, uint32_t ifindex, const struct addr *addr), void *arg)
{
	neighbours_sweep(en->neighbours, fn, arg);
}
