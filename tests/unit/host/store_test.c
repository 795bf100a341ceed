/* SPDX-License-Identifier: BSD-2-Clause */
/* A toy kernel holds plain lists and sends messages; a user sees only changes. Whatever happens,
 * what the user pieced together is what the kernel has. */
#include "controlplane/host/store.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

enum { ROUTES = 64, LINKS = 6, ADDRESSES = 8, NEIGHBOURS = 24 };

struct kernel {
	struct host_route_row routes[ROUTES]; /* in the kernel's order */
	unsigned n_routes;
	struct host_link_row links[LINKS + 1]; /* by ifindex; 0: none, 0 as its ifindex */
	bool addresses[ADDRESSES];
	struct host_neighbour neighbours[NEIGHBOURS];
	bool has_neighbour[NEIGHBOURS];
	unsigned seed;
};

/* What a user pieces together: at most one of everything that a test makes. */
struct view {
	struct host_route routes[ROUTES];
	unsigned n_routes;
	struct host_link links[LINKS + 1];
	bool addresses[ADDRESSES];
	struct host_neighbour neighbours[NEIGHBOURS];
	bool has_neighbour[NEIGHBOURS];
	unsigned changes;
};

static unsigned dice(struct kernel *k, unsigned n)
{
	return (unsigned)rand_r(&k->seed) % n;
}

static struct addr address(unsigned i)
{
	return (struct addr){ .af = 4, .bytes = { 192, 0, 2, (uint8_t)i } };
}

static struct host_message message(enum host_kind kind, bool gone)
{
	struct host_message m;

	memset(&m, 0, sizeof m);
	m.kind = kind;
	m.gone = gone;
	return m;
}

static bool same_key(const struct host_route_row *a, const struct host_route_row *b)
{
	return !host_route_compare(&a->route, &b->route) && a->in_main == b->in_main &&
	       a->metric == b->metric;
}

/* A route out of few, so that they meet: 4 prefixes, 2 metrics, 2 tables, 3 gateways. */
static struct host_route_row random_route(struct kernel *k)
{
	struct host_route_row r;
	struct host_hop hop = { 0 };

	memset(&r, 0, sizeof r);
	r.route.dst.af = dice(k, 2) ? 4 : 6;
	r.route.plen = (uint8_t)(8 * (1 + dice(k, 2)));
	r.route.dst.bytes[0] = 10;
	r.metric = dice(k, 2);
	r.in_main = dice(k, 4);
	hop.ifindex = 1 + dice(k, 3);
	hop.dead = !dice(k, 5);
	if (dice(k, 2)) {
		hop.gateway = address(dice(k, 3));
		hop.gateway.af = r.route.dst.af;
	}
	host_route_add_hop(&r, &hop);
	return r;
}

static void insert_route(struct kernel *k, unsigned at, const struct host_route_row *r)
{
	memmove(&k->routes[at + 1], &k->routes[at], (k->n_routes - at) * sizeof *r);
	k->routes[at] = *r;
	k->n_routes++;
}

static void delete_route(struct kernel *k, unsigned at)
{
	k->n_routes--;
	memmove(&k->routes[at], &k->routes[at + 1], (k->n_routes - at) * sizeof *k->routes);
}

/* Adds a route before or behind its equals, or in the place of the first of them, as ip-route(8)
 * does with `prepend`, `append` and `replace`. Equal twins are refused. Returns whether there is
 * a message. */
static bool change_route(struct kernel *k, struct host_message *m)
{
	struct host_route_row r = random_route(k);
	unsigned first = k->n_routes, end = k->n_routes, how = dice(k, 3);

	for (unsigned i = 0; i < k->n_routes; i++) {
		if (!same_key(&k->routes[i], &r))
			continue;
		if (k->routes[i].route.ifindex == r.route.ifindex ||
			k->routes[i].first.ifindex == r.first.ifindex)
			return false;
		first = first < i ? first : i;
		end = i + 1;
	}
	*m = message(HOST_KIND_ROUTE, false);
	m->route = r;
	if (how == 0 && first < k->n_routes) {
		m->replace = true;
		k->routes[first] = r;
		return true;
	}
	if (k->n_routes == ROUTES)
		return false;
	/* IPv6 knows no prepending. */
	insert_route(k, how == 1 && r.route.dst.af == 4 ? first : end, &r);
	return true;
}

static bool remove_route(struct kernel *k, struct host_message *m)
{
	unsigned i;

	if (!k->n_routes)
		return false;
	i = dice(k, k->n_routes);
	*m = message(HOST_KIND_ROUTE, true);
	m->route = k->routes[i];
	delete_route(k, i);
	return true;
}

/* Links that go down take their IPv4 routes and their neighbours along, here in silence. */
static bool change_link(struct kernel *k, struct host_message *m)
{
	uint32_t ifindex = 1 + dice(k, LINKS);
	struct host_link_row *l = &k->links[ifindex];
	bool was_up = l->admin_up;

	*m = message(HOST_KIND_LINK, l->link.ifindex && !dice(k, 4));
	if (m->gone) {
		m->link = *l;
		memset(l, 0, sizeof *l);
	} else {
		l->link.ifindex = ifindex;
		memcpy(l->link.name, dice(k, 2) ? "eth" : "lan", 4);
		l->link.mtu = 1500 - dice(k, 2);
		l->admin_up = dice(k, 3);
		l->link.up = l->admin_up && dice(k, 3);
		m->link = *l;
	}
	for (unsigned i = 0; was_up && !l->admin_up && i < k->n_routes;) {
		if (k->routes[i].route.dst.af == 4 && k->routes[i].first.ifindex == ifindex)
			delete_route(k, i);
		else
			i++;
	}
	for (unsigned i = 0; was_up && !l->admin_up && i < NEIGHBOURS; i++)
		if (k->neighbours[i].ifindex == ifindex)
			k->has_neighbour[i] = false;
	return true;
}

static bool change_address(struct kernel *k, struct host_message *m)
{
	unsigned i = dice(k, ADDRESSES);

	*m = message(HOST_KIND_ADDRESS, k->addresses[i] && dice(k, 2));
	m->address = (struct host_address){ 3, address(i), 24 };
	k->addresses[i] = !m->gone;
	return true;
}

static bool change_neighbour(struct kernel *k, struct host_message *m)
{
	unsigned i = dice(k, NEIGHBOURS);
	struct host_neighbour *n = &k->neighbours[i];

	*m = message(HOST_KIND_NEIGHBOUR, k->has_neighbour[i] && !dice(k, 3));
	n->ifindex = 1 + i % 2;
	n->addr = address(i / 2);
	n->mac[5] = (uint8_t)dice(k, 2);
	n->state = (enum host_neighbour_state)dice(k, 3);
	m->neighbour = *n;
	if (m->gone)
		m->neighbour.state = HOST_NEIGHBOUR_NONE;
	k->has_neighbour[i] = !m->gone;
	return true;
}

static void load_message(struct host_store *s, const struct host_message *m)
{
	assert_int_equal(host_store_load(s, m), 0);
}

static void dump(const struct kernel *k, struct host_store *s)
{
	struct host_message m;

	host_store_init(s);
	for (unsigned i = 0; i < k->n_routes; i++) {
		m = message(HOST_KIND_ROUTE, false);
		m.route = k->routes[i];
		load_message(s, &m);
	}
	for (unsigned i = LINKS; i > 0; i--) {
		m = message(HOST_KIND_LINK, false);
		m.link = k->links[i];
		if (m.link.link.ifindex)
			load_message(s, &m);
	}
	for (unsigned i = 0; i < ADDRESSES; i++) {
		m = message(HOST_KIND_ADDRESS, false);
		m.address = (struct host_address){ 3, address(i), 24 };
		if (k->addresses[i])
			load_message(s, &m);
	}
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		m = message(HOST_KIND_NEIGHBOUR, false);
		m.neighbour = k->neighbours[i];
		if (k->has_neighbour[i])
			load_message(s, &m);
	}
	host_store_loaded(s);
}

static void see_route(struct view *v, const struct host_change *c)
{
	unsigned i = 0;

	while (i < v->n_routes && host_route_compare(&v->routes[i], &c->route))
		i++;
	if (c->gone) {
		assert_true(i < v->n_routes); /* nothing goes that had not come */
		v->routes[i] = v->routes[--v->n_routes];
		return;
	}
	v->routes[i] = c->route;
	v->n_routes += i == v->n_routes;
}

static void see(void *arg, const struct host_change *c)
{
	struct view *v = arg;
	unsigned i;

	v->changes++;
	switch (c->kind) {
	case HOST_KIND_ROUTE:
		see_route(v, c);
		break;
	case HOST_KIND_LINK:
		v->links[c->link.ifindex] = c->gone ? (struct host_link){ 0 } : c->link;
		break;
	case HOST_KIND_ADDRESS:
		v->addresses[c->address.addr.bytes[3]] = !c->gone;
		break;
	case HOST_KIND_NEIGHBOUR:
		i = 2u * c->neighbour.addr.bytes[3] + c->neighbour.ifindex - 1;
		v->neighbours[i] = c->neighbour;
		v->has_neighbour[i] = !c->gone;
		assert_true(!c->gone || c->neighbour.state == HOST_NEIGHBOUR_NONE);
		break;
	case HOST_KIND_NEXTHOP:
	case HOST_KIND_COUNT:
		fail();
	}
}

/* The best route of r's prefix in the kernel's list: the table local first, then the metric,
 * then the order. */
static const struct host_route *best(const struct kernel *k, const struct host_route *r)
{
	const struct host_route_row *found = NULL;

	for (unsigned i = 0; i < k->n_routes; i++) {
		const struct host_route_row *c = &k->routes[i];

		if (host_route_compare(&c->route, r) || !c->usable)
			continue;
		if (!found || c->in_main < found->in_main ||
			(c->in_main == found->in_main && c->metric < found->metric))
			found = c;
	}
	return found ? &found->route : NULL;
}

static const struct host_route *seen_route(const struct view *v, const struct host_route *r)
{
	for (unsigned i = 0; i < v->n_routes; i++)
		if (!host_route_compare(&v->routes[i], r))
			return &v->routes[i];
	return NULL;
}

static void routes_agree(const struct kernel *k, const struct view *v)
{
	for (unsigned i = 0; i < k->n_routes; i++) {
		const struct host_route *has = best(k, &k->routes[i].route);
		const struct host_route *sees = seen_route(v, &k->routes[i].route);

		assert_int_equal(has == NULL, sees == NULL);
		if (!has)
			continue;
		assert_int_equal(has->ifindex, sees->ifindex);
		assert_int_equal(has->kind, sees->kind);
		assert_true(addr_equal(&has->gateway, &sees->gateway));
	}
	for (unsigned i = 0; i < v->n_routes; i++)
		assert_non_null(best(k, &v->routes[i]));
}

static void agree(const struct kernel *k, const struct view *v, const struct host_store *s)
{
	routes_agree(k, v);
	for (uint32_t i = 1; i <= LINKS; i++) {
		const struct host_link *has = &k->links[i].link, *sees = &v->links[i];

		assert_int_equal(has->ifindex, sees->ifindex);
		assert_string_equal(has->name, sees->name);
		assert_true(has->mtu == sees->mtu && has->up == sees->up);
		assert_int_equal(host_store_link(s, i) != NULL, has->ifindex != 0);
	}
	for (unsigned i = 0; i < ADDRESSES; i++) {
		struct addr a = address(i);

		assert_int_equal(k->addresses[i], v->addresses[i]);
		assert_int_equal(host_store_owner(s, &a), k->addresses[i] ? 3 : 0);
	}
	for (unsigned i = 0; i < NEIGHBOURS; i++) {
		const struct host_neighbour *has = &k->neighbours[i], *sees = &v->neighbours[i];

		assert_int_equal(k->has_neighbour[i], v->has_neighbour[i]);
		if (k->has_neighbour[i])
			assert_true(has->state == sees->state && has->mac[5] == sees->mac[5]);
		assert_int_equal(host_store_neighbour(s, has->ifindex, &has->addr) != NULL,
			k->has_neighbour[i]);
	}
}

static void what_a_user_sees_is_what_the_kernel_has(void **state)
{
	static bool (*const changes[])(struct kernel *, struct host_message *) = { change_route,
		change_route, remove_route, change_link, change_address, change_neighbour };
	struct kernel k = { .seed = 11 };
	struct view v = { 0 };
	struct host_store s, fresh;
	unsigned reloads = 0;

	(void)state;
	dump(&k, &s);
	for (unsigned step = 0; step < 30000; step++) {
		struct host_change change;
		struct host_message m;
		int err;

		if (!changes[dice(&k, sizeof changes / sizeof *changes)](&k, &m))
			continue;
		err = host_store_follow(&s, &m, &change);
		if (change.kind != HOST_KIND_COUNT)
			see(&v, &change);
		if (err) {
			assert_int_equal(err, -ESTALE);
			dump(&k, &fresh);
			host_store_diff(&s, &fresh, see, &v);
			host_store_fini(&s);
			s = fresh;
			reloads++;
		}
		agree(&k, &v, &s);
	}
	host_store_fini(&s);
	assert_in_range(reloads, 1000, 20000);
	assert_true(v.changes > 10000);
}

static void news_that_are_none_are_not_told(void **state)
{
	struct host_message m = message(HOST_KIND_NEIGHBOUR, false);
	struct host_change c;
	struct host_store s;

	(void)state;
	host_store_init(&s);
	m.neighbour = (struct host_neighbour){
		.ifindex = 1, .addr = address(1), .state = HOST_NEIGHBOUR_STALE
	};
	assert_int_equal(host_store_follow(&s, &m, &c), 0);
	assert_int_equal(c.kind, HOST_KIND_NEIGHBOUR);
	assert_int_equal(host_store_follow(&s, &m, &c), 0);
	assert_int_equal(c.kind, HOST_KIND_COUNT);
	m.gone = true;
	assert_int_equal(host_store_follow(&s, &m, &c), 0);
	assert_int_equal(c.kind, HOST_KIND_NEIGHBOUR);
	assert_int_equal(host_store_follow(&s, &m, &c), 0);
	assert_int_equal(c.kind, HOST_KIND_COUNT);
	host_store_fini(&s);
}

/* A link's carrier and its administrative state are one word to users, but not to its routes. */
static void a_link_that_goes_down_unseen_makes_the_store_stale(void **state)
{
	struct host_message m = message(HOST_KIND_LINK, false);
	struct host_change c;
	struct host_store s;

	(void)state;
	host_store_init(&s);
	m.link = (struct host_link_row){ .link = { .ifindex = 1, .name = "eth0" },
		.admin_up = true };
	assert_int_equal(host_store_follow(&s, &m, &c), 0); /* new: it has no routes yet */
	m.link.admin_up = false;
	assert_int_equal(host_store_follow(&s, &m, &c), -ESTALE);
	assert_int_equal(c.kind, HOST_KIND_COUNT);
	assert_int_equal(host_store_follow(&s, &m, &c), 0); /* it is known now */
	m.link.admin_up = m.link.link.up = true;
	assert_int_equal(host_store_follow(&s, &m, &c), -ESTALE);
	m.link.link.up = false; /* the carrier alone */
	assert_int_equal(host_store_follow(&s, &m, &c), -ESTALE);
	m.link.link.mtu = 9000;
	assert_int_equal(host_store_follow(&s, &m, &c), 0);
	host_store_fini(&s);
}

static void load_nexthop(struct host_store *s, const struct host_nexthop *n)
{
	struct host_message m = message(HOST_KIND_NEXTHOP, false);

	m.nexthop = *n;
	load_message(s, &m);
}

static void a_new_route_is_resolved_too(void **state)
{
	const struct host_nexthop n = { .id = 3, .hop = { .ifindex = 13 } };
	struct host_message m = message(HOST_KIND_ROUTE, false);
	struct host_change c;
	struct host_store s;

	(void)state;
	host_store_init(&s);
	load_nexthop(&s, &n);
	host_store_loaded(&s);
	m.route.route.dst = address(0);
	m.route.route.plen = 24;
	m.route.nexthop = 3;
	assert_int_equal(host_store_follow(&s, &m, &c), 0);
	assert_int_equal(c.kind, HOST_KIND_ROUTE);
	assert_int_equal(c.route.ifindex, 13);
	m.gone = true;
	assert_int_equal(host_store_follow(&s, &m, &c), 0);
	assert_true(c.gone);
	host_store_fini(&s);
}

/* Loads the route 192.0.2.0/24 by an id and returns what users see of it. */
static const struct host_route *route_by(struct host_store *s, uint32_t id)
{
	struct host_message m = message(HOST_KIND_ROUTE, false);
	struct addr dst = address(1);

	m.route.route.dst = address(0);
	m.route.route.plen = 24;
	m.route.nexthop = id;
	load_message(s, &m);
	host_store_loaded(s);
	return host_routes_lookup(&s->routes, &dst);
}

static void nexthop_objects_are_resolved(void **state)
{
	static const struct host_nexthop objects[] = {
		{ .id = 1, .hop = { .ifindex = 11, .dead = true } },
		{ .id = 2, .hop = { .ifindex = 12, .linkdown = true } },
		{ .id = 3, .hop = { .ifindex = 13 } },
		{ .id = 4, .blackhole = true },
		{ .id = 10, .n_members = 3, .members = { 1, 2, 3 } },
		{ .id = 11, .n_members = 2, .members = { 1, 2 } },
		{ .id = 12, .n_members = 2, .members = { 1, 99 } },
		{ .id = 13, .n_members = 2, .members = { 10, 12 } },
		{ .id = 14, .n_members = 1, .members = { 4 } },
		{ .id = 15, .n_members = 2, .members = { 3, 4 } },
	};
	static const struct {
		uint32_t id, ifindex; /* ifindex 0: discard */
		bool found;
	} cases[] = {
		{ 1, 0, false },
		{ 2, 12, true },
		{ 3, 13, true },
		{ 4, 0, true },
		{ 10, 13, true },
		{ 11, 12, true },
		{ 12, 0, false },
		{ 13, 0, false },
		{ 14, 0, true },
		{ 15, 13, true },
		{ 99, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct host_route *r;
		struct host_store s;

		host_store_init(&s);
		for (size_t j = 0; j < sizeof objects / sizeof *objects; j++)
			load_nexthop(&s, &objects[j]);
		r = route_by(&s, cases[i].id);
		assert_int_equal(r != NULL, cases[i].found);
		if (r) {
			assert_int_equal(r->ifindex, cases[i].ifindex);
			assert_int_equal(r->kind == HOST_ROUTE_DISCARD, !cases[i].ifindex);
		}
		host_store_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_user_sees_is_what_the_kernel_has),
		cmocka_unit_test(news_that_are_none_are_not_told),
		cmocka_unit_test(a_link_that_goes_down_unseen_makes_the_store_stale),
		cmocka_unit_test(nexthop_objects_are_resolved),
		cmocka_unit_test(a_new_route_is_resolved_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
