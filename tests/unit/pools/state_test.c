/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/state.h"

static const char two_servers[] =
	"node = \"lb-a\";\n"
	"interfaces: { front: { device = \"lo\"; }; };\n"
	"vips: { web: { address = \"192.0.2.10\"; interface = \"front\"; }; };\n"
	"gateways: { back: { address = \"198.51.100.1\"; interface = \"front\"; }; };\n"
	"health: { web: { type = \"tcp\"; }; };\n"
	"pools: { web: { health = \"web\"; servers: {\n"
	"  web1: { address = \"198.51.100.11\"; };\n"
	"  web2: { address = \"198.51.100.12\"; port = 8080; weight = 7; };\n"
	"}; }; };\n"
	"services: { web: { vip = \"web\"; port = 80; forward = \"nat\"; pool = \"web\"; }; };\n";

static struct conf *parse(const char *text)
{
	struct diags d = { 0 };
	struct conf *c;

	if (conf_parse(text, "test", &c, &d)) {
		diags_print(&d, stderr);
		fail();
	}
	diags_free(&d);
	return c;
}

/* The text with its first `from` made `to`; to be freed. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out = NULL;

	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >= 0);
	return out;
}

static struct state *bound(struct conf **c, struct binding *ids)
{
	struct state *st = state_new();
	struct err e = { "" };

	assert_non_null(st);
	*c = parse(two_servers);
	assert_int_equal(state_bind(st, *c, NULL, ids, &e), 0);
	return st;
}

static void test_bind(void **state)
{
	struct binding ids;
	struct conf *c;
	struct state *st = bound(&c, &ids);
	const struct state_server *web2 = state_server(st, ids.servers[1]);

	(void)state;
	assert_int_equal(ids.vips[0], 1);
	assert_int_equal(ids.gateways[0], 2);
	assert_int_equal(ids.services[0], 1);
	assert_int_equal(ids.pools[0], 1);
	assert_int_equal(ids.servers[0], 1);
	assert_int_equal(ids.servers[1], 2);
	assert_int_equal(web2->overlay.weight, -1);
	assert_int_equal(web2->seen.state, HEALTH_STARTING);
	assert_int_equal(web2->seen.port, 8080);
	binding_free(&ids);
	conf_free(c);
	state_free(st);
}

static void rebind(struct state *st, const char *text, struct binding *ids)
{
	struct conf *c = parse(text);
	struct err e = { "" };

	binding_free(ids);
	assert_int_equal(state_bind(st, c, NULL, ids, &e), 0);
	conf_free(c);
}

/* What was seen holds for as long as the server is the same one; what is wanted, for as long as its name is
 * remembered. */
static void test_seen_follows_the_address(void **state)
{
	char *without_check = replaced(two_servers, "health = \"web\";", "");
	char *moved = replaced(two_servers, "198.51.100.11", "198.51.100.13");
	char *gone = replaced(two_servers, "web1: { address = \"198.51.100.11\"; };", "");
	struct state_server *web1;
	struct binding ids;
	struct conf *c;
	struct state *st = bound(&c, &ids);

	(void)state;
	web1 = state_server(st, ids.servers[0]);
	web1->seen.state = HEALTH_UP;
	web1->overlay.wanted = SERVER_DRAIN;
	rebind(st, two_servers, &ids);
	web1 = state_server(st, ids.servers[0]);
	assert_int_equal(web1->seen.state, HEALTH_UP);
	rebind(st, moved, &ids);
	assert_int_equal(state_server(st, ids.servers[0])->seen.state, HEALTH_STARTING);
	rebind(st, without_check, &ids);
	assert_int_equal(state_server(st, ids.servers[0])->seen.state, HEALTH_UP);
	rebind(st, gone, &ids);
	assert_int_equal(ids.servers[0], 2);
	assert_int_equal(state_server(st, 1)->seen.state, HEALTH_STARTING);
	rebind(st, two_servers, &ids);
	web1 = state_server(st, ids.servers[0]);
	assert_int_equal(ids.servers[0], 1);
	assert_int_equal(web1->seen.state, HEALTH_STARTING);
	assert_int_equal(web1->overlay.wanted, SERVER_DRAIN);
	binding_free(&ids);
	conf_free(c);
	state_free(st);
	free(gone);
	free(moved);
	free(without_check);
}

/* A number that goes to another server takes nothing along. */
static void test_reused_number_is_clean(void **state)
{
	char *one = replaced(two_servers, "web2: {", "web3: {");
	char *small = replaced(two_servers, "node", "limits: { servers = 2; };\nnode");
	char *small_one = replaced(one, "node", "limits: { servers = 2; };\nnode");
	struct binding ids = { 0 };
	struct state *st = state_new();

	(void)state;
	rebind(st, small, &ids);
	state_server(st, ids.servers[1])->overlay.wanted = SERVER_MAINT;
	rebind(st, small_one, &ids);
	assert_int_equal(ids.servers[1], 2);
	assert_int_equal(state_server(st, 2)->overlay.wanted, SERVER_READY);
	binding_free(&ids);
	state_free(st);
	free(small_one);
	free(small);
	free(one);
}

/* Numbers whose counters are to start at zero: all the first time, then those that change hands. */
static void test_fresh_numbers(void **state)
{
	char *moved = replaced(two_servers, "web1: {", "web3: {");
	struct binding ids;
	struct conf *c;
	struct state *st = bound(&c, &ids);

	(void)state;
	assert_int_equal(ids.n_fresh, 5);
	rebind(st, two_servers, &ids);
	assert_int_equal(ids.n_fresh, 0);
	rebind(st, moved, &ids);
	assert_int_equal(ids.n_fresh, 1);
	assert_int_equal(ids.fresh[0].kind, ENGINE_SERVER);
	assert_int_equal(ids.fresh[0].id, 3);
	rebind(st, two_servers, &ids);
	assert_int_equal(ids.n_fresh, 0);
	binding_free(&ids);
	conf_free(c);
	state_free(st);
	free(moved);
}

/* What records name, and what left too late for the sweep to have looked, keeps its number. */
static void test_tracked_numbers_are_held(void **state)
{
	char *small = replaced(two_servers, "node", "limits: { servers = 2; pools = 1; };\nnode");
	char *server = replaced(small, "web2: {", "web3: {");
	char *other = replaced(small, "pools: { web: {", "pools: { other: {");
	char *pool = replaced(other, "pool = \"web\"", "pool = \"other\"");
	struct tracking_server servers[3] = { 0 };
	struct tracking_pool pools[2] = { 0 };
	struct tracking t = { servers, pools, 3, 2, 2, { 0 } };
	struct binding ids = { 0 };
	struct state *st = state_new(), *copy;
	char *texts[] = { server, pool };
	uint64_t *named[] = { &servers[2].records, &pools[1].records };

	(void)state;
	rebind(st, small, &ids);
	for (size_t i = 0; i < 2; i++) {
		struct conf *c = parse(texts[i]);
		struct err e = { "" };

		*named[i] = 1;
		copy = state_copy(st);
		binding_free(&ids);
		assert_int_equal(state_bind(copy, c, &t, &ids, &e), -EAGAIN);
		assert_non_null(strstr(e.text, i < 1 ? "limits.servers" : "limits.pools"));
		state_free(copy);
		*named[i] = 0;
		copy = state_copy(st);
		assert_int_equal(state_bind(copy, c, &t, &ids, &e), 0);
		binding_free(&ids);
		state_free(copy);
		t.round = 1; /* the sweep began before the change */
		copy = state_copy(st);
		assert_int_equal(state_bind(copy, c, &t, &ids, &e), -EAGAIN);
		state_free(copy);
		t.round = 2;
		conf_free(c);
	}
	state_free(st);
	free(pool);
	free(other);
	free(server);
	free(small);
}

/* Files of the time when pools had no numbers. */
static void test_no_pools_yet(void **state)
{
	struct binding ids;
	struct conf *c;
	struct state *st = bound(&c, &ids), *read;
	char *text, *old;
	struct err e = { "" };

	(void)state;
	text = state_encode(st);
	old = replaced(text, " \"pools\": {\n  \"web\": {\n   \"id\": 1\n  }\n },\n", "");
	assert_int_equal(state_decode(old, strlen(old), "state.json", &read, &e), 0);
	assert_int_equal(read->pools.n, 0);
	state_free(read);
	free(old);
	free(text);
	binding_free(&ids);
	conf_free(c);
	state_free(st);
}

static char *encoded(void)
{
	struct binding ids;
	struct conf *c;
	struct state *st = bound(&c, &ids);
	struct site_overlay *o = &state_server(st, ids.servers[1])->overlay;
	char *text;

	memcpy(st->key, "0123456789abcdef", 16);
	st->generation = 77;
	*o = (struct site_overlay){ .wanted = SERVER_DRAIN, .weight = 3, .when_s = 1700000000 };
	strcpy(o->who, "root");
	strcpy(o->why, "kernel \"update\" \xc3\xa4");
	state_server(st, ids.servers[0])->seen.state = HEALTH_UP;
	text = state_encode(st);
	assert_non_null(text);
	binding_free(&ids);
	conf_free(c);
	state_free(st);
	return text;
}

static void test_round_trip(void **state)
{
	char *text = encoded(), *again;
	struct state *st, *copy;
	struct err e = { "" };

	(void)state;
	assert_int_equal(state_decode(text, strlen(text), "state.json", &st, &e), 0);
	assert_memory_equal(st->key, "0123456789abcdef", 16);
	assert_int_equal(st->generation, 77);
	assert_int_equal(st->round, 1);
	assert_int_equal(ids_find(&st->addresses, "gateways/back")->id, 2);
	assert_int_equal(ids_find(&st->pools, "web")->id, 1);
	assert_int_equal(state_server(st, 1)->seen.state, HEALTH_UP);
	assert_int_equal(state_server(st, 2)->overlay.wanted, SERVER_DRAIN);
	assert_int_equal(state_server(st, 2)->overlay.weight, 3);
	assert_string_equal(state_server(st, 2)->overlay.why, "kernel \"update\" \xc3\xa4");
	copy = state_copy(st);
	again = state_encode(copy);
	assert_string_equal(text, again);
	free(again);
	state_free(copy);
	state_free(st);
	free(text);
}

/* Each is damage, and the sentence says where. */
static void test_damage(void **state)
{
	static const struct {
		const char *from, *to, *where;
	} cases[] = {
		{ "\"version\": 1", "\"version\": 2", "version 2" },
		{ "\"version\": 1", "\"version\": \"1\"", "top level" },
		{ "\"version\": 1,", "", "version" },
		{ "\"key\": \"30", "\"key\": \"3x", "\"key\"" },
		{ "\"key\": \"30", "\"key\": \"", "\"key\"" },
		{ "\"generation\": 77", "\"generation\": -1", "\"generation\"" },
		{ "\"generation\": 77", "\"generation\": 7.5", "top level" },
		{ "\"round\": 1", "\"round\": 1, \"extra\": 1", "extra" },
		{ "\"round\": 1", "\"round\": 1, \"round\": 1", "line" },
		{ "\"vips/web\": {\n   \"id\": 1", "\"vips/web\": {\n   \"id\": 2",
			"addresses.vips/web" },
		{ "\"vips/web\": {\n   \"id\": 1", "\"vips/web\": {\n   \"id\": 0",
			"addresses.vips/web" },
		{ "\"vips/web\": {\n   \"id\": 1", "\"vips/web\": {\n   \"id\": 4294967297",
			"addresses.vips/web" },
		{ "\"vips/web\": {\n   \"id\": 1", "\"vips/web\": {\n   \"id\": 131073",
			"addresses.vips/web" },
		{ "\"vips/web\": {\n   \"id\": 1", "\"vips/web\": {\n   \"id\": 1, \"gone\": -1",
			"addresses.vips/web" },
		{ "\"vips/web\": {\n   \"id\": 1", "\"vips/web\": {\n   \"id\": 1, \"seen\": {}",
			"addresses.vips/web" },
		{ "\"vips/web\": {", "\"vips/web\": [{", "line" },
		{ "\"pools\": {\n  \"web\": {\n   \"id\": 1",
			"\"pools\": {\n  \"web\": {\n   \"id\": -1", "pools.web" },
		{ "\"overlay\"", "\"overlby\"", "servers.web/web2" },
		{ "\"wanted\": \"drain\"", "\"wanted\": \"dry\"", "servers.web/web2" },
		{ "\"weight\": 3", "\"weight\": 1001", "servers.web/web2" },
		{ "\"weight\": 3", "\"weight\": \"3\"", "servers.web/web2" },
		{ "\"who\": \"root\"", "\"who\": 0", "servers.web/web2" },
		{ "\"who\": \"root\"",
			"\"who\": "
			"\"0123456789012345678901234567890123456789012345678901234567890123\"",
			"servers.web/web2" },
		{ "\"when\": 1700000000", "\"when\": -1", "servers.web/web2" },
		{ "\"state\": \"up\"", "\"state\": \"upp\"", "servers.web/web1" },
		{ "\"198.51.100.11\"", "\"198.51.100.256\"", "servers.web/web1" },
		{ "\"port\": 8080", "\"port\": 65536", "servers.web/web2" },
		{ "\"port\": 8080", "\"port\": 8080, \"x\": 1", "servers.web/web2" },
	};
	char *good = encoded();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *bad = replaced(good, cases[i].from, cases[i].to);
		struct err e = { "" };
		struct state *st;

		assert_int_equal(state_decode(bad, strlen(bad), "/x/state.json", &st, &e), -EINVAL);
		assert_non_null(strstr(e.text, "/x/state.json"));
		if (!strstr(e.text, cases[i].where))
			fail_msg("case %zu: \"%s\" does not name %s", i, e.text, cases[i].where);
		free(bad);
	}
	free(good);
}

/* A file that was cut off anywhere is refused, and never read beyond its end. */
static void test_truncation(void **state)
{
	char *good = encoded();
	size_t len = strlen(good);

	(void)state;
	for (size_t i = 0; i + 1 < len; i++) {
		char *part = malloc(i ? i : 1);
		struct err e = { "" };
		struct state *st;

		memcpy(part, good, i);
		assert_int_equal(state_decode(part, i, "state.json", &st, &e), -EINVAL);
		assert_non_null(strstr(e.text, "line "));
		free(part);
	}
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_seen_follows_the_address),
		cmocka_unit_test(test_reused_number_is_clean),
		cmocka_unit_test(test_fresh_numbers),
		cmocka_unit_test(test_tracked_numbers_are_held),
		cmocka_unit_test(test_no_pools_yet),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
