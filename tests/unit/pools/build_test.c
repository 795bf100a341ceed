/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/build.h"
#include "controlplane/pools/duty.h"

static const char text[] =
	"node = \"lb-a\";\n"
	"interfaces: { front: { device = \"eth0\"; }; back: { device = \"eth1\"; }; };\n"
	"vips: { web: { address = \"192.0.2.10\"; interface = \"front\"; };\n"
	"  six: { address = \"2001:db8::10\"; interface = \"front\"; mac = \"00:00:5e:00:02:0a\"; }; };\n"
	"gateways: { gw: { address = \"198.51.100.1\"; interface = \"back\"; }; };\n"
	"pools: {\n"
	"  web: { when_empty = \"spare\"; servers: { web1: { address = \"198.51.100.11\"; };\n"
	"    web2: { address = \"198.51.100.12\"; port = 8080; weight = 5; }; }; };\n"
	"  six: { when_empty = \"reset\"; servers: { s1: { address = \"2001:db8:1::11\"; weight = 0; }; }; };\n"
	"  spare: { when_empty = \"last\"; servers: { web1: { address = \"198.51.100.13\"; weight = 9; }; }; };\n"
	"  last: { when_empty = \"reset\"; servers: { l1: { address = \"198.51.100.14\"; }; }; };\n"
	"};\n"
	"services: {\n"
	"  web: { vip = \"web\"; port = 80; forward = \"nat\"; pool = \"web\"; idle = \"1001ms\"; "
	"affinity = \"client\"; };\n"
	"  dns: { vip = \"six\"; protocol = \"udp\"; port = 53; forward = \"dsr\"; pool = \"six\"; "
	"track = \"all\"; };\n"
	"};\n";

static const struct snapshot_port ports[] = {
	{ .ifindex = 7, .mac = { 2, 0, 0, 0, 0, 7 }, .mtu = 1500 },
	{ .ifindex = 9, .mac = { 2, 0, 0, 0, 0, 9 }, .mtu = 9000 },
};

struct fixture {
	struct conf *conf;
	struct state *state;
	struct binding ids;
	struct build_hop hops[5];
	struct build_facts facts;
};

static int setup(void **state)
{
	static struct fixture f;
	struct diags d = { 0 };
	struct err e = { "" };

	memset(&f, 0, sizeof f);
	if (conf_parse(text, "test", &f.conf, &d)) {
		diags_print(&d, stderr);
		return -1;
	}
	diags_free(&d);
	f.state = state_new();
	if (!f.state || state_bind(f.state, f.conf, NULL, &f.ids, &e))
		return -1;
	f.hops[0].ifindex = f.hops[1].ifindex = 9;
	f.hops[1].source_bits = 4;
	addr_parse("198.51.100.128", &f.hops[1].source);
	f.hops[0].addr = f.conf->servers[0].address;
	addr_parse("198.51.100.2", &f.hops[1].addr);
	f.facts = (struct build_facts){ .ports = ports, .hops = f.hops };
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	binding_free(&f->ids);
	state_free(f->state);
	conf_free(f->conf);
	return 0;
}

static struct build *build(const struct fixture *f)
{
	struct build *b;

	assert_int_equal(build_new(&b, f->conf, &f->ids, f->state, &f->facts), 0);
	return b;
}

static void test_rows(void **state)
{
	struct fixture *f = *state;
	struct build *b = build(f);
	const struct snapshot_input *in = &b->input;

	assert_int_equal(in->n_ports, 2);
	assert_int_equal(in->ports[1].ifindex, 9);
	assert_int_equal(in->ports[1].mtu, 9000);
	assert_int_equal(in->n_addresses, 3);
	assert_int_equal(in->addresses[0].id, f->ids.vips[0]);
	assert_int_equal(in->addresses[0].af, 4);
	assert_memory_equal(in->addresses[0].bytes, "\xc0\x00\x02\x0a", 4);
	assert_int_equal(in->addresses[0].ifindex, 7);
	assert_false(in->addresses[0].gateway);
	assert_memory_equal(in->addresses[0].mac, "\0\0\0\0\0", 6);
	assert_int_equal(in->addresses[1].af, 6);
	assert_memory_equal(in->addresses[1].mac, "\0\0\x5e\0\x02\x0a", 6);
	assert_int_equal(in->addresses[2].id, f->ids.gateways[0]);
	assert_int_equal(in->addresses[2].ifindex, 9);
	assert_true(in->addresses[2].gateway);
	assert_int_equal(in->n_services, 2);
	assert_int_equal(in->services[0].address, 0);
	assert_int_equal(in->services[0].protocol, IPPROTO_TCP);
	assert_int_equal(in->services[0].port, 80);
	assert_int_equal(in->services[0].forward, L4_FORWARD_NAT);
	assert_int_equal(in->services[1].address, 1);
	assert_int_equal(in->services[1].protocol, IPPROTO_UDP);
	assert_int_equal(in->services[1].forward, L4_FORWARD_DSR);
	assert_int_equal(in->services[1].pool, 1);
	assert_int_equal(in->services[0].idle_s, 2);
	assert_true(in->services[0].client_affinity);
	assert_false(in->services[0].track_all);
	assert_int_equal(in->services[1].idle_s, 60);
	assert_false(in->services[1].client_affinity);
	assert_true(in->services[1].track_all);
	assert_true(in->services[0].reject && in->services[1].reject);
	assert_int_equal(in->n_pools, 4);
	assert_int_equal(in->pools[1].id, f->ids.pools[1]);
	assert_int_equal(in->pools[1].first_member, 4);
	assert_int_equal(in->pools[1].n_members, 1);
	assert_int_equal(in->members[0].port, 0);
	assert_int_equal(in->members[0].weight, 1);
	assert_int_equal(in->members[0].hop_ifindex, 9);
	assert_memory_equal(in->members[0].hop_bytes, in->members[0].bytes, 16);
	assert_int_equal(in->members[1].port, 8080);
	assert_int_equal(in->members[1].weight, 5);
	assert_memory_equal(in->members[1].hop_bytes, "\xc6\x33\x64\x02", 4);
	assert_int_equal(in->members[4].weight, 0);
	assert_int_equal(in->members[4].hop_ifindex, 0);
	assert_memory_equal(in->members[1].source, "\xc6\x33\x64\x80", 4);
	assert_int_equal(in->members[1].source_bits, 4);
	assert_int_equal(in->members[0].source_bits, 0);
	assert_int_equal(in->answers, 1000);
	assert_memory_equal(in->key, f->state->key, 16);
	build_free(b);
}

/* Which servers a pool's members are, in order, and their weights. */
static void expect_members(const struct fixture *f, unsigned pool, unsigned n,
	const unsigned *servers, const unsigned *weights)
{
	struct build *b = build(f);
	const struct snapshot_pool *p = &b->input.pools[pool];

	assert_int_equal(p->n_members, n);
	for (unsigned i = 0; i < n; i++) {
		const struct snapshot_member *m = &b->input.members[p->first_member + i];

		assert_int_equal(m->id, f->ids.servers[servers[i]]);
		assert_memory_equal(m->bytes, f->conf->servers[servers[i]].address.bytes, 16);
		assert_int_equal(m->weight, weights[i]);
		assert_true(m->serves);
	}
	build_free(b);
}

/* A pool's members are its own servers and its fall-backs', of which one pool's have weights. */
static void test_fall_backs(void **state)
{
	static const unsigned web[] = { 0, 1, 3, 4 }, spare[] = { 3, 4 };
	struct fixture *f = *state;

	expect_members(f, 0, 4, web, (const unsigned[]){ 1, 5, 0, 0 });
	expect_members(f, 2, 2, spare, (const unsigned[]){ 9, 0 });
	state_server(f->state, f->ids.servers[0])->overlay.wanted = SERVER_DRAIN;
	state_server(f->state, f->ids.servers[1])->overlay.weight = 0;
	expect_members(f, 0, 4, web, (const unsigned[]){ 0, 0, 9, 0 });
	expect_members(f, 2, 2, spare, (const unsigned[]){ 9, 0 });
	state_server(f->state, f->ids.servers[3])->overlay.wanted = SERVER_DRAIN;
	expect_members(f, 0, 4, web, (const unsigned[]){ 0, 0, 0, 1 });
	expect_members(f, 2, 2, spare, (const unsigned[]){ 0, 1 });
	expect_members(f, 3, 1, spare + 1, (const unsigned[]){ 1 });
	state_server(f->state, f->ids.servers[4])->overlay.weight = 0;
	expect_members(f, 0, 4, web, (const unsigned[]){ 0, 0, 0, 0 });
}

/* Every wanted state, seen state and weight: who has ring slots. */
static void test_who_serves(void **state)
{
	static const int weights[] = { -1, 0, 1, 1000 };
	struct fixture *f = *state;
	struct state_server *record = state_server(f->state, f->ids.servers[1]);

	for (int wanted = SERVER_READY; wanted <= SERVER_MAINT; wanted++)
		for (int seen = HEALTH_STARTING; seen <= HEALTH_DOWN; seen++)
			for (size_t w = 0; w < 4; w++) {
				unsigned expected = weights[w] < 0 ? 5 : (unsigned)weights[w];
				struct build *b;

				record->overlay.wanted = (enum server_wanted)wanted;
				record->overlay.weight = weights[w];
				record->seen.state = (enum health_state)seen;
				assert_int_equal(
					duty_weight(&f->conf->servers[1], record), expected);
				if (wanted != SERVER_READY || seen != HEALTH_UP)
					expected = 0;
				assert_int_equal(
					duty_able(&f->conf->servers[1], record), expected > 0);
				b = build(f);
				assert_int_equal(b->input.members[1].weight, expected);
				assert_int_equal(b->input.members[1].serves,
					wanted != SERVER_MAINT && seen != HEALTH_DOWN);
				assert_int_equal(b->input.members[0].weight, 1);
				build_free(b);
			}
}

static void test_same(void **state)
{
	struct fixture *f = *state;
	struct build *a = build(f), *b = build(f);

	assert_true(build_same(a, b));
	assert_false(build_same(a, NULL));
	assert_true(build_same(NULL, NULL));
	build_free(b);
	state_server(f->state, f->ids.servers[0])->overlay.wanted = SERVER_DRAIN;
	b = build(f);
	assert_false(build_same(a, b));
	build_free(b);
	state_server(f->state, f->ids.servers[0])->overlay.wanted = SERVER_READY;
	f->hops[0].ifindex = 7;
	b = build(f);
	assert_false(build_same(a, b));
	build_free(b);
	f->hops[0].ifindex = 9;
	addr_parse("198.51.100.3", &f->hops[0].source);
	b = build(f);
	assert_false(build_same(a, b));
	build_free(b);
	f->hops[0].source = (struct addr){ 0 };
	f->conf->limits.answers = 7;
	b = build(f);
	assert_false(build_same(a, b));
	build_free(b);
	f->conf->limits.answers = 1000;
	f->state->key[3] ^= 1;
	b = build(f);
	assert_false(build_same(a, b));
	build_free(b);
	build_free(a);
}

static void test_next_hop(void **state)
{
	struct addr server, router, other;
	struct host_route route = { .kind = HOST_ROUTE_UNICAST, .ifindex = 9 };
	struct build_hop hop;

	(void)state;
	addr_parse("198.51.100.11", &server);
	addr_parse("198.51.100.2", &router);
	addr_parse("198.51.100.11", &other);
	hop = build_hop(NULL, &server, ports, 2);
	assert_int_equal(hop.ifindex, 0);
	hop = build_hop(&route, &server, ports, 2);
	assert_int_equal(hop.ifindex, 9);
	assert_true(addr_equal(&hop.addr, &other));
	route.gateway = router;
	hop = build_hop(&route, &server, ports, 2);
	assert_int_equal(hop.ifindex, 9);
	assert_true(addr_equal(&hop.addr, &router));
	route.ifindex = 8; /* not one of the configuration's */
	hop = build_hop(&route, &server, ports, 2);
	assert_int_equal(hop.ifindex, 0);
	assert_int_equal(hop.addr.af, 0);
	route.ifindex = 9;
	route.kind = HOST_ROUTE_LOCAL;
	assert_int_equal(build_hop(&route, &server, ports, 2).ifindex, 0);
	route.kind = HOST_ROUTE_DISCARD;
	assert_int_equal(build_hop(&route, &server, ports, 2).ifindex, 0);
}

/* A configuration of two tunnel services; the middle line may say where tunnels come from. */
static struct conf *tunnels(const char *group)
{
	char config[1024];
	struct conf *c = NULL;
	struct diags d = { 0 };

	snprintf(config, sizeof config,
		"node = \"n\"; interfaces: { a: {}; b: {}; };\n"
		"%s\n"
		"vips: { v: { address = \"198.51.100.1\"; interface = \"a\"; };\n"
		"  w: { address = \"2001:db8::1\"; interface = \"a\"; }; };\n"
		"pools: { p: { servers: { s: { address = \"10.0.0.1\"; }; }; };\n"
		"  q: { servers: { s: { address = \"2001:db8:5::5\"; }; }; };\n"
		"  r: { servers: { s: { address = \"10.0.0.2\"; }; }; }; };\n"
		"services: { a: { vip = \"v\"; port = 80; forward = \"tunnel\"; pool = \"p\"; };\n"
		"  b: { vip = \"w\"; port = 80; forward = \"tunnel\"; pool = \"q\"; };\n"
		"  c: { vip = \"v\"; port = 81; forward = \"dsr\"; pool = \"r\"; }; };\n",
		group);
	assert_int_equal(conf_parse(config, "test", &c, &d), 0);
	diags_free(&d);
	return c;
}

static struct host_address own(uint32_t ifindex, const char *prefix)
{
	struct host_address a = { .ifindex = ifindex };

	assert_int_equal(addr_parse_prefix(prefix, &a.addr, &a.plen), 0);
	return a;
}

/* The source chosen for a hop over interface 9. */
static const char *chosen(const struct conf *c, const char *next_hop, const char *server,
	const struct host_address *list, unsigned n)
{
	static char found[ADDR_TEXT];
	struct build_hop hop = { .ifindex = 9 };
	struct addr s;

	assert_int_equal(addr_parse(next_hop, &hop.addr), 0);
	assert_int_equal(addr_parse(server, &s), 0);
	build_source(&hop, c, &s, list, n);
	assert_int_equal(hop.source_bits, 0);
	return addr_text(&hop.source, found);
}

static uint8_t checks_of(const char *group)
{
	struct conf *c = tunnels(group);
	uint8_t checks = build_guard_checks(c);

	conf_free(c);
	return checks;
}

static void test_guard_checks(void **state)
{
	(void)state;
	assert_int_equal(checks_of(""), 0);
	assert_int_equal(checks_of("guard: { invalid_flags = \"drop\"; };"), L4_GUARD_FLAGS);
	assert_int_equal(
		checks_of("guard: { land = \"drop\"; bogons = \"pass\"; };"), L4_GUARD_LAND);
	assert_int_equal(checks_of("guard: { bogons = \"drop\"; };"), L4_GUARD_BOGONS);
}

/* The first service is one of nat by tcp, the second is neither. */
static void test_syn_cookies(void **state)
{
	const bool both[2] = { true, true };
	struct fixture *f = *state;
	struct build *off, *on, *ending;

	off = build(f);
	assert_false(off->services[0].syn_cookies || off->services[0].syn_threshold);
	f->conf->services[0].syn_cookies = CONF_SYN_COOKIES_AUTO;
	f->conf->services[0].syn_threshold = 70;
	on = build(f);
	assert_true(on->services[0].syn_cookies);
	assert_int_equal(on->services[0].syn_threshold, 70);
	f->conf->services[0].syn_cookies = CONF_SYN_COOKIES_OFF;
	f->facts.proxied = both;
	ending = build(f);
	assert_true(ending->services[0].syn_cookies);
	assert_int_equal(ending->services[0].syn_threshold, UINT32_MAX);
	assert_false(ending->services[1].syn_cookies);
	assert_false(build_same(off, on) || build_same(on, ending) || build_same(off, ending));
	build_free(off);
	build_free(on);
	build_free(ending);
}

static void test_lists(void **state)
{
	struct fixture *f = *state;
	struct conf_prefix net = { .address = { 4, { 10 } }, .plen = 8 };
	struct build *none, *all, *again, *other;

	none = build(f);
	assert_int_equal(none->input.n_lists, 0);
	f->conf->services[1].sources.list = (struct conf_list){ &net, 1, true, 7 };
	all = build(f);
	again = build(f);
	assert_int_equal(all->input.n_lists, 2);
	assert_int_equal(all->services[0].list, 0);
	assert_int_equal(all->services[1].list, 1);
	assert_int_equal(all->input.lists[0].n, 0);
	assert_ptr_equal(all->input.lists[1].prefixes, &net);
	assert_true(all->input.lists[1].only);
	assert_true(build_same(all, again));
	f->conf->services[1].sources.list.digest = 8;
	other = build(f);
	assert_false(build_same(all, other));
	assert_false(build_same(all, none));
	f->conf->services[1].sources.list = (struct conf_list){ 0 };
	build_free(none);
	build_free(all);
	build_free(again);
	build_free(other);
}

static void test_own_source(void **state)
{
	struct conf *c = tunnels("");
	const struct host_address list[] = { own(9, "2001:db8:7::9/64"), own(7, "10.0.0.7/24"),
		own(9, "172.16.0.9/16"), own(9, "10.0.0.9/24"), own(9, "198.51.100.1/24"),
		own(9, "10.1.0.9/16"), own(9, "fe80::9/64"), own(9, "2001:db8:9::9/64"),
		own(9, "10.0.0.8/24") };

	(void)state;
	/* Near the next hop, then the smallest; not the VIP's, not another interface's. */
	assert_string_equal(chosen(c, "10.0.0.1", "10.0.0.1", list, 9), "10.0.0.8");
	assert_string_equal(chosen(c, "172.16.5.5", "10.0.0.1", list, 9), "172.16.0.9");
	assert_string_equal(chosen(c, "198.51.100.5", "10.0.0.1", list, 9), "10.0.0.8");
	assert_string_equal(chosen(c, "2001:db8:9::5", "2001:db8:5::5", list, 9), "2001:db8:9::9");
	assert_string_equal(chosen(c, "fe80::5", "2001:db8:5::5", list, 9), "2001:db8:7::9");
	assert_string_equal(chosen(c, "10.0.0.1", "10.0.0.1", list, 2), "none");
	assert_string_equal(chosen(c, "fe80::5", "2001:db8:5::5", list + 4, 3), "none");
	conf_free(c);
}

static void test_configured_source(void **state)
{
	struct conf *c =
		tunnels("tunnel: { source4 = \"10.9.0.0/16\"; source6 = \"2001:db8:9::/64\"; };");
	const struct host_address list[] = { own(9, "10.0.0.9/24") };
	struct build_hop hop = { .ifindex = 9 };
	char found[ADDR_TEXT];

	(void)state;
	build_source(&hop, c, &c->servers[0].address, list, 1);
	assert_string_equal(addr_text(&hop.source, found), "10.9.0.0");
	assert_int_equal(hop.source_bits, 16);
	build_source(&hop, c, &c->servers[1].address, list, 1);
	assert_string_equal(addr_text(&hop.source, found), "2001:db8:9::");
	assert_int_equal(hop.source_bits, 32);
	conf_free(c);
	c = tunnels("tunnel: { source4 = \"10.9.0.1\"; };");
	assert_string_equal(chosen(c, "10.0.0.1", "10.0.0.1", list, 1), "10.9.0.1");
	assert_string_equal(chosen(c, "fe80::5", "2001:db8:5::5", list, 1), "none");
	conf_free(c);
}

static void test_tunnel_pools(void **state)
{
	struct conf *c = tunnels("");
	bool *pools = build_tunnel_pools(c);

	(void)state;
	assert_non_null(pools);
	assert_true(pools[0]);
	assert_true(pools[1]);
	assert_false(pools[2]);
	free(pools);
	conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fall_backs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_serves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same, setup, teardown),
		cmocka_unit_test(test_next_hop),
		cmocka_unit_test(test_guard_checks),
		cmocka_unit_test_setup_teardown(test_syn_cookies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test(test_own_source),
		cmocka_unit_test(test_configured_source),
		cmocka_unit_test(test_tunnel_pools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
