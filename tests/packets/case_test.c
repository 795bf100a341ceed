/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of cases and worlds: what it makes of a file, and where it says that a mistake is. */
#include "tests/unit/test.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/packets/case.h"

#define OBJECTS                                                                   \
	"node = \"n\";\n"                                                         \
	"interfaces: { a: {}; b: {}; };\n"                                        \
	"vips: { v: { address = \"192.0.2.1\"; interface = \"a\"; }; };\n"        \
	"pools: { p: { servers: { s: { address = \"198.51.100.1\"; }; }; }; };\n" \
	"services: { v: { vip = \"v\"; port = 80; forward = \"dsr\"; pool = \"p\"; }; };\n"
#define CONFIG "config {\n" OBJECTS "}\n"
#define LINKS                                               \
	"link a ifindex 7 mac 02:00:00:00:00:0a mtu 1500\n" \
	"link b ifindex 8 mac 02:00:00:00:00:0b mtu 1400\n"
#define HEAD "world w.world\ncase one\nsource by hand\n"
#define STEP "in a X\n\t0000: 0011\n"

static char folder[] = "/tmp/tandem-case-XXXXXX";
static char world_path[64], case_path[64];

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	fclose(out);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(world_path, sizeof world_path, "%s/w.world", folder);
	snprintf(case_path, sizeof case_path, "%s/c.pkt", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(world_path);
	unlink(case_path);
	return rmdir(folder);
}

static void reads_a_case(void **state)
{
	struct case_file *f;
	struct err e;

	(void)state;
	write_file(world_path, CONFIG LINKS);
	write_file(case_path, HEAD
		"in a Ether()/\n\tIP()\n\t0000: 00ff 01\n\t0003: 58*3\n\t0006: aa\n"
		"send forwarded b X\n\t0000: 02\nway link  hop\nin b X\n\t0000: 03\ndrop malformed\n"
		"service v 1 7\nserver p/s 2 8\ndrops v malformed 1\n");
	assert_int_equal(cases_open(&f, case_path, &e), 0);
	assert_int_equal(f->n_cases, 1);
	assert_string_equal(f->cases[0].name, "one");
	assert_string_equal(f->cases[0].source, "by hand");
	assert_int_equal(f->cases[0].n_steps, 2);
	assert_int_equal(f->cases[0].steps[0].in_ifindex, 7);
	assert_int_equal(f->cases[0].steps[0].in.len, 7);
	assert_memory_equal(f->cases[0].steps[0].in.bytes, "\x00\xff\x01XXX\xaa", 7);
	assert_int_equal(f->cases[0].steps[0].verdict, L4_V_FORWARDED);
	assert_int_equal(f->cases[0].steps[0].out_ifindex, 8);
	assert_int_equal(f->cases[0].steps[0].n_way, 2);
	assert_int_equal(f->cases[0].steps[0].way[1], L4_STEP_HOP);
	assert_int_equal(f->cases[0].steps[1].n_way, 0);
	assert_int_equal(f->cases[0].steps[1].out_ifindex, 0);
	assert_int_equal(f->cases[0].steps[1].out.len, 1);
	assert_int_equal(f->cases[0].n_counters, 3);
	assert_int_equal(f->cases[0].counters[1].kind, CASE_SERVER);
	assert_int_equal(f->cases[0].counters[1].bytes, 8);
	cases_close(f);
}

static void reads_slots_and_records(void **state)
{
	const struct packet_case *c;
	struct case_file *f;
	struct err e;

	(void)state;
	write_file(world_path, CONFIG LINKS);
	write_file(case_path, HEAD
		"now 65535\nslots p s none\nslot p none settled X\n\t0000: 0102 0304 0506 0708\n"
		"record live p/s 7 9 agrees X\n\t0000: 0000 0000 0000 0001\n" STEP
		"pass not_ours\nnow 0\nrecorded closing p/s 8 - differs X\n"
		"\t0000: 8000 0000 0000 0000\nplaces void 3\n");
	assert_int_equal(cases_open(&f, case_path, &e), 0);
	c = f->cases;
	assert_int_equal(c->n_steps, 6);
	assert_int_equal(c->steps[0].kind, CASE_NOW);
	assert_int_equal(c->steps[0].now, 65535);
	assert_int_equal(c->steps[1].kind, CASE_SLOTS);
	assert_int_equal(c->steps[1].slots.owner, 0);
	assert_int_equal(c->steps[1].slots.base, CASE_NONE);
	assert_int_equal(c->steps[1].slots.flow.len, 0);
	assert_int_equal(c->steps[2].slots.owner, CASE_NONE);
	assert_int_equal(c->steps[2].slots.base, CASE_SETTLED);
	assert_true(case_hash(&c->steps[2].slots.flow) == 0x0102030405060708);
	assert_int_equal(c->steps[3].kind, CASE_RECORD);
	assert_int_equal(c->steps[3].record.state, L4_RECORD_LIVE);
	assert_int_equal(c->steps[3].record.time, 7);
	assert_int_equal(c->steps[3].record.seq, 9);
	assert_true(c->steps[3].record.agrees);
	assert_int_equal(c->steps[4].kind, CASE_FRAME);
	assert_int_equal(c->n_records, 1);
	assert_int_equal(c->records[0].state, L4_RECORD_CLOSING);
	assert_true(c->records[0].any_seq);
	assert_false(c->records[0].agrees);
	assert_true(case_hash(&c->records[0].flow) == 1ull << 63);
	assert_int_equal(c->n_counters, 1);
	assert_int_equal(c->counters[0].index, L4_PLACE_VOID);
	cases_close(f);
}

static void reads_a_world(void **state)
{
	struct world_file *w;
	struct err e;

	(void)state;
	write_file(world_path,
		"# a world\n" CONFIG LINKS
		"route 10.0.0.0/8 via 192.0.2.9 dev a\nroute 10.1.0.0/16 dev 99\n"
		"route ::/0 discard\nroute 192.0.2.2/32 local\n"
		"neighbour b 10.1.0.1 02:00:00:00:00:0c stale\ndown p/s\nlet A = 'b'\n");
	assert_int_equal(world_open(&w, world_path, &e), 0);
	assert_int_equal(w->world.n_links, 2);
	assert_int_equal(w->links[1].mtu, 1400);
	assert_int_equal(w->links[1].mac[5], 11);
	assert_int_equal(w->world.n_routes, 4);
	assert_int_equal(w->routes[0].ifindex, 7);
	assert_int_equal(w->routes[0].gateway.af, 4);
	assert_int_equal(w->routes[1].ifindex, 99);
	assert_int_equal(w->routes[2].kind, HOST_ROUTE_DISCARD);
	assert_int_equal(w->routes[3].kind, HOST_ROUTE_LOCAL);
	assert_int_equal(w->neighbours[0].state, HOST_NEIGHBOUR_STALE);
	assert_true(w->server_down[0]);
	world_close(w);
}

static const struct {
	const char *text;
	unsigned line;
	const char *says;
} bad_cases[] = {
	{ "case one\n", 1, "the world comes first" },
	{ "world w.world\nworld w.world\n", 2, "expected once" },
	{ "world w.world\nsource x\n", 2, "outside of a case" },
	{ "world w.world\n\n# nothing\n", 3, "there is no case" },
	{ "world w.world\nwhat\n", 2, "unknown word \"what\"" },
	{ HEAD, 3, "ends before a verdict" },
	{ HEAD STEP, 5, "ends before a verdict" },
	{ HEAD STEP "pass not_ours\ncase one\n", 7, "a second case" },
	{ "world w.world\ncase one\n" STEP "pass not_ours\n", 5, "has no source" },
	{ HEAD "in c X\n", 4, "expected: in INTERFACE" },
	{ HEAD STEP "in a X\n", 6, "the frame before has no verdict" },
	{ HEAD "pass not_ours\n", 4, "without a frame" },
	{ HEAD STEP "pass not_ours\npass not_ours\n", 7, "without a frame" },
	{ HEAD "in a X\npass not_ours\n", 5, "has no bytes" },
	{ HEAD STEP "send forwarded b X\nservice v 1 1\n", 7, "has no bytes" },
	{ HEAD STEP "drop not_ours\n", 6, "not followed by one of its verdicts" },
	{ HEAD STEP "send forwarded c X\n", 6, "expected: send" },
	{ HEAD "in a X\n\t0001: 00\n", 5, "the offset is not 0000" },
	{ HEAD "in a X\n\t0000: 0g\n", 5, "\"0g\" is no hex" },
	{ HEAD "in a X\n\t0000: 000\n", 5, "\"000\" is no hex" },
	{ HEAD "in a X\n\t0000: 00*9999\n", 5, "is no hex, or the frame is longer" },
	{ HEAD STEP "pass not_ours\n\t0002: 00\n", 7, "without a frame above" },
	{ HEAD STEP "pass not_ours\nservice w 1 1\n", 7, "no such service" },
	{ HEAD STEP "pass not_ours\nserver p/t 1 1\n", 7, "no such server" },
	{ HEAD STEP "pass not_ours\nserver p/s 1 x\n", 7, "expected: server NAME" },
	{ HEAD STEP "pass not_ours\ndrops v not_ours 1\n", 7, "expected: drops" },
	{ HEAD STEP "pass not_ours\ndrops x malformed 1\n", 7, "no such drops" },
	{ HEAD STEP "pass not_ours\nway\n", 7, "expected once behind a verdict: way" },
	{ HEAD STEP "way link\n", 6, "expected once behind a verdict: way" },
	{ HEAD STEP "pass not_ours\nway link\nway hop\n", 8, "expected once behind" },
	{ HEAD STEP "pass not_ours\nway link hip\n", 7, "there is no stage \"hip\"" },
	{ HEAD "now 65536\n", 4, "expected: now N" },
	{ HEAD "now\n", 4, "expected: now N" },
	{ HEAD "now 1\n", 4, "ends before a verdict" },
	{ HEAD "now 1\npass not_ours\n", 5, "without a frame" },
	{ HEAD STEP "now 1\n", 6, "the frame before has no verdict" },
	{ HEAD STEP "pass not_ours\nnow 1\npass not_ours\n", 8, "without a frame" },
	{ HEAD "slots q s s\n", 4, "expected: slots POOL" },
	{ HEAD "slots p s\n", 4, "expected: slots POOL" },
	{ HEAD "slots p s s X\n", 4, "expected: slots POOL" },
	{ HEAD "slots p t s\n", 4, "no such server in the pool" },
	{ HEAD "slots p settled s\n", 4, "no such server in the pool" },
	{ HEAD "slot p s s\n", 4, "expected: slot POOL OWNER BASE|settled EXPRESSION" },
	{ HEAD "slot p s s X\n" STEP, 5, "has no bytes" },
	{ HEAD "slot p s s X\n\t0000: 01\n" STEP, 6, "has not 8 bytes" },
	{ HEAD "record live p/s 1 1 agrees\n", 4, "expected: record STATE" },
	{ HEAD "record empty p/s 1 1 agrees X\n", 4, "no such state" },
	{ HEAD "record dead p/s 1 1 agrees X\n", 4, "no such state" },
	{ HEAD "record live p/t 1 1 agrees X\n", 4, "no such state, server" },
	{ HEAD "record live p/s 65536 1 agrees X\n", 4, "no such state, server, time" },
	{ HEAD "record live p/s 1 4294967296 agrees X\n", 4, "no such state" },
	{ HEAD "record live p/s 1 1 maybe X\n", 4, "no such state" },
	{ HEAD "record live p/s 1 1 agrees X\n" STEP, 5, "has no bytes" },
	{ HEAD STEP "pass not_ours\nrecorded live p/s 1 - agrees X\n", 7, "has no bytes" },
	{ HEAD STEP "pass not_ours\nplaces nowhere 1\n", 7, "expected: places" },
	{ HEAD STEP "pass not_ours\nplaces void x\n", 7, "expected: places" },
};

static const struct {
	const char *text;
	unsigned line;
	const char *says;
} bad_worlds[] = {
	{ "\n", 1, "there is no config" },
	{ "link a\n", 1, "the configuration comes first" },
	{ "config {\n", 1, "does not end" },
	{ "\nconfig {\n" OBJECTS "speed = 7;\n}\n", 8, "\"speed\"" },
	{ CONFIG, 7, "there is no link a" },
	{ CONFIG LINKS "link c ifindex 1 mac 02:00:00:00:00:0c mtu 1\n", 10, "no such interface" },
	{ CONFIG "link a ifindex 7 mac 2:0:0:0:0:a mtu 1500\n", 8, "expected: link" },
	{ CONFIG LINKS "route 10.0.0.0/33 discard\n", 10, "expected: route" },
	{ CONFIG LINKS "route 10.0.0.0/8 dev c\n", 10, "expected: route" },
	{ CONFIG LINKS "neighbour a 10.0.0.1 02:00:00:00:00:0c fresh\n", 10,
		"expected: neighbour" },
	{ CONFIG LINKS "down p/t\n", 10, "no such server" },
	{ CONFIG LINKS "nonsense\n", 10, "unknown word" },
};

static void check_sentence(const struct err *e, const char *path, unsigned line, const char *says)
{
	char where[80];

	snprintf(where, sizeof where, "%s:%u: ", path, line);
	if (strncmp(e->text, where, strlen(where)) != 0 || !strstr(e->text, says))
		fail_msg("\"%s\" is not at %s or says not \"%s\"", e->text, where, says);
}

static void says_where_a_case_is_wrong(void **state)
{
	struct case_file *f;
	struct err e;

	(void)state;
	write_file(world_path, CONFIG LINKS);
	for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
		write_file(case_path, bad_cases[i].text);
		assert_int_equal(cases_open(&f, case_path, &e), -EINVAL);
		check_sentence(&e, case_path, bad_cases[i].line, bad_cases[i].says);
	}
}

static void says_where_a_world_is_wrong(void **state)
{
	struct world_file *w;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad_worlds / sizeof *bad_worlds; i++) {
		write_file(world_path, bad_worlds[i].text);
		assert_int_equal(world_open(&w, world_path, &e), -EINVAL);
		check_sentence(&e, world_path, bad_worlds[i].line, bad_worlds[i].says);
	}
}

static void says_what_is_not_there(void **state)
{
	struct case_file *f;
	struct err e;

	(void)state;
	assert_int_equal(cases_open(&f, "/nowhere/x.pkt", &e), -ENOENT);
	assert_string_equal(e.text, "/nowhere/x.pkt: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_case),
		cmocka_unit_test(reads_slots_and_records),
		cmocka_unit_test(reads_a_world),
		cmocka_unit_test(says_where_a_case_is_wrong),
		cmocka_unit_test(says_where_a_world_is_wrong),
		cmocka_unit_test(says_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
