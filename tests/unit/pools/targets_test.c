/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "controlplane/pools/targets.h"

static const char text[] =
	"node = \"lb-a\";\n"
	"interfaces: { front: { device = \"eth0\"; }; };\n"
	"vips: { web: { address = \"192.0.2.10\"; interface = \"front\"; }; };\n"
	"health: { own: { type = \"tcp\"; port = 9000; }; other: { type = \"tcp\"; }; };\n"
	"pools: {\n"
	"  a: { health = \"own\"; servers: { s1: { address = \"198.51.100.11\"; port = 1; }; }; "
	"};\n"
	"  b: { health = \"other\"; servers: { s1: { address = \"198.51.100.12\"; port = 8080; };\n"
	"    s2: { address = \"198.51.100.13\"; }; }; };\n"
	"  c: { servers: { s1: { address = \"198.51.100.14\"; }; }; };\n"
	"  d: { health = \"other\"; when_empty = \"e\"; servers: { s1: { address = \"198.51.100.15\"; port = 5; }; }; "
	"};\n"
	"  e: { health = \"other\"; servers: { s1: { address = \"198.51.100.16\"; }; }; };\n"
	"  f: { when_empty = \"d\"; };\n"
	"};\n"
	"services: {\n"
	"  a: { vip = \"web\"; port = 81; forward = \"nat\"; pool = \"a\"; };\n"
	"  b1: { vip = \"web\"; protocol = \"udp\"; port = 82; forward = \"nat\"; pool = \"b\"; "
	"};\n"
	"  b2: { vip = \"web\"; port = 83; forward = \"nat\"; pool = \"b\"; };\n"
	"  l: { vip = \"web\"; port = 79; forward = \"local\"; };\n"
	"  f: { vip = \"web\"; port = 85; forward = \"nat\"; pool = \"f\"; };\n"
	"  c: { vip = \"web\"; port = 84; forward = \"nat\"; pool = \"c\"; };\n"
	"};\n";

static void test_targets(void **state)
{
	struct state *st = state_new();
	struct diags d = { 0 };
	struct err e = { "" };
	struct binding ids;
	struct targets t;
	struct conf *c;

	(void)state;
	if (conf_parse(text, "test", &c, &d)) {
		diags_print(&d, stderr);
		fail();
	}
	diags_free(&d);
	assert_int_equal(state_bind(st, c, NULL, &ids, &e), 0);
	assert_int_equal(target_port(c, 0), 9000); /* the check's own */
	assert_int_equal(target_port(c, 1), 8080); /* the server's */
	assert_int_equal(target_port(c, 2), 83);   /* TCP before UDP */
	assert_int_equal(target_port(c, 4), 5);
	assert_int_equal(target_port(c, 5), 85); /* of f, which falls back on d, which on e */
	state_server(st, ids.servers[1])->seen.state = HEALTH_UP;
	assert_int_equal(targets_new(&t, c, &ids, st), 0);
	assert_int_equal(t.n, 5);
	assert_string_equal(t.list[0].label, "a/s1");
	assert_int_equal(t.list[0].id, ids.servers[0]);
	assert_int_equal(t.list[0].initial, HEALTH_STARTING);
	assert_ptr_equal(t.list[0].check, &c->healths[0]);
	assert_int_equal(t.list[1].initial, HEALTH_UP);
	assert_string_equal(t.list[2].label, "b/s2");
	assert_int_equal(t.list[2].port, 83);
	assert_string_equal(t.list[3].label, "d/s1");
	targets_free(&t);
	binding_free(&ids);
	conf_free(c);
	state_free(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_targets) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
