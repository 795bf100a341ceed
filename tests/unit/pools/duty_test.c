/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "controlplane/pools/duty.h"

/* Pool a falls back on b, b on c; d on nobody. Checks keep servers from counting as up. */
static const char text[] =
	"node = \"lb-a\"; interfaces: { i: { device = \"lo\"; }; };\n"
	"health: { h: { type = \"tcp\"; port = 1; }; };\n"
	"pools: {\n"
	"  a: { health = \"h\"; min_up = 2; when_empty = \"b\"; servers: {\n"
	"    a1: { address = \"10.0.0.1\"; }; a2: { address = \"10.0.0.2\"; weight = 7; };\n"
	"    a3: { address = \"10.0.0.3\"; weight = 0; }; }; };\n"
	"  b: { health = \"h\"; when_empty = \"c\"; servers: { b1: { address = \"10.0.0.4\"; weight = 3; }; }; };\n"
	"  c: { health = \"h\"; servers: { c1: { address = \"10.0.0.5\"; }; }; };\n"
	"  d: { health = \"h\"; min_up = 1; servers: { d1: { address = \"10.0.0.6\"; }; }; };\n"
	"};\n";

enum { SERVERS = 6, POOLS = 4 };

/* One letter for each server: r, d, m for what is wanted, then u, d, s for what is seen. */
struct situation {
	const char *about, *servers[SERVERS];
	unsigned weights[SERVERS];
	bool serves[SERVERS];
	int from[POOLS];
	bool forced[POOLS];
};

static const struct situation situations[] = {
	{ "all is well", { "ru", "ru", "ru", "ru", "ru", "ru" }, { 1, 7, 0, 3, 1, 1 },
		{ 1, 1, 1, 1, 1, 1 }, { 0, 1, 2, 3 }, { 0 } },
	{ "one failed: fewer than two are up, a server without weight not counted",
		{ "ru", "rd", "ru", "ru", "ru", "ru" }, { 1, 7, 0, 3, 1, 1 }, { 1, 1, 1, 1, 1, 1 },
		{ 0, 1, 2, 3 }, { 1 } },
	{ "fewer than two, but none failed", { "ru", "rs", "ru", "ru", "ru", "ru" },
		{ 1, 0, 0, 3, 1, 1 }, { 1, 1, 1, 1, 1, 1 }, { 0, 1, 2, 3 }, { 0 } },
	{ "failed ones that are not wanted or have no weight are not brought back",
		{ "du", "md", "rd", "ru", "ru", "ru" }, { 0, 0, 0, 3, 1, 1 }, { 1, 0, 0, 1, 1, 1 },
		{ 1, 1, 2, 3 }, { 0 } },
	{ "drain that failed does not serve, even when others are brought back",
		{ "rd", "dd", "ru", "ru", "ru", "ru" }, { 1, 0, 0, 3, 1, 1 }, { 1, 0, 1, 1, 1, 1 },
		{ 0, 1, 2, 3 }, { 1 } },
	{ "nobody in a", { "dd", "du", "mu", "ru", "ru", "ru" }, { 0, 0, 0, 3, 1, 1 },
		{ 0, 1, 0, 1, 1, 1 }, { 1, 1, 2, 3 }, { 0 } },
	{ "nobody in a and b", { "ms", "ms", "ds", "rd", "ru", "ru" }, { 0, 0, 0, 0, 1, 1 },
		{ 0, 0, 1, 0, 1, 1 }, { 2, 2, 2, 3 }, { 0 } },
	{ "nobody anywhere", { "mu", "mu", "mu", "rd", "rd", "md" }, { 0 }, { 0 },
		{ -1, -1, -1, -1 }, { 0 } },
	{ "the only one failed", { "ru", "ru", "ru", "ru", "ru", "rd" }, { 1, 7, 0, 3, 1, 1 },
		{ 1, 1, 1, 1, 1, 1 }, { 0, 1, 2, 3 }, { 0, 0, 0, 1 } },
};

static void set(struct state_server *record, const char *letters)
{
	record->overlay.wanted = letters[0] == 'r'   ? SERVER_READY
				 : letters[0] == 'd' ? SERVER_DRAIN
						     : SERVER_MAINT;
	record->seen.state = letters[1] == 'u'	 ? HEALTH_UP
			     : letters[1] == 'd' ? HEALTH_DOWN
						 : HEALTH_STARTING;
}

static void check(const struct situation *s, const struct duty *d)
{
	for (int i = 0; i < SERVERS; i++)
		if (d->servers[i].weight != s->weights[i] || d->servers[i].serves != s->serves[i])
			fail_msg("%s: server %d has weight %u and serves %d", s->about, i,
				d->servers[i].weight, d->servers[i].serves);
	for (int i = 0; i < POOLS; i++)
		if (d->pools[i].from != s->from[i] || d->pools[i].forced != s->forced[i])
			fail_msg("%s: pool %d takes from %d, forced %d", s->about, i,
				d->pools[i].from, d->pools[i].forced);
}

static void test_situations(void **state)
{
	struct state *st = state_new();
	struct diags diags = { 0 };
	struct binding ids;
	struct conf *c;
	struct err e;

	(void)state;
	if (conf_parse(text, "test", &c, &diags)) {
		diags_print(&diags, stderr);
		fail();
	}
	diags_free(&diags);
	assert_int_equal(state_bind(st, c, NULL, &ids, &e), 0);
	for (size_t i = 0; i < sizeof situations / sizeof *situations; i++) {
		struct duty d;

		for (int k = 0; k < SERVERS; k++)
			set(state_server(st, ids.servers[k]), situations[i].servers[k]);
		assert_int_equal(duty_new(&d, c, &ids, st), 0);
		check(&situations[i], &d);
		duty_free(&d);
	}
	binding_free(&ids);
	conf_free(c);
	state_free(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_situations) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
