/* SPDX-License-Identifier: BSD-2-Clause */
/* What is logged when pools lose their servers, over a site: each change once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/site_impl.h"
#include "tests/unit/pools/fake_engine.h"
#include "tests/unit/pools/site_fixture.h"

static struct site_fixture f;
static FILE *kept; /* what standard error was replaced with */
static int saved;

static int setup(void **state)
{
	char *text = fixture_replaced(fixture_text,
		"web: { servers:", "web: { min_up = 2; when_empty = \"spare\"; servers:");
	char *all = fixture_replaced(text, "  dns: { servers:",
		"  spare: { servers: { s1: { address = \"198.51.100.14\"; }; }; };\n"
		"  dns: { servers:");

	(void)state;
	fixture_open(&f);
	fixture_write(&f, all);
	free(all);
	free(text);
	kept = tmpfile();
	saved = dup(2);
	log_set_level(LOG_LEVEL_WARN);
	return kept && saved >= 0 && dup2(fileno(kept), 2) == 2 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	dup2(saved, 2);
	close(saved);
	fclose(kept);
	fixture_close(&f);
	return 0;
}

/* All that was logged since the last call, and it must be one line with this text; "": nothing. */
static void expect_log(const char *says)
{
	char text[4096];
	size_t n;

	rewind(kept);
	n = fread(text, 1, sizeof text - 1, kept);
	text[n] = '\0';
	rewind(kept);
	assert_int_equal(ftruncate(fileno(kept), 0), 0);
	if (*says ? !strstr(text, says) || strchr(text, '\n') != text + n - 1 : n > 0)
		fail_msg("logged \"%s\" instead of \"%s\"", text, says);
}

static void expect_warning(const char *says, bool there)
{
	struct site_status status;
	bool found = false;

	site_status(f.site, &status);
	for (unsigned i = 0; i < status.n_warnings; i++)
		found |= strstr(status.warnings[i], says) != NULL;
	if (found != there)
		fail_msg("\"%s\" is %sa warning", says, found ? "" : "not ");
}

static void see(unsigned server, enum health_state seen)
{
	state_server(f.site->state, f.site->live->ids.servers[server])->seen.state = seen;
	assert_int_equal(publish_now(f.site, f.site->live, f.site->state, &f.e), 0);
}

static void want(unsigned server, enum server_wanted wanted)
{
	assert_int_equal(site_server_set(f.site, server, (int)wanted, -1, "root", "", &f.e), 0);
}

static void test_min_up(void **state)
{
	struct site_pool_state pool;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	expect_log("");
	expect_warning("min_up", false);
	see(1, HEALTH_DOWN);
	expect_log("pool web has fewer than 2 servers up (min_up)");
	expect_warning(
		"1 pool has fewer servers up than min_up, so that failed ones are used too: web",
		true);
	site_pool_state(f.site, 0, &pool);
	assert_true(pool.below_min_up);
	assert_true(site_server_serving(f.site, 1));
	assert_true(fake.members[1].serves);
	assert_int_equal(fake.members[1].weight, 5);
	see(0, HEALTH_DOWN);
	expect_log("");
	see(1, HEALTH_UP);
	expect_log("");
	see(0, HEALTH_UP);
	expect_log("pool web does without servers that failed their checks again");
	expect_warning("min_up", false);
}

static void test_fall_back(void **state)
{
	struct site_pool_state pool;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	want(0, SERVER_DRAIN);
	expect_log("");
	want(1, SERVER_DRAIN);
	expect_log("no server of pool web takes new connections: it falls back on pool spare");
	expect_warning("falls back on another pool: web", true);
	expect_warning("has no server that takes new connections: web", false);
	site_pool_state(f.site, 0, &pool);
	assert_int_equal(pool.fallen_back, 1);
	assert_int_equal(fake.members[0].weight, 0);
	assert_int_equal(fake.members[2].weight, 1);
	want(2, SERVER_MAINT);
	expect_log("no server takes new connections of pool web, nor of what it falls back on");
	expect_warning("has no server that takes new connections: web", true);
	expect_warning("falls back", false);
	site_pool_state(f.site, 0, &pool);
	assert_int_equal(pool.fallen_back, -1);
	want(2, SERVER_READY);
	expect_log("falls back on pool spare");
	want(0, SERVER_READY);
	expect_log("pool web has servers of its own again that take new connections");
	expect_warning("falls back", false);
	assert_int_equal(fake.members[2].weight, 0);
}

/* Pools that change their place in the file are still the same, and nothing is said of them again. */
static void test_order(void **state)
{
	char *text, *more;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	want(0, SERVER_DRAIN);
	want(1, SERVER_DRAIN);
	expect_log("falls back on pool spare");
	text = fixture_replaced(site_config_text(f.site), "pools: {",
		"pools: { new: { servers: { n1: { address = \"198.51.100.15\"; }; }; };\n"
		"new2: { servers: { n1: { address = \"198.51.100.16\"; }; }; };");
	more = fixture_replaced(text, "min_up = 2;", "min_up = 1;");
	fixture_write(&f, more);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	assert_int_equal(site_apply(f.site, NULL, NULL, &f.diags, &f.e), 0);
	expect_log("");
	free(more);
	free(text);
	/* A restart finds it so, and says it. */
	fixture_stop(&f);
	assert_int_equal(fixture_start(&f), 0);
	expect_log("falls back on pool spare");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_min_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fall_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
