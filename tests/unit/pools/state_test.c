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

/* As tandemd wrote it when one file had all parts, and before that when pools had no numbers. */
static const char version_1[] =
	"{\n"
	" \"version\": 1,\n"
	" \"key\": \"30313233343536373839616263646566\",\n"
	" \"generation\": 77,\n"
	" \"round\": 4,\n"
	" \"addresses\": { \"vips/web\": { \"id\": 1 } },\n"
	" \"services\": { \"web\": { \"id\": 3 } },\n"
	" \"pools\": { \"web\": { \"id\": 9 } },\n"
	" \"servers\": {\n"
	"  \"web/web1\": { \"id\": 7, \"gone\": 2, \"overlay\": { \"wanted\": \"maint\", \"weight\": null,\n"
	"   \"who\": \"root\", \"why\": \"disk\", \"when\": 1700000000 } },\n"
	"  \"web/web2\": { \"id\": 2, \"seen\": { \"state\": \"down\", \"address\": \"198.51.100.12\",\n"
	"   \"port\": 8080 } }\n"
	" }\n"
	"}\n";

static struct state *decoded(const char *text, enum state_part part, struct state *st)
{
	struct err e = { "" };

	st = st ? st : state_new();
	if (state_decode(st, part, text, strlen(text), "state.json", &e) < 0)
		fail_msg("%s", e.text);
	return st;
}

static void test_version_1(void **state)
{
	char *no_pools = replaced(version_1, " \"pools\": { \"web\": { \"id\": 9 } },\n", "");
	struct state *st = state_new();
	struct err e = { "" };

	(void)state;
	assert_int_equal(
		state_decode(st, STATE_NUMBERS, version_1, strlen(version_1), "x", &e), STATE_ALL);
	assert_memory_equal(st->key, "0123456789abcdef", 16);
	assert_int_equal(st->round, 4);
	assert_int_equal(ids_find(&st->pools, "web")->id, 9);
	assert_int_equal(ids_find(&st->servers, "web/web1")->gone, 2);
	assert_int_equal(state_server(st, 7)->overlay.wanted, SERVER_MAINT);
	assert_int_equal(state_server(st, 7)->overlay.weight, -1);
	assert_string_equal(state_server(st, 7)->overlay.why, "disk");
	assert_int_equal(state_server(st, 2)->overlay.wanted, SERVER_READY);
	assert_int_equal(state_server(st, 2)->seen.state, HEALTH_DOWN);
	assert_int_equal(state_server(st, 2)->seen.port, 8080);
	state_free(st);
	st = decoded(no_pools, STATE_NUMBERS, NULL);
	assert_int_equal(st->pools.n, 0);
	state_free(st);
	free(no_pools);
}

/* A state with something to say in every part. */
static struct state *eventful(void)
{
	struct binding ids;
	struct conf *c;
	struct state *st = bound(&c, &ids);
	struct site_overlay *o = &state_server(st, ids.servers[1])->overlay;

	memcpy(st->key, "0123456789abcdef", 16);
	*o = (struct site_overlay){ .wanted = SERVER_DRAIN, .weight = 3, .when_s = 1700000000 };
	strcpy(o->who, "root");
	strcpy(o->why, "kernel \"update\" \xc3\xa4");
	state_server(st, ids.servers[0])->seen.state = HEALTH_UP;
	binding_free(&ids);
	conf_free(c);
	return st;
}

static char *encoded(enum state_part part)
{
	struct state *st = eventful();
	char *text = state_encode(st, part);

	assert_non_null(text);
	state_free(st);
	return text;
}

static void test_round_trip(void **state)
{
	static const enum state_part parts[] = { STATE_NUMBERS, STATE_WANTED, STATE_SEEN };
	struct state *st = state_new(), *copy;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *text = encoded(parts[i]), *again;

		decoded(text, parts[i], st);
		copy = state_copy(st);
		again = state_encode(copy, parts[i]);
		assert_string_equal(text, again);
		state_free(copy);
		free(again);
		free(text);
	}
	assert_memory_equal(st->key, "0123456789abcdef", 16);
	assert_int_equal(st->round, 1);
	assert_int_equal(ids_find(&st->addresses, "gateways/back")->id, 2);
	assert_int_equal(ids_find(&st->pools, "web")->id, 1);
	assert_int_equal(state_server(st, 1)->seen.state, HEALTH_UP);
	assert_int_equal(state_server(st, 2)->overlay.wanted, SERVER_DRAIN);
	assert_int_equal(state_server(st, 2)->overlay.weight, 3);
	assert_string_equal(state_server(st, 2)->overlay.who, "root");
	assert_string_equal(state_server(st, 2)->overlay.why, "kernel \"update\" \xc3\xa4");
	assert_int_equal(state_server(st, 2)->overlay.when_s, 1700000000);
	state_free(st);
}

/* What goes without saying is not written: a change of one server among many is one line. */
static void test_untold(void **state)
{
	char *numbers = encoded(STATE_NUMBERS), *wanted = encoded(STATE_WANTED),
	     *seen = encoded(STATE_SEEN);

	(void)state;
	assert_null(strstr(numbers, "drain"));
	assert_null(strstr(numbers, "198.51.100.11"));
	assert_null(strstr(wanted, "web/web1"));
	assert_non_null(strstr(wanted, "web/web2"));
	assert_non_null(strstr(seen, "web/web1"));
	assert_null(strstr(seen, "web/web2"));
	free(seen);
	free(wanted);
	free(numbers);
}

/* A name that lost its number says nothing to whoever has that now. */
static void test_said_of_nobody(void **state)
{
	char *wanted = encoded(STATE_WANTED), *seen = encoded(STATE_SEEN);
	char *numbers = encoded(STATE_NUMBERS), *others = replaced(numbers, "web/web1", "web/web8"),
	     *all_others = replaced(others, "web/web2", "web/web9");
	struct state *st = decoded(all_others, STATE_NUMBERS, NULL);

	(void)state;
	decoded(wanted, STATE_WANTED, st);
	decoded(seen, STATE_SEEN, st);
	assert_int_equal(state_server(st, 1)->seen.state, HEALTH_STARTING);
	assert_int_equal(state_server(st, 2)->overlay.wanted, SERVER_READY);
	assert_int_equal(st->servers.n, 2);
	state_free(st);
	free(all_others);
	free(others);
	free(numbers);
	free(seen);
	free(wanted);
}

/* Each is damage, and the sentence says where. */
static void test_damage(void **state)
{
	static const struct {
		enum state_part part;
		const char *from, *to, *where;
	} cases[] = {
		{ STATE_NUMBERS, "\"version\": 2", "\"version\": 3", "version 3" },
		{ STATE_NUMBERS, "\"version\": 2", "\"version\": 0", "version 0" },
		{ STATE_NUMBERS, "\"version\": 2", "\"version\": 1", "top level" },
		{ STATE_WANTED, "\"version\": 1", "\"version\": 2", "version 2" },
		{ STATE_SEEN, "\"version\": 1", "\"version\": 2", "version 2" },
		{ STATE_NUMBERS, "\"version\": 2", "\"version\": \"1\"", "top level" },
		{ STATE_NUMBERS, "\"version\": 2,", "", "version" },
		{ STATE_NUMBERS, "\"key\": \"30", "\"key\": \"3x", "\"key\"" },
		{ STATE_NUMBERS, "\"key\": \"30", "\"key\": \"", "\"key\"" },
		{ STATE_NUMBERS, "\"round\": 1", "\"round\": 1, \"extra\": 1", "extra" },
		{ STATE_NUMBERS, "\"round\": 1", "\"round\": 1, \"round\": 1", "line" },
		{ STATE_NUMBERS, "\"vips/web\": {\n   \"id\": 1", "\"vips/web\": {\n   \"id\": 2",
			"addresses.vips/web" },
		{ STATE_NUMBERS, "\"vips/web\": {\n   \"id\": 1", "\"vips/web\": {\n   \"id\": 0",
			"addresses.vips/web" },
		{ STATE_NUMBERS, "\"vips/web\": {\n   \"id\": 1",
			"\"vips/web\": {\n   \"id\": 4294967297", "addresses.vips/web" },
		{ STATE_NUMBERS, "\"vips/web\": {\n   \"id\": 1",
			"\"vips/web\": {\n   \"id\": 131073", "addresses.vips/web" },
		{ STATE_NUMBERS, "\"vips/web\": {\n   \"id\": 1",
			"\"vips/web\": {\n   \"id\": 1, \"gone\": -1", "addresses.vips/web" },
		{ STATE_NUMBERS, "\"vips/web\": {\n   \"id\": 1",
			"\"vips/web\": {\n   \"id\": 1, \"seen\": {}", "addresses.vips/web" },
		{ STATE_NUMBERS, "\"vips/web\": {", "\"vips/web\": [{", "line" },
		{ STATE_NUMBERS, "\"pools\": {\n  \"web\": {\n   \"id\": 1",
			"\"pools\": {\n  \"web\": {\n   \"id\": -1", "pools.web" },
		{ STATE_NUMBERS, "\"pools\": {", "\"poools\": {", "top level" },
		{ STATE_NUMBERS, "\"web/web1\": {", "\"web/web1\": { \"seen\": {},",
			"servers.web/web1" },
		{ STATE_NUMBERS, "\"round\": 1", "\"round\": -1", "\"round\"" },
		{ STATE_WANTED, "\"servers\": {", "\"servers\": 1, \"x\": {", "top level" },
		{ STATE_WANTED, "\"servers\": {", "\"servers\": [], \"x\": {", "top level" },
		{ STATE_SEEN, "\"web/web1\": {", "\"web/web1\": 1, \"x\": {", "servers.web/web1" },
		{ STATE_WANTED, "web/web2\": {\n   \"wanted\": \"drain\"",
			"web/gone\": {\n   \"wanted\": \"dry\"", "servers.web/gone" },
		{ STATE_WANTED, "\"wanted\": \"drain\"", "\"wanted\": \"dry\"",
			"servers.web/web2" },
		{ STATE_WANTED, "\"weight\": 3", "\"weight\": 1001", "servers.web/web2" },
		{ STATE_WANTED, "\"weight\": 3", "\"weight\": \"3\"", "servers.web/web2" },
		{ STATE_WANTED, "\"who\": \"root\"", "\"who\": 0", "servers.web/web2" },
		{ STATE_WANTED, "\"who\": \"root\"",
			"\"who\": "
			"\"0123456789012345678901234567890123456789012345678901234567890123\"",
			"servers.web/web2" },
		{ STATE_WANTED, "\"when\": 1700000000", "\"when\": -1", "servers.web/web2" },
		{ STATE_SEEN, "\"state\": \"up\"", "\"state\": \"upp\"", "servers.web/web1" },
		{ STATE_SEEN, "\"198.51.100.11\"", "\"198.51.100.256\"", "servers.web/web1" },
		{ STATE_SEEN, "\"port\": 0", "\"port\": 65536", "servers.web/web1" },
		{ STATE_SEEN, "\"port\": 0", "\"port\": 0, \"x\": 1", "servers.web/web1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct state *st = cases[i].part == STATE_NUMBERS ? state_new() : eventful();
		char *good = encoded(cases[i].part);
		char *bad = replaced(good, cases[i].from, cases[i].to);
		struct err e = { "" };

		assert_int_equal(
			state_decode(st, cases[i].part, bad, strlen(bad), "/x/state.json", &e),
			-EINVAL);
		assert_non_null(strstr(e.text, "/x/state.json"));
		if (!strstr(e.text, cases[i].where))
			fail_msg("case %zu: \"%s\" does not name %s", i, e.text, cases[i].where);
		state_free(st);
		free(bad);
		free(good);
	}
}

/* The same where one text has all. */
static void test_damage_of_version_1(void **state)
{
	static const struct {
		const char *from, *to, *where;
	} cases[] = {
		{ "\"generation\": 77", "\"generation\": 7.5", "top level" },
		{ "\"generation\": 77,", "", "generation" },
		{ "\"web\": { \"id\": 3 }", "\"web\": { \"id\": 3, \"seen\": {} }",
			"services.web" },
		{ "\"maint\"", "\"mint\"", "servers.web/web1" },
		{ "\"overlay\"", "\"overlby\"", "servers.web/web1" },
		{ "\"down\"", "\"dawn\"", "servers.web/web2" },
		{ "\"port\": 8080", "\"port\": 65536", "servers.web/web2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *bad = replaced(version_1, cases[i].from, cases[i].to);
		struct state *st = state_new();
		struct err e = { "" };

		assert_int_equal(
			state_decode(st, STATE_NUMBERS, bad, strlen(bad), "state.json", &e),
			-EINVAL);
		if (!strstr(e.text, cases[i].where))
			fail_msg("case %zu: \"%s\" does not name %s", i, e.text, cases[i].where);
		state_free(st);
		free(bad);
	}
}

/* What moving a damaged file away would cost is told for each. */
static void test_damage_tells_the_price(void **state)
{
	static const struct {
		enum state_part part;
		const char *told, *untold;
	} cases[] = {
		{ STATE_NUMBERS, "counters", "checks" },
		{ STATE_WANTED, "run time", "counters" },
		{ STATE_SEEN, "checks", "run time" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct state *st = state_new();
		struct err e = { "" };

		assert_int_equal(state_decode(st, cases[i].part, "{}", 2, "x", &e), -EINVAL);
		assert_non_null(strstr(e.text, cases[i].told));
		assert_null(strstr(e.text, cases[i].untold));
		state_free(st);
	}
}

/* A file that was cut off anywhere is refused, and never read beyond its end. */
static void test_truncation(void **state)
{
	static const enum state_part parts[] = { STATE_NUMBERS, STATE_WANTED, STATE_SEEN };

	(void)state;
	for (size_t p = 0; p < 3; p++) {
		char *good = encoded(parts[p]);
		size_t len = strlen(good);

		for (size_t i = 0; i + 1 < len; i++) {
			struct state *st = state_new();
			char *part = malloc(i ? i : 1);
			struct err e = { "" };

			memcpy(part, good, i);
			assert_int_equal(
				state_decode(st, parts[p], part, i, "state.json", &e), -EINVAL);
			assert_non_null(strstr(e.text, "line "));
			state_free(st);
			free(part);
		}
		free(good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_seen_follows_the_address),
		cmocka_unit_test(test_reused_number_is_clean),
		cmocka_unit_test(test_fresh_numbers),
		cmocka_unit_test(test_tracked_numbers_are_held),
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_untold),
		cmocka_unit_test(test_said_of_nobody),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_damage_of_version_1),
		cmocka_unit_test(test_damage_tells_the_price),
		cmocka_unit_test(test_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
