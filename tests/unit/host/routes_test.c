/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/routes.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

/* A usable unicast route in the table main; its way is told by the interface. */
static struct host_route_row route(const char *prefix, uint32_t metric, uint32_t ifindex)
{
	struct host_route_row r = { .in_main = true, .metric = metric };
	struct host_hop hop = { .ifindex = ifindex };

	assert_int_equal(addr_parse_prefix(prefix, &r.route.dst, &r.route.plen), 0);
	host_addr_mask(&r.route.dst, r.route.plen);
	host_route_add_hop(&r, &hop);
	return r;
}

static struct host_route_row via(struct host_route_row r, const char *gateway)
{
	assert_int_equal(addr_parse(gateway, &r.route.gateway), 0);
	r.first.gateway = r.route.gateway;
	return r;
}

static int add(struct host_routes *t, struct host_route_row r)
{
	return host_routes_add(t, &r, false);
}

static int replace(struct host_routes *t, struct host_route_row r)
{
	return host_routes_add(t, &r, true);
}

static int drop(struct host_routes *t, struct host_route_row r)
{
	return host_routes_remove(t, &r);
}

/* The interface that packets to an address leave by; 0: no route. */
static uint32_t way(const struct host_routes *t, const char *dst)
{
	const struct host_route *r;
	struct addr a;

	assert_int_equal(addr_parse(dst, &a), 0);
	r = host_routes_lookup(t, &a);
	return r ? r->ifindex : 0;
}

static int setup(void **state)
{
	static struct host_routes t;

	host_routes_init(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	host_routes_fini(*state);
	return 0;
}

static void longer_prefixes_win(void **state)
{
	struct host_routes *t = *state;

	assert_int_equal(way(t, "192.0.2.1"), 0);
	assert_int_equal(add(t, route("0.0.0.0/0", 0, 1)), 0);
	assert_int_equal(add(t, route("192.0.2.0/24", 0, 2)), 0);
	assert_int_equal(add(t, route("192.0.2.1/32", 0, 3)), 0);
	assert_int_equal(add(t, route("::/0", 0, 4)), 0);
	assert_int_equal(add(t, route("2001:db8::/33", 0, 5)), 0);
	assert_int_equal(add(t, route("2001:db8::1/128", 0, 6)), 0);
	assert_int_equal(way(t, "192.0.3.1"), 1);
	assert_int_equal(way(t, "192.0.2.2"), 2);
	assert_int_equal(way(t, "192.0.2.1"), 3);
	assert_int_equal(way(t, "2001:db8:8000::1"), 4);
	assert_int_equal(way(t, "2001:db8:7fff::1"), 5);
	assert_int_equal(way(t, "2001:db8::1"), 6);
	assert_int_equal(drop(t, route("192.0.2.1/32", 0, 3)), 0);
	assert_int_equal(way(t, "192.0.2.1"), 2);
}

static void the_table_local_goes_first_then_the_metric(void **state)
{
	struct host_routes *t = *state;
	struct host_route_row local = route("192.0.2.0/24", 99, 3);

	local.in_main = false;
	assert_int_equal(add(t, route("192.0.2.0/24", 20, 2)), 0);
	assert_int_equal(way(t, "192.0.2.1"), 2);
	assert_int_equal(add(t, route("192.0.2.0/24", 10, 1)), 0);
	assert_int_equal(way(t, "192.0.2.1"), 1);
	assert_int_equal(add(t, local), 0);
	assert_int_equal(way(t, "192.0.2.1"), 3);
	assert_int_equal(drop(t, local), 0);
	assert_int_equal(drop(t, route("192.0.2.0/24", 10, 1)), 0);
	assert_int_equal(way(t, "192.0.2.1"), 2);
}

static void unusable_routes_are_passed_by(void **state)
{
	struct host_routes *t = *state;
	struct host_route_row dead = route("192.0.2.0/24", 0, 1);

	dead.usable = false;
	assert_int_equal(add(t, dead), 0);
	assert_int_equal(way(t, "192.0.2.1"), 0);
	assert_int_equal(add(t, route("192.0.0.0/16", 0, 2)), 0);
	assert_int_equal(way(t, "192.0.2.1"), 2);
	assert_int_equal(add(t, route("192.0.2.0/24", 10, 3)), 0);
	assert_int_equal(way(t, "192.0.2.1"), 3);
	dead.usable = true;
	assert_int_equal(add(t, dead), 0); /* the same route, alive again */
	assert_int_equal(way(t, "192.0.2.1"), 1);
}

static void what_cannot_be_placed_is_stale(void **state)
{
	struct host_routes *t = *state;

	assert_int_equal(add(t, via(route("192.0.2.0/24", 0, 1), "198.51.100.1")), 0);
	assert_int_equal(add(t, via(route("192.0.2.0/24", 0, 1), "198.51.100.1")), 0);
	assert_int_equal(add(t, via(route("192.0.2.0/24", 0, 1), "198.51.100.2")), -ESTALE);
	assert_int_equal(drop(t, via(route("192.0.2.0/24", 0, 1), "198.51.100.2")), -ESTALE);
	assert_int_equal(drop(t, route("192.0.3.0/24", 0, 1)), 0); /* never heard of */
	assert_int_equal(t->table.n, 1);
	assert_int_equal(replace(t, via(route("192.0.2.0/24", 0, 2), "198.51.100.2")), 0);
	assert_int_equal(t->table.n, 1);
	assert_int_equal(way(t, "192.0.2.1"), 2);
}

static void loaded_equals_keep_their_order_and_are_stale_to_all(void **state)
{
	struct host_routes *t = *state;
	struct host_route_row a = via(route("192.0.2.0/24", 5, 2), "198.51.100.2"),
			      b = via(route("192.0.2.0/24", 5, 1), "198.51.100.1"),
			      c = via(route("192.0.2.0/24", 1, 3), "198.51.100.3");

	assert_int_equal(host_routes_append(t, &a), 0);
	assert_int_equal(host_routes_append(t, &b), 0);
	assert_int_equal(host_routes_append(t, &c), 0);
	host_routes_sort(t);
	assert_int_equal(way(t, "192.0.2.1"), 3);
	assert_int_equal(drop(t, c), 0);
	assert_int_equal(way(t, "192.0.2.1"), 2);
	assert_int_equal(drop(t, a), -ESTALE);
	assert_int_equal(drop(t, b), -ESTALE);
	assert_int_equal(add(t, a), -ESTALE);
	assert_int_equal(replace(t, a), -ESTALE);
	assert_int_equal(t->table.n, 2);
}

static void ipv6_on_link_routes_stand_apart(void **state)
{
	struct host_routes *t = *state;

	assert_int_equal(add(t, route("fe80::/64", 256, 2)), 0);
	assert_int_equal(add(t, route("fe80::/64", 256, 1)), 0);
	assert_int_equal(add(t, route("fe80::/64", 256, 2)), 0);
	assert_int_equal(t->table.n, 2);
	assert_int_equal(way(t, "fe80::1"), 2);
	assert_int_equal(drop(t, route("fe80::/64", 256, 2)), 0);
	assert_int_equal(way(t, "fe80::1"), 1);
	assert_int_equal(add(t, via(route("fe80::/64", 256, 3), "fe80::9")), -ESTALE);
	assert_int_equal(replace(t, route("fe80::/64", 256, 2)), 0);
	assert_int_equal(t->table.n, 1);
	assert_int_equal(way(t, "fe80::1"), 2);
}

static void a_nexthop_object_tells_a_route(void **state)
{
	struct host_routes *t = *state;
	struct host_route_row known = route("192.0.2.0/24", 0, 1), message = known;

	known.nexthop = 7;
	message.usable = false; /* as it comes: without its hops */
	message.n_hops = 0;
	message.first = (struct host_hop){ 0 };
	assert_int_equal(add(t, known), 0);
	message.nexthop = 8;
	assert_int_equal(drop(t, message), -ESTALE);
	message.nexthop = 7;
	assert_int_equal(drop(t, message), 0);
	assert_int_equal(t->table.n, 0);
}

/* A walk shows each prefix once, by its best route, and no prefix without one. */
static void the_walk_shows_the_best(void **state)
{
	struct host_routes *t = *state;
	struct host_route_row dead = route("198.51.100.0/24", 0, 9);
	const struct host_route *r;
	uint32_t seen = 0;
	size_t at = 0;

	dead.usable = false;
	assert_int_equal(add(t, dead), 0);
	assert_int_equal(add(t, route("192.0.2.0/24", 20, 2)), 0);
	assert_int_equal(add(t, route("192.0.2.0/24", 10, 1)), 0);
	assert_int_equal(add(t, route("2001:db8::/32", 10, 3)), 0);
	while ((r = host_routes_next(t, &at)))
		seen = seen * 10 + r->ifindex;
	assert_int_equal(seen, 13);
}

enum { MODEL_ROUTES = 400 };

/* The longest match by looking at every route. */
static const struct host_route_row *naive(
	const struct host_route_row *rows, const bool *there, const struct addr *dst)
{
	const struct host_route_row *best = NULL;

	for (unsigned i = 0; i < MODEL_ROUTES; i++) {
		const struct host_route_row *r = &rows[i];

		if (!there[i] || !addr_in_prefix(dst, &r->route.dst, r->route.plen))
			continue;
		if (!best || r->route.plen > best->route.plen ||
			(r->route.plen == best->route.plen && r->metric < best->metric))
			best = r;
	}
	return best;
}

/* Addresses whose bits are mostly alike, so that prefixes nest. */
static struct addr random_addr(unsigned *seed)
{
	struct addr a = { .af = rand_r(seed) % 2 ? 4 : 6 };

	for (size_t i = 0; i < addr_size(&a); i++)
		a.bytes[i] = rand_r(seed) % 4 ? 0x55 : (uint8_t)rand_r(seed);
	return a;
}

static void look_ups_agree_with_a_list(void **state)
{
	static struct host_route_row rows[MODEL_ROUTES];
	bool there[MODEL_ROUTES] = { false };
	struct host_routes *t = *state;
	unsigned seed = 3, found = 0;

	/* Every row has its own metric, so that no two are one route to the table. */
	for (unsigned i = 0; i < MODEL_ROUTES; i++) {
		rows[i] = route("0.0.0.0/0", i, i + 1);
		rows[i].route.dst = random_addr(&seed);
		rows[i].route.plen = (uint8_t)((unsigned)rand_r(&seed) %
					       (8 * addr_size(&rows[i].route.dst) + 1));
		host_addr_mask(&rows[i].route.dst, rows[i].route.plen);
	}
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rand_r(&seed) % MODEL_ROUTES;
		struct addr dst = random_addr(&seed);
		const struct host_route_row *expected;
		const struct host_route *got;

		assert_int_equal(there[i] ? drop(t, rows[i]) : add(t, rows[i]), 0);
		there[i] = !there[i];
		expected = naive(rows, there, &dst);
		got = host_routes_lookup(t, &dst);
		assert_int_equal(got ? got->ifindex : 0, expected ? expected->route.ifindex : 0);
		found += expected != NULL;
	}
	assert_in_range(found, 2000, 19999);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(longer_prefixes_win),
		TEST(the_table_local_goes_first_then_the_metric),
		TEST(unusable_routes_are_passed_by),
		TEST(what_cannot_be_placed_is_stale),
		TEST(loaded_equals_keep_their_order_and_are_stale_to_all),
		TEST(ipv6_on_link_routes_stand_apart),
		TEST(a_nexthop_object_tells_a_route),
		TEST(the_walk_shows_the_best),
		TEST(look_ups_agree_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
