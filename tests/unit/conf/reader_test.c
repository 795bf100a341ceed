/* SPDX-License-Identifier: BSD-2-Clause */
/* Configurations without errors: what ends up in struct conf. */
#include "controlplane/conf/reader.h"
#include <netinet/in.h>
#include <string.h>
#include "tests/unit/conf/expect.h"
#include "tests/unit/test.h"

static void assert_address(const struct addr *a, const char *text)
{
	char buf[ADDR_TEXT];

	assert_string_equal(addr_text(a, buf), text);
}

static void defaults_hold(void **state)
{
	struct conf *c = parse_good(
		"node = \"lb-a\"; interfaces: { eth0: {}; };\n"
		"vips: { v: { address = \"192.0.2.1\"; interface = \"eth0\"; }; };\n"
		"health: { t: { type = \"tcp\"; }; h: { type = \"http\"; }; };\n"
		"pools: { p: { servers: { s: { address = \"198.51.100.1\"; }; }; }; };\n"
		"services: { s: { vip = \"v\"; port = 80; forward = \"dsr\"; pool = \"p\"; }; "
		"};\n");
	const struct conf_health *h = &c->healths[1];

	(void)state;
	assert_string_equal(c->node, "lb-a");
	assert_int_equal(c->engine.type, CONF_ENGINE_XDP);
	assert_int_equal(c->engine.mode, CONF_XDP_AUTO);
	assert_int_equal(c->engine.dpdk.n_cpus, 0);
	assert_int_equal(c->engine.dpdk.polling, CONF_POLLING_ADAPTIVE);
	assert_int_equal(c->engine.dpdk.memory, 512);
	assert_int_equal(c->engine.dpdk.descriptors, 1024);
	assert_int_equal(c->engine.dpdk.huge_pages, CONF_HUGE_PAGES_AUTO);
	assert_int_equal(c->engine.dpdk.driver, CONF_DPDK_AF_PACKET);
	assert_int_equal(c->engine.dpdk.host_path, CONF_HOST_PATH_AUTO);
	assert_null(c->interfaces[0].port);
	assert_int_equal(c->limits.vips, 256);
	assert_int_equal(c->limits.services, 1024);
	assert_int_equal(c->limits.pools, 1024);
	assert_int_equal(c->limits.servers, 4096);
	assert_int_equal(c->limits.routes, 16384);
	assert_int_equal(c->limits.neighbours, 16384);
	assert_int_equal(c->limits.ring_slots, 1048576);
	assert_int_equal(c->limits.records, 2097152);
	assert_string_equal(c->api.group, "");
	assert_string_equal(c->interfaces[0].device, "eth0");
	assert_int_equal(c->pools[0].health, -1);
	assert_int_equal(c->pools[0].when_empty, CONF_EMPTY_DROP);
	assert_int_equal(c->pools[0].min_up, 0);
	assert_int_equal(c->servers[0].port, 0);
	assert_int_equal(c->servers[0].weight, 1);
	assert_int_equal(c->services[0].protocol, IPPROTO_TCP);
	assert_int_equal(c->services[0].idle_ms, 900000);
	assert_int_equal(c->services[0].track, CONF_TRACK_CHANGES);
	assert_int_equal(c->services[0].affinity, CONF_AFFINITY_NONE);
	assert_int_equal(c->healths[0].type, CONF_HEALTH_TCP);
	assert_int_equal(h->type, CONF_HEALTH_HTTP);
	assert_int_equal(h->interval_ms, 2000);
	assert_int_equal(h->timeout_ms, 1000);
	assert_int_equal(h->rise, 2);
	assert_int_equal(h->fall, 3);
	assert_int_equal(h->jitter_percent, 10);
	assert_int_equal(h->port, 0);
	assert_int_equal(h->method, CONF_GET);
	assert_string_equal(h->path, "/");
	assert_string_equal(h->host, "");
	assert_int_equal(h->status_min, 200);
	assert_int_equal(h->status_max, 399);
	assert_string_equal(h->body, "");
	conf_free(c);
}

static const char full[] =
	"node = \"lb\" \"-b\";\n"
	"engine: { type = \"xdp\"; mode = \"generic\"; };\n"
	"limits: { vips = 0x10; services = 20; servers = +30; routes = 040L; neighbours = 50; "
	"ring_slots = 1280; pools = 7; records = 2000; };\n"
	"api: { group = \"admin\"; };\n"
	"interfaces: { front: { device = \"eth0.7\"; }; back: {}; };\n"
	"vips: {\n"
	"  a: { address = \"192.0.2.10\"; interface = \"front\"; };\n"
	"  b: { address = \"2001:DB8:0:0::10\"; interface = \"back\"; };\n"
	"};\n"
	"gateways: {\n"
	"  g4: { address = \"198.51.100.1\"; interface = \"back\"; };\n"
	"  g6: { address = \"2001:db8:1::1\"; interface = \"front\"; };\n"
	"};\n"
	"health: { web: { type = \"http\"; interval = \"1m\"; timeout = \"1500ms\"; rise = 1; fall "
	"= 100;\n"
	"  jitter = \"0%\"; port = 8080; method = \"HEAD\"; path = \"/a?b=%20\"; host = "
	"\"[2001:db8::1]:80\";\n"
	"  status = \"204\"; body = \"\\x41\\n\\\"ok\\\"\"; }; };\n"
	"pools: {\n"
	"  one: { health = \"web\"; when_empty = \"three\"; min_up = 2; servers: {\n"
	"    s1: { address = \"198.51.100.11\"; port = 8080; weight = 0; };\n"
	"    s2: { address = \"198.51.100.12\"; weight = 1000; }; }; };\n"
	"  two: { servers: { s1: { address = \"2001:db8::2\"; port = 65535; }; }; when_empty = "
	"\"reset\"; };\n"
	"  three: { when_empty = \"four\"; servers: {}; };\n"
	"  four: { servers: { s1: { address = \"198.51.100.13\"; }; }; };\n"
	"};\n"
	"services: {\n"
	"  dns: { vip = \"b\"; protocol = \"udp\"; port = 53; forward = \"nat\"; pool = \"two\"; "
	"track = \"all\"; };\n"
	"  web: { vip = \"a\"; protocol = \"tcp\"; port = 65535; forward = \"nat\"; pool = "
	"\"one\"; idle = \"90m\"; affinity = \"client\"; };\n"
	"};\n";

static void scalars_are_read(void **state)
{
	struct conf *c = parse_good(full);
	const struct conf_health *h = &c->healths[0];

	(void)state;
	assert_string_equal(c->node, "lb-b");
	assert_int_equal(c->engine.mode, CONF_XDP_GENERIC);
	assert_int_equal(c->limits.vips, 16);
	assert_int_equal(c->limits.services, 20);
	assert_int_equal(c->limits.servers, 30);
	assert_int_equal(c->limits.routes, 40);
	assert_int_equal(c->limits.neighbours, 50);
	assert_int_equal(c->limits.ring_slots, 1280);
	assert_int_equal(c->limits.pools, 7);
	assert_int_equal(c->limits.records, 2000);
	assert_string_equal(c->api.group, "admin");
	assert_int_equal(c->n_healths, 1);
	assert_int_equal(h->interval_ms, 60000);
	assert_int_equal(h->timeout_ms, 1500);
	assert_int_equal(h->rise, 1);
	assert_int_equal(h->fall, 100);
	assert_int_equal(h->jitter_percent, 0);
	assert_int_equal(h->port, 8080);
	assert_int_equal(h->method, CONF_HEAD);
	assert_string_equal(h->path, "/a?b=%20");
	assert_string_equal(h->host, "[2001:db8::1]:80");
	assert_int_equal(h->status_min, 204);
	assert_int_equal(h->status_max, 204);
	assert_string_equal(h->body, "A\n\"ok\"");
	assert_int_equal(h->line, 14);
	conf_free(c);
}

static void dpdk_is_read(void **state)
{
	struct conf *c = parse_good(
		"node = \"n\"; interfaces: { a: { port = \"0000:3b:00.0\"; };\n"
		"b: { port = \"net_memif0,socket=/run/m.sock\"; }; c: { device = \"eth2\"; }; };\n"
		"engine: { type = \"dpdk\"; dpdk: { cpus = \"4-6, 2\"; polling = \"busy\"; memory = "
		"2048;\n"
		"huge_pages = \"required\"; descriptors = 4096; driver = \"af_xdp\"; "
		"host_path = \"vhost\"; }; };\n");
	const struct conf_dpdk *d = &c->engine.dpdk;

	(void)state;
	assert_int_equal(c->engine.type, CONF_ENGINE_DPDK);
	assert_int_equal(d->n_cpus, 4);
	assert_int_equal(d->cpus[0], 4);
	assert_int_equal(d->cpus[2], 6);
	assert_int_equal(d->cpus[3], 2);
	assert_int_equal(d->polling, CONF_POLLING_BUSY);
	assert_int_equal(d->memory, 2048);
	assert_int_equal(d->huge_pages, CONF_HUGE_PAGES_REQUIRED);
	assert_int_equal(d->descriptors, 4096);
	assert_int_equal(d->driver, CONF_DPDK_AF_XDP);
	assert_int_equal(d->host_path, CONF_HOST_PATH_VHOST);
	assert_string_equal(c->interfaces[0].port, "0000:3b:00.0");
	assert_string_equal(c->interfaces[0].device, "a");
	assert_string_equal(c->interfaces[1].port, "net_memif0,socket=/run/m.sock");
	assert_null(c->interfaces[2].port);
	conf_free(c);
}

static void objects_refer_to_each_other(void **state)
{
	struct conf *c = parse_good(full);

	(void)state;
	assert_int_equal(c->n_interfaces, 2);
	assert_string_equal(c->interfaces[0].name, "front");
	assert_string_equal(c->interfaces[0].device, "eth0.7");
	assert_string_equal(c->interfaces[1].device, "back");
	assert_int_equal(c->n_vips, 2);
	assert_address(&c->vips[0].address, "192.0.2.10");
	assert_int_equal(c->vips[0].interface, 0);
	assert_address(&c->vips[1].address, "2001:db8::10");
	assert_int_equal(c->vips[1].interface, 1);
	assert_int_equal(c->vips[1].line, 8);
	assert_int_equal(c->n_gateways, 2);
	assert_address(&c->gateways[1].address, "2001:db8:1::1");
	assert_int_equal(c->gateways[0].interface, 1);
	assert_int_equal(c->gateways[1].interface, 0);
	assert_int_equal(c->n_services, 2);
	assert_string_equal(c->services[0].name, "dns");
	assert_int_equal(c->services[0].protocol, IPPROTO_UDP);
	assert_int_equal(c->services[0].vip, 1);
	assert_int_equal(c->services[0].pool, 1);
	assert_int_equal(c->services[1].port, 65535);
	assert_int_equal(c->services[1].forward, CONF_FORWARD_NAT);
	assert_int_equal(c->services[1].pool, 0);
	assert_int_equal(c->services[0].idle_ms, 60000);
	assert_int_equal(c->services[0].track, CONF_TRACK_ALL);
	assert_int_equal(c->services[1].idle_ms, 5400000);
	assert_int_equal(c->services[1].affinity, CONF_AFFINITY_CLIENT);
	conf_free(c);
}

static void servers_of_a_pool_lie_together(void **state)
{
	struct conf *c = parse_good(full);

	(void)state;
	assert_int_equal(c->n_pools, 4);
	assert_int_equal(c->n_servers, 4);
	assert_int_equal(c->pools[0].health, 0);
	assert_int_equal(c->pools[0].first_server, 0);
	assert_int_equal(c->pools[0].n_servers, 2);
	assert_int_equal(c->pools[1].health, -1);
	assert_int_equal(c->pools[1].first_server, 2);
	assert_int_equal(c->pools[1].n_servers, 1);
	assert_string_equal(c->servers[1].name, "s2");
	assert_int_equal(c->servers[1].pool, 0);
	assert_int_equal(c->servers[1].weight, 1000);
	assert_int_equal(c->servers[0].weight, 0);
	assert_int_equal(c->servers[2].pool, 1);
	assert_int_equal(c->servers[2].line, 21);
	assert_address(&c->servers[2].address, "2001:db8::2");
	conf_free(c);
}

static void pools_fall_back(void **state)
{
	struct conf *c = parse_good(full);

	(void)state;
	assert_int_equal(c->pools[0].when_empty, 2);
	assert_int_equal(c->pools[0].min_up, 2);
	assert_int_equal(c->pools[1].when_empty, CONF_EMPTY_RESET);
	assert_int_equal(conf_pool_fallback(c, 0), 2);
	assert_int_equal(conf_pool_fallback(c, 1), -1);
	assert_int_equal(conf_pool_fallback(c, 2), 3);
	assert_int_equal(conf_pool_fallback(c, 3), -1);
	assert_true(conf_pool_reaches(c, 0, 0));
	assert_true(conf_pool_reaches(c, 0, 3));
	assert_false(conf_pool_reaches(c, 0, 1));
	assert_false(conf_pool_reaches(c, 3, 0));
	assert_int_equal(conf_pool_servers(c, 0), 3);
	assert_int_equal(conf_pool_servers(c, 1), 1);
	assert_int_equal(conf_pool_servers(c, 2), 1);
	conf_free(c);
}

static void names_are_found(void **state)
{
	struct conf *c = parse_good(full);

	(void)state;
	assert_int_equal(conf_find_pool(c, "two"), 1);
	assert_int_equal(conf_find_pool(c, "tw"), -1);
	assert_int_equal(conf_find_service(c, "web"), 1);
	assert_int_equal(conf_find_service(c, "Web"), -1);
	assert_int_equal(conf_find_vip(c, "b"), 1);
	assert_int_equal(conf_find_vip(c, "g4"), -1);
	assert_int_equal(conf_find_server(c, 0, "s1"), 0);
	assert_int_equal(conf_find_server(c, 1, "s1"), 2);
	assert_int_equal(conf_find_server(c, 1, "s2"), -1);
	conf_free(c);
}

/* The longest name, every character that a name may have, and sections in the "wrong" order. */
static void names_are_free(void **state)
{
	struct conf *c = parse_good(
		"services: { *-_9: { vip = \"v\"; port = 1; forward = \"dsr\"; pool = "
		"\"a23456789a123456789a123456789a123456789a123456789a123456789a123\"; }; };\n"
		"pools: { a23456789a123456789a123456789a123456789a123456789a123456789a123: { "
		"servers: {}; }; };\n"
		"vips: { v: { interface = \"i\"; address = \"10.0.0.1\"; }; };\n"
		"interfaces: { i: { }; }; node = \"n\"");

	(void)state;
	assert_int_equal(strlen(c->pools[0].name), 63);
	assert_int_equal(c->services[0].pool, 0);
	assert_int_equal(c->pools[0].n_servers, 0);
	conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold),
		cmocka_unit_test(scalars_are_read),
		cmocka_unit_test(dpdk_is_read),
		cmocka_unit_test(objects_refer_to_each_other),
		cmocka_unit_test(servers_of_a_pool_lie_together),
		cmocka_unit_test(pools_fall_back),
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(names_are_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
