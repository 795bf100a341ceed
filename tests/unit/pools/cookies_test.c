/* SPDX-License-Identifier: BSD-2-Clause */
/* What the site makes of floods, over the fake engine, in a network namespace of its own: service "web" (nat) and "own" (local)
 * have SYN cookies, "dns" has none. Its looks are taken one by one. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/nic/stack.h"
#include "controlplane/pools/clock.h"
#include "controlplane/pools/site_impl.h"
#include "tests/unit/pools/fake_engine.h"
#include "tests/unit/pools/site_fixture.h"
#include "tests/unit/test.h"

#define COOKIES "net.ipv4.tcp_syncookies"
#define AUTO	"pool = \"web\"; syn_cookies = \"auto\"; syn_threshold = 5; };\n"

static const char with_cookies[] = AUTO
	"  own: { vip = \"web\"; port = 443; forward = \"local\"; syn_cookies = \"auto\"; };\n";

enum { WEB, OWN, DNS };

static struct site_fixture f;

static void write_config(const char *to)
{
	char *text = fixture_replaced(fixture_text, "pool = \"web\"; };\n", to);

	fixture_write(&f, text);
	free(text);
}

static int setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) || stack_set(COOKIES, 1) ||
		stack_set("net.ipv4.tcp_timestamps", 1))
		return -1;
	fixture_open(&f);
	write_config(with_cookies);
	assert_int_equal(fixture_start(&f), 0);
	return 0;
}

static int teardown(void **state)
{
	char path[64];

	(void)state;
	fixture_stop(&f);
	snprintf(path, sizeof path, "%s/nic", f.dir);
	unlink(path);
	fixture_close(&f);
	return 0;
}

static void apply(const char *to)
{
	write_config(to);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	assert_int_equal(site_apply(f.site, NULL, NULL, &f.diags, &f.e), 0);
}

static uint32_t id_of(const char *name)
{
	return site_service_id(f.site, (unsigned)conf_find_service(site_conf(f.site), name));
}

static struct l4_flood *row_of(const char *name)
{
	return &fake.floods[id_of(name)];
}

static struct site_flood flood_of(const char *name)
{
	struct site_flood flood;

	site_service_flood(f.site, (unsigned)conf_find_service(site_conf(f.site), name), &flood);
	return flood;
}

/* A flood that packets saw last `age` units of coarse time ago. */
static void flooded(const char *name, uint16_t age)
{
	row_of(name)->last = (uint16_t)(clock_coarse() - age);
	row_of(name)->seen = 1;
}

static void look(void)
{
	cookies_event(-1, 0, f.site);
}

static long setting(const char *name)
{
	long is = -1;

	assert_int_equal(stack_get(name, 0, &is), 0);
	return is;
}

static bool warns(const char *what)
{
	struct site_status status;

	site_status(f.site, &status);
	for (unsigned i = 0; i < status.n_warnings; i++)
		if (strstr(status.warnings[i], what))
			return true;
	return false;
}

static void a_flood_is_shown_while_it_is_on(void **state)
{
	(void)state;
	look();
	assert_false(flood_of("web").on || warns("flood"));
	flooded("web", 0);
	look();
	assert_true(flood_of("web").on);
	assert_true(flood_of("web").since_ms > 1600000000000);
	assert_true(warns("SYNs to 1 service come in a flood (syn_threshold): web"));
	assert_false(flood_of("own").on || flood_of("dns").on);
	flooded("web", FLOODS_QUIET + 1);
	look();
	assert_false(flood_of("web").on || warns("flood"));
}

/* What begins so that every SYN is answered with a cookie is no flood to be warned of. */
static void no_threshold_is_no_flood(void **state)
{
	(void)state;
	apply("pool = \"web\"; syn_cookies = \"auto\"; syn_threshold = 0; };\n");
	flooded("web", 0);
	look();
	assert_true(flood_of("web").on);
	assert_false(warns("flood"));
}

static void the_stack_takes_cookies_during_a_flood_of_its_own(void **state)
{
	(void)state;
	flooded("web", 0);
	look();
	assert_int_equal(setting(COOKIES), 1);
	flooded("own", 0);
	look();
	assert_int_equal(setting(COOKIES), 2);
	assert_true(row_of("own")->ready && row_of("own")->times);
	assert_int_equal(row_of("own")->scale, stack_window_scale());
	assert_false(row_of("web")->ready);
	flooded("own", L4_FLOOD_COOKIES_AGE - 1); /* some may still come back */
	look();
	assert_int_equal(setting(COOKIES), 2);
	flooded("own", L4_FLOOD_COOKIES_AGE + 2);
	look();
	assert_false(row_of("own")->ready);
	assert_int_equal(setting(COOKIES), 1);
	assert_int_equal(site_nic_changes(f.site)->n, 1); /* the VIP on lo */
}

/* By a daemon that died in the middle, and after whose start nobody floods. */
static void what_a_former_process_left_is_put_back(void **state)
{
	(void)state;
	flooded("own", 0);
	look();
	fixture_stop(&f);
	assert_int_equal(setting(COOKIES), 2); /* packets go on by it */
	assert_int_equal(fixture_start(&f), 0);
	look();
	assert_true(row_of("own")->ready);
	fixture_stop(&f);
	assert_int_equal(fixture_start(&f), 0);
	row_of("own")->seen = 0;
	look();
	assert_false(row_of("own")->ready);
	assert_int_equal(setting(COOKIES), 1);
}

/* Until servers' health is known packets go by what a former process published. */
static void nothing_is_put_back_while_a_former_generation_serves(void **state)
{
	(void)state;
	flooded("own", 0);
	look();
	row_of("own")->seen = 0;
	build_free(f.site->published);
	f.site->published = NULL;
	look();
	assert_true(row_of("own")->ready);
	assert_int_equal(setting(COOKIES), 2);
}

static void detach_puts_the_stack_back(void **state)
{
	(void)state;
	flooded("own", 0);
	look();
	assert_true(site_detach(f.site, &f.e) >= 0);
	assert_int_equal(setting(COOKIES), 1);
	look();
	assert_int_equal(setting(COOKIES), 1);
	assert_false(flood_of("own").on);
}

static void leave_connection(const char *name, uint16_t age)
{
	row_of(name)->begun++;
	fake.proxied[FAKE_PROXIED - 1] = (struct l4_proxied){
		.who = 1,
		.what = (uint64_t)id_of(name) << L4_PROXIED_SERVICE_AT |
			(uint64_t)(uint16_t)(clock_coarse() - age) << L4_PROXIED_TIME_AT |
			L4_PROXIED_OPEN,
		.idle = 100,
	};
}

/* What cookies began is translated to its end, also when no more are wanted. */
static void connections_outlive_the_cookies(void **state)
{
	unsigned publishes;

	(void)state;
	leave_connection("web", 0);
	look();
	look();
	assert_int_equal(flood_of("web").proxied, 1);
	apply("pool = \"web\"; };\n");
	assert_true(f.site->published->services[WEB].syn_cookies);
	assert_int_equal(f.site->published->services[WEB].syn_threshold, UINT32_MAX);
	look();
	assert_true(l4_flood_has_proxied(row_of("web")));
	publishes = fake.publishes;
	leave_connection("web", 101);
	look();
	look();
	assert_false(l4_flood_has_proxied(row_of("web")));
	assert_int_equal(flood_of("web").proxied, 0);
	event_base_loop(f.base, EVLOOP_NONBLOCK);
	assert_int_equal(fake.publishes, publishes + 1);
	assert_false(f.site->published->services[WEB].syn_cookies);
}

/* What a former process thought to be over may have begun since. */
static void connections_are_looked_for_after_a_restart(void **state)
{
	(void)state;
	leave_connection("web", 0);
	row_of("web")->ended = row_of("web")->begun;
	fixture_stop(&f);
	assert_int_equal(fixture_start(&f), 0);
	assert_true(l4_flood_has_proxied(row_of("web")));
	look();
	look();
	assert_true(l4_flood_has_proxied(row_of("web")));
	assert_int_equal(flood_of("web").proxied, 1);
}

static void rates_are_of_the_service(void **state)
{
	(void)state;
	look();
	flooded("web", 0);
	fake.cookies[id_of("web")] = 100000;
	usleep(2000);
	look();
	assert_true(flood_of("web").syns_per_s > 0);
	usleep(2000);
	look();
	assert_true(flood_of("web").syns_per_s == 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_flood_is_shown_while_it_is_on),
		CASE(no_threshold_is_no_flood),
		CASE(the_stack_takes_cookies_during_a_flood_of_its_own),
		CASE(what_a_former_process_left_is_put_back),
		CASE(nothing_is_put_back_while_a_former_generation_serves),
		CASE(detach_puts_the_stack_back),
		CASE(connections_outlive_the_cookies),
		CASE(connections_are_looked_for_after_a_restart),
		CASE(rates_are_of_the_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
