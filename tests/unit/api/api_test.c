/* SPDX-License-Identifier: BSD-2-Clause */
/* Every endpoint, and every way to be refused, over a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "controlplane/api/api.h"
#include "controlplane/api/call.h"
#include "controlplane/api/connections.h"
#include "controlplane/pools/clock.h"
#include "controlplane/pools/tracking.h"
#include "tests/unit/api/client.h"
#include "tests/unit/pools/fake_engine.h"
#include "tests/unit/pools/site_fixture.h"

static struct site_fixture f;
static struct api *api;
static char sock[64];

static int setup(void **state)
{
	struct api_options o = { .path = sock, .group = "" };

	(void)state;
	fixture_open(&f);
	snprintf(sock, sizeof sock, "%s/api.sock", f.dir);
	if (fixture_start(&f) || api_new(&api, f.base, f.site, &o, &f.e)) {
		fprintf(stderr, "%s\n", f.e.text);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	api_free(api);
	assert_int_equal(access(sock, F_OK), -1);
	fixture_close(&f);
	return 0;
}

/* The JSON of an answer that must have this status; a borrowed reference, good until the next call. */
static json_t *ask(const char *method, const char *path, const char *body, int status)
{
	static struct answer a;
	bool problem = status >= 400;

	answer_free(&a);
	a = client_request(f.base, sock, method, path, body);
	if (a.status != status)
		fail_msg("%s %s: status %d, wanted %d: %s", method, path, a.status, status, a.text);
	assert_non_null(a.json);
	assert_true(!!strstr(a.text, "Content-Type: application/problem+json\r\n") == problem);
	assert_true(!!strstr(a.text, "Content-Type: application/json\r\n") == !problem);
	if (problem) {
		assert_int_equal(json_integer_value(json_object_get(a.json, "status")), status);
		assert_true(json_is_string(json_object_get(a.json, "type")));
		assert_true(json_is_string(json_object_get(a.json, "title")));
		assert_true(json_is_string(json_object_get(a.json, "detail")));
	}
	return a.json;
}

static json_t *get(const char *path)
{
	return ask("GET", path, NULL, 200);
}

/* A member by its way, "a.b.0.c"; must be there. */
static json_t *at(json_t *value, const char *way)
{
	char name[64];

	while (*way) {
		size_t len = strcspn(way, ".");

		snprintf(name, sizeof name, "%.*s", (int)len, way);
		value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
					     : json_object_get(value, name);
		if (!value)
			fail_msg("there is no %s", name);
		way += len + (way[len] == '.');
	}
	return value;
}

static const char *text_at(json_t *value, const char *way)
{
	const char *text = json_string_value(at(value, way));

	assert_non_null(text);
	return text;
}

static json_int_t number_at(json_t *value, const char *way)
{
	assert_true(json_is_integer(at(value, way)));
	return json_integer_value(at(value, way));
}

static void assert_time(json_t *value, const char *way)
{
	const char *text = text_at(value, way);
	int year, month, day, hour, minute, second, ms, end = 0;

	sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute, &second,
		&ms, &end);
	assert_int_equal(end, 24);
	assert_in_range(year, 2024, 2200);
}

static void test_version_and_status(void **state)
{
	json_t *j = get("/v1/version");

	(void)state;
	assert_string_equal(text_at(j, "version"), TANDEM_VERSION);
	assert_string_equal(text_at(j, "node"), "lb-a");
	fake.ports[0].tags[0] = l4_tag(L4_BE16(L4_ETH_QINQ), L4_BE16(7));
	fake.ports[0].tags[1] = l4_tag(L4_BE16(L4_ETH_VLAN), L4_BE16(100));
	j = get("/v1/status");
	assert_string_equal(text_at(j, "node"), "lb-a");
	assert_time(j, "started");
	assert_time(j, "config.applied");
	assert_string_equal(text_at(j, "config.path"), f.config);
	assert_string_equal(text_at(j, "engine.type"), "xdp");
	assert_string_equal(text_at(j, "engine.state"), "serving");
	assert_string_equal(text_at(j, "engine.since"), text_at(j, "started"));
	assert_string_equal(text_at(j, "engine.mode"), "native");
	assert_int_equal(number_at(j, "engine.gaps"), 0);
	assert_true(json_is_null(at(j, "engine.last_gap_ms")));
	assert_int_equal(json_array_size(at(j, "engine.workers")), 0);
	assert_int_equal(number_at(j, "engine.generation"), 1);
	assert_true(json_is_false(at(j, "engine.adopted")));
	assert_true(json_is_false(at(j, "engine.detached")));
	assert_string_equal(text_at(j, "engine.ports.0.name"), "front");
	assert_string_equal(text_at(j, "engine.ports.0.device"), "lo");
	assert_string_equal(text_at(j, "engine.ports.0.mode"), "native");
	assert_int_equal(json_array_size(at(j, "engine.ports.0.vlans")), 2);
	assert_string_equal(text_at(j, "engine.ports.0.vlans.0.protocol"), "802.1ad");
	assert_int_equal(number_at(j, "engine.ports.0.vlans.0.id"), 7);
	assert_string_equal(text_at(j, "engine.ports.0.vlans.1.protocol"), "802.1Q");
	assert_int_equal(number_at(j, "vips"), 1);
	assert_int_equal(number_at(j, "services"), 2);
	assert_int_equal(number_at(j, "pools"), 2);
	assert_int_equal(number_at(j, "servers.total"), 3);
	assert_int_equal(number_at(j, "servers.serving"), 3);
	assert_int_equal(number_at(j, "servers.up"), 3);
	assert_int_equal(number_at(j, "servers.down"), 0);
	assert_int_equal(number_at(j, "servers.starting"), 0);
	assert_int_equal(json_array_size(at(j, "changes")), 0);
	assert_true(json_is_array(at(j, "warnings")));
}

/* An engine that was gone, and has workers. */
static void test_status_of_workers(void **state)
{
	const struct engine_worker workers[] = {
		{ .cpu = 3,
			.busy_cycles = 7,
			.idle_cycles = 1ull << 40,
			.sleeps = 9,
			.busy_permille = 3 },
		{ .cpu = 5, .busy_permille = -1 },
	};
	json_t *j;

	(void)state;
	fake.state = ENGINE_GONE;
	fake.since_ms = 1;
	fake.report = (struct engine_report){ 2, 312, 3000000000, workers, 2 };
	j = get("/v1/status");
	assert_string_equal(text_at(j, "engine.state"), "gone");
	assert_time(j, "engine.since");
	assert_string_not_equal(text_at(j, "engine.since"), text_at(j, "started"));
	assert_int_equal(number_at(j, "engine.gaps"), 2);
	assert_int_equal(number_at(j, "engine.last_gap_ms"), 312);
	assert_int_equal(number_at(j, "engine.cycles_per_second"), 3000000000);
	assert_int_equal(json_array_size(at(j, "engine.workers")), 2);
	assert_int_equal(number_at(j, "engine.workers.0.cpu"), 3);
	assert_int_equal(number_at(j, "engine.workers.0.busy_cycles"), 7);
	assert_int_equal(number_at(j, "engine.workers.0.idle_cycles"), 1LL << 40);
	assert_int_equal(number_at(j, "engine.workers.0.sleeps"), 9);
	assert_float_equal(json_real_value(at(j, "engine.workers.0.busy_percent")), 0.3, 1e-9);
	assert_int_equal(number_at(j, "engine.workers.1.worker"), 1);
	assert_true(json_is_null(at(j, "engine.workers.1.busy_percent")));
}

/* Of an engine that is another process, for the port that they are about. */
static void test_status_of_devices(void **state)
{
	const uint32_t front = fake.ports[0].ifindex;
	const struct engine_change changes[] = {
		{ ENGINE_OFFLOAD, front, "rx-gro" },
		{ ENGINE_MAC, front, "00:00:5e:00:01:0a" },
		{ ENGINE_ALL_FRAMES, front + 1, "" },
		{ ENGINE_MAC, front + 1, "00:00:5e:00:01:0b" },
	};
	const struct engine_change more[] = { { ENGINE_ALL_FRAMES, front, "" },
		{ ENGINE_ALL_GROUPS, front, "" } };
	json_t *j;

	(void)state;
	fake.changes = changes;
	fake.n_changes = 4;
	j = get("/v1/status");
	assert_int_equal(json_array_size(at(j, "engine.ports.0.nic.off")), 1);
	assert_string_equal(text_at(j, "engine.ports.0.nic.off.0"), "rx-gro");
	assert_int_equal(json_array_size(at(j, "engine.ports.0.nic.macs")), 1);
	assert_string_equal(text_at(j, "engine.ports.0.nic.macs.0"), "00:00:5e:00:01:0a");
	assert_true(json_is_false(at(j, "engine.ports.0.nic.promiscuous")));
	assert_true(json_is_false(at(j, "engine.ports.0.nic.all_groups")));
	fake.changes = more;
	fake.n_changes = 2;
	j = get("/v1/status");
	assert_int_equal(json_array_size(at(j, "engine.ports.0.nic.macs")), 0);
	assert_true(json_is_true(at(j, "engine.ports.0.nic.promiscuous")));
	assert_true(json_is_true(at(j, "engine.ports.0.nic.all_groups")));
}

static void test_vips(void **state)
{
	json_t *j;

	(void)state;
	fake.vip_drops[1][L4_V_NO_SERVICE] = 4;
	j = get("/v1/vips");
	assert_int_equal(json_array_size(at(j, "vips")), 2);
	assert_string_equal(text_at(j, "vips.0.kind"), "vip");
	assert_string_equal(text_at(j, "vips.1.kind"), "gateway");
	j = get("/v1/vips/web");
	assert_string_equal(text_at(j, "name"), "web");
	assert_int_equal(number_at(j, "id"), 1);
	assert_string_equal(text_at(j, "address"), "192.0.2.10");
	assert_string_equal(text_at(j, "interface"), "front");
	assert_true(json_is_null(at(j, "mac")));
	assert_string_equal(text_at(j, "services.0"), "web");
	assert_int_equal(json_array_size(at(j, "services")), 2);
	assert_int_equal(json_object_size(at(j, "drops")), 1);
	assert_int_equal(number_at(j, "drops.no_service"), 4);
	j = get("/v1/vips/back");
	assert_string_equal(text_at(j, "address"), "198.51.100.1");
	assert_true(json_is_null(at(j, "mac")));
	assert_int_equal(json_array_size(at(j, "services")), 0);
	ask("GET", "/v1/vips/none", NULL, 404);
}

static void test_services(void **state)
{
	json_t *j;

	(void)state;
	fake.service[1] = (struct engine_counter){ 10, 640 };
	fake.service_drops[1][L4_V_DENIED] = 7;
	fake.service_drops[1][L4_V_NO_ROUTE] = 8;
	assert_int_equal(json_array_size(at(get("/v1/services"), "services")), 2);
	j = get("/v1/services/web");
	assert_int_equal(number_at(j, "id"), 1);
	assert_string_equal(text_at(j, "vip"), "web");
	assert_string_equal(text_at(j, "address"), "192.0.2.10");
	assert_string_equal(text_at(j, "protocol"), "tcp");
	assert_int_equal(number_at(j, "port"), 80);
	assert_string_equal(text_at(j, "ports"), "80");
	assert_string_equal(text_at(j, "forward"), "nat");
	assert_string_equal(text_at(j, "pool"), "web");
	assert_int_equal(number_at(j, "idle_ms"), 900000);
	assert_string_equal(text_at(j, "track"), "changes");
	assert_string_equal(text_at(j, "affinity"), "none");
	assert_int_equal(number_at(j, "serving"), 2);
	assert_int_equal(number_at(j, "servers"), 2);
	assert_int_equal(number_at(j, "packets"), 10);
	assert_int_equal(number_at(j, "bytes"), 640);
	assert_int_equal(json_object_size(at(j, "drops")), 2);
	assert_int_equal(number_at(j, "drops.denied"), 7);
	assert_int_equal(number_at(j, "drops.no_route"), 8);
	assert_string_equal(text_at(j, "syn_cookies"), "off");
	assert_true(json_is_null(at(j, "syn_threshold")) && json_is_null(at(j, "flood")));
	j = get("/v1/services/dns");
	assert_int_equal(json_object_size(at(j, "drops")), 0);
	assert_string_equal(text_at(j, "protocol"), "udp");
	assert_string_equal(text_at(j, "forward"), "dsr");
	ask("GET", "/v1/services/none", NULL, 404);
}

static void test_pools(void **state)
{
	json_t *j;

	(void)state;
	fake.server[2] = (struct engine_counter){ 7, 420 };
	assert_int_equal(json_array_size(at(get("/v1/pools"), "pools")), 2);
	j = get("/v1/pools/web");
	assert_true(json_is_null(at(j, "health")));
	assert_string_equal(text_at(j, "services.0"), "web");
	assert_true(json_is_null(at(j, "servers.0.port")));
	assert_string_equal(text_at(j, "servers.1.name"), "web2");
	assert_string_equal(text_at(j, "servers.1.pool"), "web");
	assert_int_equal(number_at(j, "servers.1.id"), 2);
	assert_string_equal(text_at(j, "servers.1.address"), "198.51.100.12");
	assert_int_equal(number_at(j, "servers.1.port"), 8080);
	assert_int_equal(number_at(j, "servers.1.weight"), 5);
	assert_int_equal(number_at(j, "servers.1.weight_configured"), 5);
	assert_string_equal(text_at(j, "servers.1.wanted"), "ready");
	assert_string_equal(text_at(j, "servers.1.state"), "up");
	assert_time(j, "servers.1.since");
	assert_true(json_is_true(at(j, "servers.1.serving")));
	assert_true(json_is_null(at(j, "servers.1.who")));
	assert_true(json_is_null(at(j, "servers.1.when")));
	assert_int_equal(number_at(j, "servers.1.packets"), 7);
	assert_int_equal(number_at(j, "servers.1.bytes"), 420);
	ask("GET", "/v1/pools/none", NULL, 404);
}

#define WEB2 "/v1/pools/web/servers/web2"

static void expect_null(json_t *value, const char *const *ways)
{
	for (; *ways; ways++)
		if (!json_is_null(at(value, *ways)))
			fail_msg("%s is not null", *ways);
}

/* Before the first sweep nothing is known, and nothing is made up. */
static void test_nothing_tracked(void **state)
{
	static const char *const server[] = { "records", "slots", "base_slots", "drained", NULL };
	static const char *const pool[] = { "records", "slots", "slots_tracked", "fallen_back_on",
		"servers.0.records", NULL };
	static const char *const node[] = { "records", NULL };

	(void)state;
	expect_null(get("/v1/pools/web"), pool);
	expect_null(get("/v1/status"), node);
	expect_null(ask("PATCH", WEB2, "{\"wanted\": \"drain\"}", 200), server);
	expect_null(get(WEB2), server);
}

static void test_tracked(void **state)
{
	struct tracking_server servers[3] = { [1] = { 11, 13, 14 }, [2] = { 21, 23, 24 } };
	const struct tracking_pool pools[2] = { [1] = { 31, 1024, 33 } };
	const struct tracking t = { servers, pools, 3, 2, 1,
		{ 1000, 101, 102, 103, { 104, 105, 106, 107 }, 108 } };
	json_t *j;

	(void)state;
	site_set_tracking(f.site, &t);
	j = get("/v1/status");
	assert_int_equal(number_at(j, "records.capacity"), 1000);
	assert_int_equal(number_at(j, "records.embryonic"), 101);
	assert_int_equal(number_at(j, "records.live"), 102);
	assert_int_equal(number_at(j, "records.closing"), 103);
	assert_int_equal(number_at(j, "records.evicted.void"), 104);
	assert_int_equal(number_at(j, "records.evicted.embryonic"), 105);
	assert_int_equal(number_at(j, "records.evicted.agreeing"), 106);
	assert_int_equal(number_at(j, "records.evicted.live"), 107);
	assert_int_equal(number_at(j, "records.not_recorded"), 108);
	j = get("/v1/pools/web");
	assert_int_equal(number_at(j, "id"), 1);
	assert_int_equal(number_at(j, "records"), 31);
	assert_int_equal(number_at(j, "slots"), 1024);
	assert_int_equal(number_at(j, "slots_tracked"), 33);
	assert_int_equal(number_at(j, "servers.0.records"), 11);
	assert_int_equal(number_at(j, "servers.1.records"), 21);
	assert_int_equal(number_at(j, "servers.1.slots"), 23);
	assert_int_equal(number_at(j, "servers.1.base_slots"), 24);
	assert_true(json_is_false(at(j, "servers.1.drained")));
	assert_true(json_is_null(at(get("/v1/pools/dns"), "slots")));
	assert_true(json_is_null(at(get("/v1/pools/dns"), "servers.0.records")));
	site_set_tracking(f.site, NULL);
	assert_true(json_is_null(at(get("/v1/status"), "records")));
}

/* Drained is who is wanted so and has nothing left. */
static void test_drained(void **state)
{
	static const struct {
		struct tracking_server left;
		bool drained;
	} cases[] = {
		{ { .records = 1 }, false },
		{ { .slots = 1 }, false },
		{ { .base_slots = 1 }, false },

		{ { 0 }, true },
	};
	struct tracking_server servers[3] = { 0 };
	const struct tracking t = { .servers = servers, .n_servers = 3 };

	(void)state;
	site_set_tracking(f.site, &t);
	assert_true(json_is_false(at(get(WEB2), "drained")));
	assert_true(
		json_is_true(at(ask("PATCH", WEB2, "{\"wanted\": \"drain\"}", 200), "drained")));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memcpy(&servers[2], &cases[i].left, sizeof servers[2]);
		assert_int_equal(json_is_true(at(get(WEB2), "drained")), cases[i].drained);
	}
	ask("PATCH", WEB2, "{\"wanted\": \"maint\"}", 200);
	assert_true(json_is_false(at(get(WEB2), "drained")));
	ask("GET", "/v1/pools/web/servers/none", NULL, 404);
	ask("GET", "/v1/pools/none/servers/web2", NULL, 404);
}

/* One of this host's own stack, on an address that it has anyway and keeps. */
static void test_local_service(void **state)
{
	char *text = fixture_replaced(fixture_text, "vips: {",
		     "vips: { here: { address = \"127.0.0.1\"; interface = \"front\"; };"),
	     *more = fixture_replaced(text, "services: {",
		     "services: { ssh: { vip = \"here\"; port = 22; forward = \"local\"; };");
	json_t *j;

	(void)state;
	fixture_write(&f, more);
	ask("POST", "/v1/config/apply", "{}", 200);
	j = get("/v1/services/ssh");
	assert_string_equal(text_at(j, "forward"), "local");
	assert_true(json_is_null(at(j, "pool")));
	assert_int_equal(number_at(j, "serving"), 0);
	assert_int_equal(number_at(j, "servers"), 0);
	assert_int_equal(json_array_size(at(get("/v1/status"), "engine.addresses")), 0);
	fake.service_drops[number_at(get("/v1/services/ssh"), "id")][L4_V_LAND] = 1;
	fake.service_drops[1][L4_V_DENIED] = 1;
	j = get("/v1/drops"); /* each under its own VIP, in their order */
	assert_int_equal(json_array_size(at(j, "drops")), 2);
	assert_string_equal(text_at(j, "drops.0.vip"), "here");
	assert_string_equal(text_at(j, "drops.0.service"), "ssh");
	assert_string_equal(text_at(j, "drops.1.vip"), "web");
	assert_string_equal(text_at(j, "drops.1.service"), "web");
	free(more);
	free(text);
}

static bool web_is_flooded(void *arg)
{
	struct site_flood flood;

	(void)arg;
	site_service_flood(f.site, 0, &flood);
	return flood.on;
}

static void test_syn_cookies(void **state)
{
	char *text = fixture_replaced(fixture_text, "pool = \"web\"; };",
		"pool = \"web\"; syn_cookies = \"auto\"; syn_threshold = 7; };");
	json_t *j;

	(void)state;
	fixture_write(&f, text);
	ask("POST", "/v1/config/apply", "{}", 200);
	j = get("/v1/services/web");
	assert_string_equal(text_at(j, "syn_cookies"), "auto");
	assert_int_equal(number_at(j, "syn_threshold"), 7);
	assert_true(json_is_false(at(j, "flood.on")) && json_is_null(at(j, "flood.since")));
	assert_int_equal(number_at(j, "flood.syns_per_s"), 0);
	assert_int_equal(number_at(j, "flood.proxied"), 0);
	fake.floods[1].seen = 1;
	fake.floods[1].last = clock_coarse();
	assert_true(fixture_wait(&f, web_is_flooded, NULL));
	j = get("/v1/services/web");
	assert_true(json_is_true(at(j, "flood.on")));
	assert_int_equal(strlen(text_at(j, "flood.since")), strlen("2024-05-01T10:00:00.000Z"));
	assert_true(json_is_null(at(get("/v1/services/dns"), "flood")));
	assert_int_equal(json_array_size(at(get("/v1/status"), "engine.settings")), 0);
	free(text);
}

/* What a pool does without servers. */
static void test_emergencies(void **state)
{
	char *text = fixture_replaced(
		     fixture_text, "web: { servers:", "web: { when_empty = \"dns2\"; servers:"),
	     *more;
	json_t *j;

	(void)state;
	more = fixture_replaced(text, "dns: { servers:",
		"dns2: { when_empty = \"reset\"; min_up = 1; servers: { d1: { address = "
		"\"198.51.100.14\"; }; }; };\ndns: { servers:");
	fixture_write(&f, more);
	ask("POST", "/v1/config/apply", "{}", 200);
	j = get("/v1/pools/web");
	assert_string_equal(text_at(j, "when_empty"), "dns2");
	assert_int_equal(number_at(j, "min_up"), 0);
	assert_true(json_is_null(at(j, "fallen_back_on")));
	ask("PATCH", WEB2, "{\"wanted\": \"drain\"}", 200);
	ask("PATCH", "/v1/pools/web/servers/web1", "{\"wanted\": \"drain\"}", 200);
	assert_string_equal(text_at(get("/v1/pools/web"), "fallen_back_on"), "dns2");
	j = get("/v1/pools/dns2");
	assert_string_equal(text_at(j, "when_empty"), "reset");
	assert_int_equal(number_at(j, "min_up"), 1);
	assert_true(json_is_false(at(j, "below_min_up")));
	assert_string_equal(text_at(get("/v1/pools/dns"), "when_empty"), "drop");
	assert_string_equal(text_at(get("/v1/pools/dns"), "encapsulation"), "ipip");
	free(more);
	free(text);
}

static void test_patch(void **state)
{
	const struct passwd *me = getpwuid(geteuid());
	json_t *j = ask("PATCH", WEB2,
		"{\"wanted\": \"drain\", \"weight\": 9, \"why\": \"disk \xc3\xa4\"}", 200);

	(void)state;
	assert_string_equal(text_at(j, "wanted"), "drain");
	assert_int_equal(number_at(j, "weight"), 9);
	assert_int_equal(number_at(j, "weight_configured"), 5);
	assert_string_equal(text_at(j, "why"), "disk \xc3\xa4");
	assert_time(j, "when");
	if (me)
		assert_string_equal(text_at(j, "who"), me->pw_name);
	assert_true(json_is_false(at(j, "serving")));
	assert_int_equal(fake.members[1].weight, 0);
	j = get("/v1/status");
	assert_int_equal(json_array_size(at(j, "changes")), 1);
	assert_string_equal(text_at(j, "changes.0.server"), "web/web2");
	assert_string_equal(text_at(j, "changes.0.wanted"), "drain");
	assert_int_equal(number_at(j, "changes.0.weight"), 9);
	assert_int_equal(number_at(j, "servers.drain"), 1);
	assert_int_equal(number_at(j, "servers.serving"), 2);
	j = ask("PATCH", WEB2, "{\"weight\": 8}", 200);
	assert_string_equal(text_at(j, "why"), "disk \xc3\xa4");
	j = ask("PATCH", WEB2, "{\"weight\": 8, \"why\": \"\"}", 200);
	assert_true(json_is_null(at(j, "why")));
	ask("PATCH", WEB2, "{\"weight\": 8, \"why\": \"x\"}", 200);
	j = ask("PATCH", WEB2, "{\"wanted\": \"ready\", \"weight\": null}", 200);
	assert_int_equal(number_at(j, "weight"), 5);
	assert_true(json_is_null(at(j, "why")));
	assert_int_equal(fake.members[1].weight, 5);
	assert_int_equal(json_array_size(at(get("/v1/status"), "changes")), 0);
}

static void test_patch_refused(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *detail;
	} cases[] = {
		{ "", 422, "nothing to change" },
		{ "{}", 422, "nothing to change" },
		{ "{\"why\": \"x\"}", 422, "nothing to change" },
		{ "[]", 422, "object" },
		{ "{\"wanted\": \"up\"}", 422, "wanted" },
		{ "{\"wanted\": null}", 422, "wanted" },
		{ "{\"wanted\": 1}", 422, "wanted" },
		{ "{\"weight\": -1}", 422, "weight" },
		{ "{\"weight\": -2}", 422, "weight" },
		{ "{\"weight\": 1001}", 422, "weight" },
		{ "{\"weight\": 4294967296}", 422, "weight" },
		{ "{\"weight\": 1.5}", 422, "weight" },
		{ "{\"weight\": \"1\"}", 422, "weight" },
		{ "{\"weight\": true}", 422, "weight" },
		{ "{\"weight\": 1, \"why\": 5}", 422, "why" },
		{ "{\"weight\": 1, \"why\": \"a\\nb\"}", 422, "control" },
		{ "{\"weight\": 1, \"color\": 5}", 422, "color" },
		{ "{\"weight\": 1, \"weight\": 2}", 400, "line 1, column" },
		{ "{\n\"weight\": 1,,}", 400, "line 2, column 13" },
		{ "{\"why\": \"\\u0000\", \"weight\": 1}", 400, "line 1" },
		{ "{\"why\": \"\xff\", \"weight\": 1}", 400, "line 1" },
		{ "nothing", 400, "line 1" },
	};
	char body[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *j = ask("PATCH", WEB2, cases[i].body, cases[i].status);

		if (!strstr(text_at(j, "detail"), cases[i].detail))
			fail_msg("case %zu: \"%s\" does not say %s", i, text_at(j, "detail"),
				cases[i].detail);
	}
	snprintf(body, sizeof body, "{\"weight\": 1, \"why\": \"%0128d\"}", 0);
	ask("PATCH", WEB2, body, 422);
	ask("PATCH", "/v1/pools/none/servers/web2", "{\"weight\": 1}", 404);
	ask("PATCH", "/v1/pools/web/servers/none", "{\"weight\": 1}", 404);
	ask("PATCH", "/v1/pools/dns/servers/web2", "{\"weight\": 1}", 404);
	assert_int_equal(fake.publishes, 1);
	fake.publish_error = -EIO;
	ask("PATCH", WEB2, "{\"weight\": 1}", 500);
}

static void test_paths(void **state)
{
	static const char *const nowhere[] = { "/", "/v1", "/v1/", "/v2/version", "/v1/version/",
		"/v1/vips/", "/v1//version", "/v1/pools/web/servers",
		"/v1/pools/web/servers/web1/x", "/v1/vips/a/b", "/v1/vips/%00", "/v1/vips/web%00",
		"/v1/vips/%2", "/v1/vips/%2fweb",
		"/v1/vips/0123456789012345678901234567890123456789012345678901234567890123456789",
		"/v1/*" };

	(void)state;
	for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
		ask("GET", nowhere[i], NULL, 404);
	assert_string_equal(text_at(get("/v1/vips/%77e%62"), "name"), "web");
	get("/v1/version?x=1");
}

static void test_methods(void **state)
{
	static const struct {
		const char *method, *path, *allow;
	} cases[] = {
		{ "POST", "/v1/status", "Allow: GET\r\n" },
		{ "DELETE", "/v1/pools/web", "Allow: GET\r\n" },
		{ "POST", "/v1/pools/web/servers/web1", "Allow: GET, PATCH\r\n" },
		{ "PUT", "/v1/pools/web/servers/web1", "Allow: GET, PATCH\r\n" },
		{ "GET", "/v1/config/apply", "Allow: POST\r\n" },
		{ "GET", "/v1/engine/detach", "Allow: POST\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct answer a =
			client_request(f.base, sock, cases[i].method, cases[i].path, NULL);

		assert_int_equal(a.status, 405);
		assert_non_null(strstr(a.text, cases[i].allow));
		answer_free(&a);
	}
	assert_int_equal(fake.detaches, 0);
}

static void test_health_and_drops(void **state)
{
	json_t *j;

	(void)state;
	assert_int_equal(json_array_size(at(get("/v1/health"), "health")), 0);
	fake.verdicts[L4_V_FORWARDED] = 100;
	fake.verdicts[L4_V_NO_SERVICE] = 3;
	fake.vip_drops[1][L4_V_NO_SERVICE] = 2;
	fake.vip_drops[2][L4_V_MALFORMED] = 1;
	fake.vip_drops[2][L4_V_FORWARDED] = 1; /* no drop */
	fake.service_drops[2][L4_V_NO_SERVER] = 5;
	j = get("/v1/drops");
	assert_int_equal(json_array_size(at(j, "drops")), 5);
	assert_true(json_is_null(at(j, "drops.0.vip")));
	assert_true(json_is_null(at(j, "drops.0.service")));
	assert_string_equal(text_at(j, "drops.0.reason"), "forwarded");
	assert_string_equal(text_at(j, "drops.0.action"), "send");
	assert_int_equal(number_at(j, "drops.0.count"), 100);
	assert_string_equal(text_at(j, "drops.1.reason"), "no_service");
	assert_string_equal(text_at(j, "drops.1.action"), "drop");
	assert_string_equal(text_at(j, "drops.2.vip"), "web");
	assert_true(json_is_null(at(j, "drops.2.service")));
	assert_int_equal(number_at(j, "drops.2.count"), 2);
	assert_true(strlen(text_at(j, "drops.2.help")) > 0);
	assert_string_equal(text_at(j, "drops.3.vip"), "web");
	assert_string_equal(text_at(j, "drops.3.service"), "dns");
	assert_string_equal(text_at(j, "drops.3.reason"), "no_server");
	assert_int_equal(number_at(j, "drops.3.count"), 5);
	assert_string_equal(text_at(j, "drops.4.vip"), "back");
	assert_true(json_is_null(at(j, "drops.4.service")));
	assert_string_equal(text_at(j, "drops.4.reason"), "malformed");
}

static void test_checked_server(void **state)
{
	char *text = fixture_replaced(fixture_text, "pools: {",
		"health: { h: { type = \"http\"; port = 1; }; };\n"
		"pools: { chk: { health = \"h\"; servers: { s1: { address = \"127.0.0.1\"; }; }; "
		"};");
	json_t *j;

	(void)state;
	fixture_write(&f, text);
	free(text);
	ask("POST", "/v1/config/apply", "{}", 200);
	j = get("/v1/health");
	assert_int_equal(json_array_size(at(j, "health")), 1);
	assert_string_equal(text_at(j, "health.0.server"), "chk/s1");
	assert_string_equal(text_at(j, "health.0.check"), "h");
	assert_string_equal(text_at(j, "health.0.type"), "http");
	assert_string_equal(text_at(j, "health.0.target"), "127.0.0.1:1");
	assert_true(json_is_integer(at(j, "health.0.probes")));
	assert_true(json_is_integer(at(j, "health.0.failures")));
	assert_true(json_is_integer(at(j, "health.0.streak")));
	at(j, "health.0.state");
	at(j, "health.0.since");
	at(j, "health.0.last_probe");
	at(j, "health.0.last_duration_us");
	at(j, "health.0.last_ok");
	at(j, "health.0.reason");
}

static void test_config(void **state)
{
	json_t *j = get("/v1/config"), *body;
	char *text;

	(void)state;
	assert_string_equal(text_at(j, "path"), f.config);
	assert_string_equal(text_at(j, "text"), fixture_text);
	get("/v1/config/schema");

	body = json_pack("{s:s}", "path", f.config);
	text = json_dumps(body, 0);
	j = ask("POST", "/v1/config/check", text, 200);
	assert_true(json_is_true(at(j, "ok")));
	json_decref(body);
	free(text);
	j = ask("POST", "/v1/config/check", "{\"text\": \"node = 1;\\n\"}", 200);
	assert_true(json_is_false(at(j, "ok")));
	assert_true(json_array_size(at(j, "diagnostics")) > 0);
	assert_string_equal(text_at(j, "diagnostics.0.level"), "error");
	assert_true(json_is_string(at(j, "diagnostics.0.message")));
	at(j, "diagnostics.0.file");
	at(j, "diagnostics.0.line");
	at(j, "diagnostics.0.column");
	at(j, "diagnostics.0.source");
	ask("POST", "/v1/config/check", "{}", 422);
	ask("POST", "/v1/config/check", "{\"path\": \"/x\", \"text\": \"\"}", 422);
	ask("POST", "/v1/config/check", "{\"path\": \"relative.conf\"}", 422);
	ask("POST", "/v1/config/check", "{\"path\": \"/nonexistent/file\"}", 422);
	ask("POST", "/v1/config/check", "{\"path\": 5}", 422);
	ask("POST", "/v1/config/check", "{\"file\": \"/x\"}", 422);
	ask("POST", "/v1/config/check", "{\"path\": \"/", 400);
}

static void test_apply(void **state)
{
	char *text = fixture_replaced(fixture_text, "weight = 5", "weight = 6");
	json_t *j;

	(void)state;
	j = ask("POST", "/v1/config/apply", "", 200);
	assert_int_equal(number_at(j, "generation"), 1);
	fixture_write(&f, text);
	free(text);
	j = ask("POST", "/v1/config/apply", "{}", 200);
	assert_int_equal(number_at(j, "generation"), 2);
	assert_true(json_is_array(at(j, "diagnostics")));
	assert_int_equal(fake.members[1].weight, 6);
	fixture_write(&f, "node = ;");
	j = ask("POST", "/v1/config/apply", "{}", 422);
	assert_true(json_array_size(at(j, "diagnostics")) > 0);
	assert_int_equal(number_at(j, "diagnostics.0.line"), 1);
	text = fixture_replaced(fixture_text, "services = 32", "services = 31");
	fixture_write(&f, text);
	free(text);
	ask("POST", "/v1/config/apply", "{}", 409);
	ask("POST", "/v1/config/apply", "{\"path\": \"x\"}", 422);
	ask("POST", "/v1/config/apply", "{\"path\": \"/nonexistent/x\"}", 422);
	ask("POST", "/v1/config/apply", "{\"paht\": \"/x\"}", 422);
	assert_int_equal(fake.publishes, 2);
}

static void test_detach(void **state)
{
	json_t *j;

	(void)state;
	ask("POST", "/v1/engine/detach", "{\"now\": true}", 422);
	assert_int_equal(fake.detaches, 0);
	j = ask("POST", "/v1/engine/detach", "", 200);
	assert_int_equal(number_at(j, "interfaces"), 1);
	j = get("/v1/status");
	assert_true(json_is_true(at(j, "engine.detached")));
	assert_int_equal(json_array_size(at(j, "engine.ports")), 0);
	assert_non_null(strstr(text_at(j, "warnings.0"), "detached"));
	ask("PATCH", WEB2, "{\"weight\": 1}", 409);
	ask("POST", "/v1/config/apply", "", 409);
	ask("POST", "/v1/engine/detach", "", 409);
}

/* A body of `size` bytes; the status of the answer. */
static int post_size(size_t size)
{
	char *bytes = malloc(size + 256);
	struct answer a;
	size_t head;
	int status;

	head = (size_t)sprintf(bytes,
		"POST /v1/config/check HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
		"%zu\r\n\r\n",
		size);
	memset(bytes + head, ' ', size);
	a = client_send(f.base, sock, bytes, head + size);
	status = a.status;
	if (status == 413 && size <= 2 * CALL_BODY_MAX)
		assert_non_null(a.json);
	answer_free(&a);
	free(bytes);
	return status;
}

static void test_body_limit(void **state)
{
	(void)state;
	assert_int_equal(post_size(CALL_BODY_MAX), 400); /* taken, but blank is not JSON */
	assert_int_equal(post_size(CALL_BODY_MAX + 1), 413);
	assert_int_equal(post_size(3 * CALL_BODY_MAX), 413);
	get("/v1/version");
}

/* What is no HTTP, or too much of it, does no harm. */
static void test_garbage(void **state)
{
	static const char *const texts[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"BREW /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n",
		"GET /v1/status HTTP/9.9\r\nConnection: close\r\n\r\n",
		"GET http://:99999/v1 HTTP/1.1\r\nConnection: close\r\n\r\n",
		"POST /v1/config/check HTTP/1.1\r\nConnection: close\r\nContent-Length: -5\r\n\r\n",
		"POST /v1/config/check HTTP/1.1\r\nConnection: close\r\nContent-Length: "
		"99999999999999999999\r\n\r\n",
		"POST /v1/config/check HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: "
		"chunked\r\n\r\nZZ\r\n",
	};
	char *large = malloc(40000);

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		int fd = client_connect(sock);

		assert_true(send(fd, texts[i], strlen(texts[i]), MSG_NOSIGNAL) > 0);
		get("/v1/version");
		close(fd);
	}
	memset(large, 'a', 40000);
	memcpy(large, "GET /v1/", 8);
	{
		struct answer a = client_send(f.base, sock, large, 40000);

		assert_int_not_equal(a.status, 200);
		answer_free(&a);
	}
	free(large);
	get("/v1/version");
}

static bool has_answer(void *arg)
{
	char byte;

	return recv(*(int *)arg, &byte, 1, MSG_PEEK) == 1;
}

/* As many connections as may be: the next one waits until one of them goes. */
static void test_connection_limit(void **state)
{
	static const char request[] =
		"GET /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	const struct timeval some = { .tv_usec = 200000 };
	int fds[CONNECTIONS_MAX], next;
	char answer[64];

	(void)state;
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		const struct timeval turn = { .tv_usec = 1000 };

		fds[i] = client_connect(sock);
		event_base_loopexit(f.base, &turn);
		event_base_dispatch(f.base);
	}
	next = client_connect(sock);
	assert_true(send(next, request, sizeof request - 1, MSG_NOSIGNAL) > 0);
	event_base_loopexit(f.base, &some);
	event_base_dispatch(f.base);
	assert_int_equal(recv(next, answer, sizeof answer, 0), -1);
	assert_int_equal(errno, EAGAIN);
	close(fds[7]);
	assert_true(fixture_wait(&f, has_answer, &next));
	assert_true(recv(next, answer, sizeof answer, 0) > 12);
	assert_memory_equal(answer, "HTTP/1.1 200", 12);
	close(next);
	for (int i = 0; i < CONNECTIONS_MAX; i++)
		if (i != 7)
			close(fds[i]);
	get("/v1/version");
}

static void test_socket_mode(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(sock, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void test_socket_failures(void **state)
{
	struct api_options o = { .path = sock, .group = "" };
	char path[300];
	struct api *a;
	struct err e;
	int fd;

	(void)state;
	fixture_open(&f);
	snprintf(sock, sizeof sock, "%s/api.sock", f.dir);
	assert_int_equal(fixture_start(&f), 0);

	snprintf(path, sizeof path, "/tmp/%0200d", 0);
	o.path = path;
	assert_int_equal(api_new(&a, f.base, f.site, &o, &e), -ENAMETOOLONG);
	assert_non_null(strstr(e.text, "--run-dir"));
	o.path = sock;
	o.group = "no-such-group-here";
	assert_int_equal(api_new(&a, f.base, f.site, &o, &e), -ENOENT);
	assert_non_null(strstr(e.text, "no-such-group-here"));
	o.group = "";
	/* A file is not replaced, a dead daemon's socket is. */
	fd = open(sock, O_WRONLY | O_CREAT, 0600);
	close(fd);
	assert_int_equal(api_new(&a, f.base, f.site, &o, &e), -EEXIST);
	assert_int_equal(unlink(sock), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	{
		struct sockaddr_un sun = { .sun_family = AF_UNIX };

		snprintf(sun.sun_path, sizeof sun.sun_path, "%s", sock);
		assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	}
	close(fd);
	assert_int_equal(api_new(&a, f.base, f.site, &o, &e), 0);
	api_free(a);
	fixture_close(&f);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_version_and_status),
		SERVED(test_status_of_workers),
		SERVED(test_status_of_devices),
		SERVED(test_vips),
		SERVED(test_services),
		SERVED(test_pools),
		SERVED(test_nothing_tracked),
		SERVED(test_tracked),
		SERVED(test_drained),
		SERVED(test_local_service),
		SERVED(test_syn_cookies),
		SERVED(test_emergencies),
		SERVED(test_patch),
		SERVED(test_patch_refused),
		SERVED(test_paths),
		SERVED(test_methods),
		SERVED(test_health_and_drops),
		SERVED(test_checked_server),
		SERVED(test_config),
		SERVED(test_apply),
		SERVED(test_detach),
		SERVED(test_body_limit),
		SERVED(test_garbage),
		SERVED(test_connection_limit),
		SERVED(test_socket_mode),
		cmocka_unit_test(test_socket_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
