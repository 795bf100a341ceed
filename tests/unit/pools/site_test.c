/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/pools/clock.h"
#include "controlplane/pools/site_impl.h"
#include "tests/unit/pools/fake_engine.h"
#include "tests/unit/pools/site_fixture.h"

static struct site_fixture f;

static int setup(void **state)
{
	(void)state;
	fixture_open(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

/* Starts with the fixture's configuration, one text of which is another. */
static int start_with(const char *from, const char *to)
{
	char *text = fixture_replaced(fixture_text, from, to);

	fixture_write(&f, text);
	free(text);
	return fixture_start(&f);
}

static int apply_with(const char *from, const char *to)
{
	char *text = fixture_replaced(fixture_text, from, to);

	fixture_write(&f, text);
	free(text);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	return site_apply(f.site, NULL, NULL, &f.diags, &f.e);
}

static char *read_file(const char *path)
{
	static char text[65536];
	FILE *in = fopen(path, "r");
	size_t n;

	assert_non_null(in);
	n = fread(text, 1, sizeof text - 1, in);
	text[n] = '\0';
	fclose(in);
	return text;
}

static void test_fresh_start(void **state)
{
	struct site_options o = { .config_path = f.config, .run_dir = f.dir, .state_dir = f.dir };
	struct site_status status;
	struct stat st;

	(void)state;
	assert_int_equal(site_new(&f.site, f.base, &o, &f.diags, &f.e), 0);
	assert_true(fake.open);
	assert_int_equal(fake.publishes, 0);
	assert_true(fake.routes > 0);
	assert_int_equal(stat(f.numbers, &st), 0); /* numbers are saved before packets see them */
	assert_int_equal(site_start(f.site, &f.e), 0);
	assert_int_equal(fake.publishes, 1);
	assert_int_equal(fake.input.n_addresses, 2);
	assert_int_equal(fake.input.n_members, 3);
	assert_int_equal(fake.members[0].weight, 1);
	assert_int_equal(fake.members[1].weight, 5);
	assert_int_equal(fake.members[1].port, 8080);
	site_status(f.site, &status);
	assert_int_equal(status.generation, 1);
	assert_false(status.adopted);
	assert_string_equal(site_config_path(f.site), f.config);
	assert_string_equal(site_config_text(f.site), fixture_text);
	assert_true(site_server_serving(f.site, 0));
}

/* A restart finds the numbers, the key and the operator's changes again, and says the same to the engine. */
static void test_restart(void **state)
{
	uint8_t key[16];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	memcpy(key, fake.input.key, sizeof key);
	assert_int_equal(site_server_set(f.site, 1, SERVER_DRAIN, 9, "operator", "disk", &f.e), 0);
	fixture_stop(&f);
	assert_int_equal(fake.detaches, 0);
	fake.adopt = true;
	/* Another order, and one more before: numbers stay. */
	assert_int_equal(start_with("web: { servers: { web1",
				 "web: { servers: { web0: { address = \"198.51.100.10\"; }; web1"),
		0);
	assert_memory_equal(fake.input.key, key, sizeof key);
	assert_int_equal(site_server_id(f.site, 0), 4);
	assert_int_equal(site_server_id(f.site, 1), 1);
	assert_int_equal(site_server_id(f.site, 2), 2);
	assert_int_equal(site_vip_id(f.site, 0), 1);
	assert_int_equal(site_gateway_id(f.site, 0), 2);
	assert_int_equal(site_server_overlay(f.site, 2)->wanted, SERVER_DRAIN);
	assert_string_equal(site_server_overlay(f.site, 2)->why, "disk");
	assert_int_equal(site_server_weight(f.site, 2), 9);
	assert_int_equal(fake.members[2].weight, 0);
}

static void test_server_set(void **state)
{
	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(site_server_set(f.site, 0, SERVER_DRAIN, -1, "root", "reboot", &f.e), 0);
	assert_int_equal(fake.publishes, 2);
	assert_int_equal(fake.members[0].weight, 0);
	assert_non_null(strstr(read_file(f.wanted), "reboot"));
	assert_false(site_server_serving(f.site, 0));
	assert_int_equal(site_server_set(f.site, 0, SERVER_READY, 500, "root", "", &f.e), 0);
	assert_int_equal(fake.members[0].weight, 500);
	assert_string_equal(site_server_overlay(f.site, 0)->why, "");
	assert_int_equal(site_server_set(f.site, 0, -1, -2, "root", "", &f.e), 0);
	assert_int_equal(fake.members[0].weight, 1);
	assert_int_equal(site_server_set(f.site, 0, -1, 0, "root", "", &f.e), 0);
	assert_int_equal(fake.members[0].weight, 0);
}

/* A reason outlives changes of what it was not given for. */
static void test_why(void **state)
{
	static const struct {
		int wanted, weight;
		const char *why, *then;
	} steps[] = {
		{ SERVER_DRAIN, -1, "disk", "disk" },
		{ -1, 7, NULL, "disk" },
		{ -1, 8, NULL, "disk" },
		{ -1, 9, "slow", "slow" },
		{ -1, -2, "", "" },
		{ -1, -1, "again", "again" },
		{ SERVER_MAINT, -1, NULL, "" },
		{ SERVER_MAINT, -1, "disk", "disk" },
		{ SERVER_DRAIN, 3, NULL, "" },
		{ SERVER_READY, -1, "canary", "canary" },
		{ SERVER_DRAIN, -1, NULL, "canary" },
		{ SERVER_READY, -1, NULL, "" },
		{ -1, 4, "canary", "canary" },
		{ -1, 5, NULL, "" },
		{ SERVER_READY, 6, "canary", "canary" },
		{ -1, -2, NULL, "" },
		{ SERVER_READY, -1, "back", "back" },
		{ SERVER_READY, -1, NULL, "" },
	};

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		assert_int_equal(site_server_set(f.site, 0, steps[i].wanted, steps[i].weight, "ada",
					 steps[i].why, &f.e),
			0);
		if (strcmp(site_server_overlay(f.site, 0)->why, steps[i].then) != 0)
			fail_msg("step %zu: \"%s\"", i, site_server_overlay(f.site, 0)->why);
	}
}

static void test_server_set_that_cannot_be_published(void **state)
{
	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	fake.publish_error = -ENOSPC;
	assert_int_equal(
		site_server_set(f.site, 0, SERVER_MAINT, -1, "root", "why", &f.e), -ENOSPC);
	assert_int_equal(site_server_overlay(f.site, 0)->wanted, SERVER_READY);
	assert_null(strstr(read_file(f.wanted), "maint"));
	site_save_now(f.site, STATE_ALL);
	assert_null(strstr(read_file(f.wanted), "maint"));
	fake.publish_error = 0;
	assert_int_equal(site_server_set(f.site, 0, SERVER_MAINT, -1, "root", "why", &f.e), 0);
	fake.publish_error = -ENOSPC;
	assert_int_equal(site_server_set(f.site, 0, SERVER_READY, 8, "other", NULL, &f.e), -ENOSPC);
	assert_int_equal(site_server_overlay(f.site, 0)->wanted, SERVER_MAINT);
	assert_int_equal(site_server_overlay(f.site, 0)->weight, -1);
	assert_string_equal(site_server_overlay(f.site, 0)->who, "root");
	assert_string_equal(site_server_overlay(f.site, 0)->why, "why");
	assert_null(strstr(read_file(f.wanted), "other"));
}

/* A file that is replaced is another one. */
static ino_t number_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* Of all that is kept, only what operators changed is written while one waits. */
static void test_server_set_writes_little(void **state)
{
	ino_t numbers, seen;
	off_t before;
	struct stat st;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	numbers = number_of(f.numbers);
	seen = number_of(f.seen);
	assert_int_equal(stat(f.wanted, &st), 0);
	before = st.st_size;
	assert_int_equal(site_server_set(f.site, 0, SERVER_MAINT, -1, "root", "why", &f.e), 0);
	assert_int_equal(stat(f.wanted, &st), 0);
	assert_true(st.st_size > before);
	assert_int_equal(site_server_set(f.site, 0, SERVER_READY, -1, "root", NULL, &f.e), 0);
	assert_int_equal(number_of(f.numbers), numbers);
	assert_int_equal(number_of(f.seen), seen);
}

static void test_server_set_that_cannot_be_saved(void **state)
{
	struct site_status status;
	char temp[96];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	snprintf(temp, sizeof temp, "%s.new", f.wanted);
	assert_int_equal(mkdir(temp, 0700), 0);
	assert_true(site_server_set(f.site, 0, SERVER_MAINT, -1, "root", "why", &f.e) < 0);
	assert_non_null(strstr(f.e.text, f.wanted));
	assert_int_equal(fake.publishes, 1);
	assert_int_equal(site_server_overlay(f.site, 0)->wanted, SERVER_READY);
	/* The file is tried again until it says what is so, and the status tells. */
	site_status(f.site, &status);
	assert_non_null(strstr(status.warnings[0], f.wanted));
	assert_int_equal(f.site->unsaved, STATE_WANTED);
	rmdir(temp);
	site_save_event(-1, 0, f.site);
	assert_int_equal(f.site->unsaved, 0);
	site_status(f.site, &status);
	assert_null(status.n_warnings ? strstr(status.warnings[0], f.wanted) : NULL);
}

/* The number of web2 goes to web9, and what was wanted of web2 is on the disk no more when web2 is back. */
static void test_apply_forgets_for_good(void **state)
{
	char *small = fixture_replaced(fixture_text, "servers = 32", "servers = 3");
	char *other = fixture_replaced(small, "web2: {", "web9: {");

	(void)state;
	fixture_write(&f, small);
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(site_server_set(f.site, 1, SERVER_MAINT, -1, "root", "", &f.e), 0);
	fixture_write(&f, other);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	assert_int_equal(site_apply(f.site, NULL, NULL, &f.diags, &f.e), 0);
	assert_int_equal(site_server_id(f.site, 1), 2);
	assert_int_equal(site_server_overlay(f.site, 1)->wanted, SERVER_READY);
	assert_null(strstr(read_file(f.wanted), "maint"));
	assert_non_null(strstr(read_file(f.numbers), "web/web9"));
	free(other);
	free(small);
}

static void test_apply(void **state)
{
	uint32_t id;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	id = site_server_id(f.site, 1);
	assert_int_equal(apply_with("weight = 5", "weight = 6"), 0);
	assert_int_equal(fake.publishes, 2);
	assert_int_equal(fake.members[1].weight, 6);
	assert_int_equal(f.site->unsaved, STATE_SEEN); /* with other addresses, maybe */
	assert_int_equal(apply_with("web1: { address = \"198.51.100.11\"; };", ""), 0);
	assert_int_equal(fake.input.n_members, 2);
	assert_int_equal(site_server_id(f.site, 0), id);
	/* The same again is no news. */
	assert_int_equal(apply_with("web1: { address = \"198.51.100.11\"; };", ""), 0);
	assert_int_equal(fake.publishes, 3);
}

/* A number that nobody had before counts from zero, from the publish on; all others go on. */
static void test_counters_of_fresh_numbers(void **state)
{
	(void)state;
	fake.server[1].packets = fake.server[4].packets =
		9; /* the state file was lost, the maps were not */
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fake.resets, 7);
	assert_int_equal(fake.server[1].packets, 0);
	fake.server[1].packets = 5;
	fake.publish_error = -ENOMEM;
	assert_int_equal(apply_with("web2: {", "web9: {"), -ENOMEM);
	assert_int_equal(fake.resets, 7);
	fake.publish_error = 0;
	assert_int_equal(apply_with("web2: {", "web9: {"), 0);
	assert_int_equal(fake.resets, 8);
	assert_int_equal(fake.server[4].packets, 0);
	assert_int_equal(fake.server[1].packets, 5);
	assert_int_equal(apply_with("weight = 5", "weight = 6"), 0);
	assert_int_equal(fake.resets, 8);
}

/* What is refused changes nothing and says why. */
static void test_apply_refused(void **state)
{
	static const struct {
		const char *from, *to;
		int err;
		const char *why;
	} cases[] = {
		{ "weight = 5", "wieght = 5", -EINVAL, "error" },
		{ "weight = 5", "weight = ", -EINVAL, "error" },
		{ "servers = 32", "servers = 33", -EBUSY, "\"limits\"" },
		{ "servers = 32", "servers = 32; pools = 9", -EBUSY, "\"limits\"" },
		{ "servers = 32", "servers = 32; records = 2048", -EBUSY, "\"limits\"" },
		{ "device = \"lo\"; };", "device = \"lo\"; }; other: {};", -EBUSY,
			"\"interfaces\"" },
		{ "node", "engine: { mode = \"generic\"; };\nnode", -EBUSY, "\"engine.mode\"" },
		{ "\"192.0.2.10\"", "\"127.0.0.1\"", -EADDRINUSE, "127.0.0.1" },
		{ "node", "api: { group = \"root\"; };\nnode", -EBUSY, "\"api.group\"" },
		{ "node", "engine: { dpdk: { cpus = \"2\"; }; };\nnode", -EBUSY,
			"when tandem-dpdk and tandemd are restarted" },
		{ "node", "engine: { dpdk: { driver = \"af_xdp\"; }; };\nnode", -EBUSY,
			"\"engine.dpdk\"" },
		{ "device = \"lo\";", "device = \"lo\"; port = \"net_null0\";", -EBUSY,
			"\"interfaces\"" },
		{ "servers = 32", "servers = 33", -EBUSY,
			"tandemd is restarted: nothing was changed; restart tandemd (packets keep" },
	};

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(apply_with(cases[i].from, cases[i].to), cases[i].err);
		if (!strstr(f.e.text, cases[i].why))
			fail_msg("case %zu: \"%s\" does not say %s", i, f.e.text, cases[i].why);
		assert_int_equal(f.diags.n_errors > 0, cases[i].err == -EINVAL);
		assert_int_equal(fake.publishes, 1);
		assert_string_equal(site_config_text(f.site), fixture_text);
	}
	unlink(f.config);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	assert_int_equal(site_apply(f.site, NULL, NULL, &f.diags, &f.e), -ENOENT);
	fixture_write(&f, fixture_text);
	fake.publish_error = -ENOSPC;
	assert_int_equal(apply_with("weight = 5", "weight = 6"), -ENOSPC);
	assert_int_equal(site_server_weight(f.site, 1), 5);
}

/* A path that is named counts until the next reload without one. */
static void test_apply_another_file(void **state)
{
	const struct site_caller self = { .uid = geteuid(), .gid = getegid() };
	char other[96];

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	snprintf(other, sizeof other, "%s/other.conf", f.dir);
	assert_int_equal(rename(f.config, other), 0);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	assert_int_equal(site_apply(f.site, other, &self, &f.diags, &f.e), 0);
	assert_string_equal(site_config_path(f.site), other);
	assert_int_equal(rename(other, f.config), 0);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	assert_int_equal(site_apply(f.site, NULL, NULL, &f.diags, &f.e), 0);
	assert_string_equal(site_config_path(f.site), f.config);
}

static void test_start_failures(void **state)
{
	(void)state;
	assert_int_equal(start_with("weight = 5", "wieght = 5"), -EINVAL);
	assert_true(f.diags.n_errors > 0);
	assert_int_equal(start_with("device = \"lo\"", "device = \"nosuch0\""), -ENODEV);
	assert_non_null(strstr(f.e.text, "nosuch0"));
	assert_int_equal(start_with("\"198.51.100.1\"", "\"127.0.0.1\""), -EADDRINUSE);
	assert_non_null(strstr(f.e.text, "127.0.0.1"));
	assert_non_null(strstr(f.e.text, "in use"));
	fake.open_error = -EPERM;
	assert_int_equal(start_with("weight = 5", "weight = 6"), -EPERM);
	fake.open_error = 0;
	fake.route_error = -ENOSPC; /* a full table */
	assert_int_equal(start_with("weight = 5", "weight = 6"), -ENOSPC);
	fake.route_error = 0;
	assert_int_equal(fake.detaches, 1);
	assert_false(fake.open);
	assert_int_equal(fake.publishes, 0);
}

/* A fresh engine that could not attach is taken away again; an adopted one is not touched. */
static void test_failed_first_publish(void **state)
{
	(void)state;
	fake.publish_error = -EBUSY;
	assert_int_equal(fixture_start(&f), -EBUSY);
	fixture_stop(&f);
	assert_false(fake.open);
	assert_int_equal(fake.detaches, 1);
	fake.adopt = true;
	assert_int_equal(fixture_start(&f), -EBUSY);
	fixture_stop(&f);
	assert_int_equal(fake.detaches, 1);
	assert_true(fake.attached);
}

static void test_damaged_state(void **state)
{
	int fd = open(f.numbers, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, "{ \"version\": 1", 14), 14);
	close(fd);
	assert_int_equal(fixture_start(&f), -EINVAL);
	assert_non_null(strstr(f.e.text, f.numbers));
	assert_non_null(strstr(f.e.text, "line 1"));
	assert_false(fake.open);
}

static void test_detach(void **state)
{
	struct site_status status;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	fake.detach_error = -EPERM;
	assert_int_equal(site_detach(f.site, &f.e), -EPERM);
	fake.detach_error = 0;
	assert_int_equal(site_detach(f.site, &f.e), 1);
	site_status(f.site, &status);
	assert_true(status.detached);
	assert_true(status.n_warnings > 0);
	assert_non_null(strstr(status.warnings[0], "detached"));
	assert_int_equal(site_server_set(f.site, 0, SERVER_DRAIN, -1, "root", "", &f.e), -EBUSY);
	assert_int_equal(apply_with("weight = 5", "weight = 6"), -EBUSY);
	assert_int_equal(site_detach(f.site, &f.e), -EBUSY);
	assert_int_equal(fake.publishes, 1);
}

/* A port of this machine where connections are taken and never answered. */
static int listener(unsigned *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* The fixture's configuration with pool "tcp" before the others, whose server "s1" is checked by tcp on a port, and
 * pool "http", whose server is checked by http on a port. The first verdict is due at once, later ones not
 * within the time of a test. */
static int start_checked(unsigned tcp_port, unsigned http_port)
{
	char *pools;
	int err;

	assert_true(
		asprintf(&pools,
			"health: {\n"
			"  t: { type = \"tcp\"; port = %u; interval = \"20s\"; timeout = \"10s\"; rise = 1; fall = "
			"1; };\n"
			"  h: { type = \"http\"; port = %u; interval = \"20s\"; timeout = \"10s\"; rise = 1; fall "
			"= 1; };\n"
			"};\n"
			"pools: { tcp: { health = \"t\"; servers: { s1: { address = \"127.0.0.1\"; }; }; };\n"
			"  http: { health = \"h\"; servers: { s1: { address = \"127.0.0.1\"; }; }; };\n",
			tcp_port, http_port) > 0);
	err = start_with("pools: {", pools);
	free(pools);
	return err;
}

static bool has_published(void *arg)
{
	(void)arg;
	return fake.publishes > 0;
}

static bool has_verdict(void *arg)
{
	const unsigned *server = arg;
	struct health_report r;

	site_server_health(f.site, *server, &r);
	return r.state != HEALTH_STARTING;
}

static bool never(void *arg)
{
	unsigned *turns = arg;

	return ++*turns > 20;
}

/* An adopted engine whose servers nobody remembers keeps its snapshot until all have verdicts. */
static void test_hold_ends(void **state)
{
	(void)state;
	fake.adopt = true;
	assert_int_equal(start_checked(1, 1), 0); /* nobody listens there */
	assert_int_equal(fake.publishes, 0);
	assert_int_equal(site_server_set(f.site, 0, SERVER_DRAIN, -1, "root", "", &f.e), -EAGAIN);
	assert_int_equal(apply_with("weight = 5", "weight = 6"), -EAGAIN);
	assert_true(fixture_wait(&f, has_published, NULL));
	assert_int_equal(site_server_set(f.site, 0, SERVER_DRAIN, -1, "root", "", &f.e), 0);
	fixture_stop(&f);
	/* The second time they are remembered. */
	fake.publishes = 0;
	assert_int_equal(start_checked(1, 1), 0);
	assert_int_equal(fake.publishes, 1);
}

static void test_hold_lasts(void **state)
{
	unsigned port, server = 0, turns = 0;
	int fd = listener(&port);

	(void)state;
	fake.adopt = true;
	assert_int_equal(start_checked(port, port), 0);
	assert_true(fixture_wait(&f, has_verdict, &server));
	publish_later(f.site, 0); /* as when a route changes */
	assert_true(fixture_wait(&f, never, &turns));
	assert_int_equal(fake.publishes, 0);
	close(fd);
}

static bool has_saved_up(void *arg)
{
	(void)arg;
	return strstr(read_file(f.seen), "\"tcp/s1\": {\n   \"state\": \"up\"");
}

/* A verdict is published by the loop, and on the disk a little later. */
static void test_verdict(void **state)
{
	unsigned port, server = 0, turns = 0;
	int fd = listener(&port);

	(void)state;
	assert_int_equal(start_checked(port, port), 0);
	assert_int_equal(fake.publishes, 1);
	assert_int_equal(fake.members[0].weight, 0); /* it has no verdict yet */
	assert_true(fixture_wait(&f, has_verdict, &server));
	assert_true(fixture_wait(&f, never, &turns));
	assert_int_equal(fake.publishes, 2);
	assert_int_equal(fake.members[0].weight, 1);
	assert_int_equal(fake.members[1].weight, 0);
	assert_true(fixture_wait(&f, has_saved_up, NULL));
	close(fd);
}

/* A server that comes down before it ever was up takes no new flows as before, but loses those it had. */
static void test_verdict_ends_flows(void **state)
{
	unsigned server = 0, turns = 0;

	(void)state;
	assert_int_equal(start_checked(1, 1), 0);
	assert_true(fake.members[0].serves);
	assert_true(fixture_wait(&f, has_verdict, &server));
	assert_true(fixture_wait(&f, never, &turns));
	assert_true(fake.publishes > 1);
	assert_int_equal(fake.members[0].weight, 0);
	assert_false(fake.members[0].serves);
}

static void test_verdict_after_detach(void **state)
{
	unsigned port, server = 0, turns = 0;
	int fd = listener(&port);

	(void)state;
	assert_int_equal(start_checked(port, port), 0);
	assert_int_equal(site_detach(f.site, &f.e), 1);
	assert_true(fixture_wait(&f, has_verdict, &server));
	assert_true(fixture_wait(&f, never, &turns));
	assert_int_equal(fake.publishes, 1);
	close(fd);
}

/* What could not be published is tried again. */
static void test_publish_is_tried_again(void **state)
{
	unsigned port, server = 0;
	struct site_status status;
	int fd = listener(&port);

	(void)state;
	assert_int_equal(start_checked(port, port), 0);
	fake.publishes = 0;
	fake.publish_error = -ENOMEM;
	assert_true(fixture_wait(&f, has_verdict, &server));
	event_base_loop(f.base, EVLOOP_NONBLOCK);
	site_status(f.site, &status);
	assert_non_null(strstr(status.warnings[0], "not published"));
	fake.publish_error = 0;
	assert_true(fixture_wait(&f, has_published, NULL));
	assert_int_equal(fake.members[0].weight, 1);
	site_status(f.site, &status);
	assert_null(strstr(status.warnings[0], "not published"));
	close(fd);
}

static void assert_engine_warning(enum engine_state state, const char *words)
{
	struct site_status status;

	fake.state = state;
	site_status(f.site, &status);
	assert_true(status.n_warnings > 0);
	assert_non_null(strstr(status.warnings[0], words));
}

static void test_an_engine_that_is_gone_is_told(void **state)
{
	struct site_status status;
	unsigned port;
	int fd = listener(&port);

	(void)state;
	assert_int_equal(start_checked(port, port), 0);
	site_status(f.site, &status);
	for (unsigned i = 0; i < status.n_warnings; i++)
		assert_null(strstr(status.warnings[i], "engine's process"));
	assert_true(fixture_wait(&f, has_published, NULL));
	assert_engine_warning(ENGINE_GONE, "tandem-dpdk does not run");
	assert_engine_warning(ENGINE_OTHER, "restart tandemd");
	close(fd);
}

/* The table of pool web as it was published last. */
static const struct snapshot_slots *web_table(void)
{
	return f.site->published->pools[0].slots;
}

static void put_record(unsigned at, uint32_t hash, uint32_t server)
{
	uint16_t pool = (uint16_t)f.site->live->ids.pools[0];

	fake.records[at].who = l4_record_who(hash, 1);
	fake.records[at].what = l4_record_what(l4_record_mark(hash, pool), L4_RECORD_LIVE, false,
		clock_coarse(), (uint16_t)server);
}

/* One sweep, and what follows from it. */
static void sweep(void)
{
	sweep_event(-1, 0, f.site);
	event_base_loop(f.base, EVLOOP_NONBLOCK);
}

/* Drained and made ready again: slots settle by and by, one that a record holds is the last. */
static void test_sweep_settles_and_publishes(void **state)
{
	uint32_t web2, slot = 0;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	sweep();
	assert_int_equal(fake.publishes, 1);
	assert_int_equal(web_table()->n_tracked, 0);
	assert_int_equal(site_server_set(f.site, 0, SERVER_DRAIN, -1, "root", "", &f.e), 0);
	assert_int_equal(fake.publishes, 2);
	assert_true(web_table()->n_tracked > 1);
	while (web_table()->base[slot] == SNAPSHOT_SETTLED)
		slot++;
	web2 = web_table()->owner[slot];
	put_record(3, slot, web2);
	sweep(); /* nothing settles: the base may have flows without records */
	assert_int_equal(fake.publishes, 2);

	assert_int_equal(site_server_set(f.site, 0, SERVER_READY, -1, "root", "", &f.e), 0);
	assert_int_equal(fake.publishes, 3);
	assert_true(web_table()->n_tracked > 1);
	sweep();
	assert_int_equal(fake.publishes, 4);
	assert_int_equal(web_table()->n_tracked, 1);
	assert_int_equal(web_table()->base[slot], web_table()->owner[slot]);
	assert_int_equal(site_server_tracking(f.site, 1)->records, 1);
	assert_int_equal(site_tracking(f.site)->capacity, FAKE_RECORDS);
	assert_int_equal(site_tracking(f.site)->live, 1);
	sweep();
	assert_int_equal(fake.publishes, 4);

	fake.records[3] = (struct l4_record){ 0 };
	sweep();
	assert_int_equal(fake.publishes, 5);
	assert_int_equal(web_table()->n_tracked, 0);
}

/* What a sweep has settled and cannot be published is as it was; the next sweep settles it again. */
static void test_sweeps_whose_result_is_refused(void **state)
{
	uint32_t n;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(site_server_set(f.site, 0, SERVER_DRAIN, -1, "root", "", &f.e), 0);
	assert_int_equal(site_server_set(f.site, 0, SERVER_READY, -1, "root", "", &f.e), 0);
	n = web_table()->n_tracked;
	assert_true(n > 0);
	fake.publish_error = -ENOMEM;
	sweep();
	assert_false(tracker_is_dirty(f.site->tracker));
	assert_int_equal(web_table()->n_tracked, n);
	fake.publish_error = 0;
	publish_event(-1, 0, f.site);
	assert_int_equal(web_table()->n_tracked, n);
	sweep();
	assert_int_equal(web_table()->n_tracked, 0);
}

/* Whether the log tells of a publish that fails. */
static bool is_told_of_a_failed_publish(void)
{
	FILE *was = stderr;
	char *text = NULL;
	size_t len;
	bool told;

	stderr = open_memstream(&text, &len);
	assert_non_null(stderr);
	publish_event(-1, 0, f.site);
	fclose(stderr);
	stderr = was;
	told = strstr(text, "cannot publish") != NULL;
	free(text);
	return told;
}

/* An engine that is gone has been told of, and is sent what is new when it is back. */
static void test_nothing_is_said_of_publishes_to_nobody(void **state)
{
	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	build_free(f.site->published);
	f.site->published = NULL; /* there is something to publish */
	fake.publish_error = -ENOTCONN;
	fake.state = ENGINE_GONE;
	assert_false(is_told_of_a_failed_publish());
	fake.state = ENGINE_SERVING;
	f.site->publish_fault.text[0] = '\0';
	assert_true(is_told_of_a_failed_publish());
	assert_false(is_told_of_a_failed_publish());
}

/* None begins between what a sweep has found and its publish: packets go by other tables than those here. */
static void test_no_sweep_before_the_publish(void **state)
{
	uint32_t slot = 0;

	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(site_server_set(f.site, 0, SERVER_DRAIN, -1, "root", "", &f.e), 0);
	while (web_table()->base[slot] == SNAPSHOT_SETTLED)
		slot++;
	put_record(3, slot, web_table()->owner[slot]); /* so that there is something to sweep for */
	assert_int_equal(site_server_set(f.site, 0, SERVER_READY, -1, "root", "", &f.e), 0);
	sweep_event(-1, 0, f.site);
	assert_true(tracker_is_dirty(f.site->tracker));
	put_record(0, 1, 99); /* of a server that is not there: a sweep would clear it */
	sweep_event(-1, 0, f.site);
	assert_int_not_equal(l4_record_state(fake.records[0].what), L4_RECORD_EMPTY);
	event_base_loop(f.base, EVLOOP_NONBLOCK);
	assert_int_equal(web_table()->n_tracked, 1);
	assert_int_equal(site_server_set(f.site, 0, SERVER_DRAIN, -1, "root", "", &f.e), 0);
	sweep();
	assert_int_equal(l4_record_state(fake.records[0].what), L4_RECORD_EMPTY);
}

/* Flows went on to the server that was not taken out, and their slots know of nothing else. */
static void test_refused_change_leaves_no_trace(void **state)
{
	(void)state;
	assert_int_equal(fixture_start(&f), 0);
	fake.publish_error = -ENOSPC;
	assert_true(site_server_set(f.site, 0, SERVER_MAINT, -1, "root", "", &f.e) < 0);
	fake.publish_error = 0;
	assert_int_equal(site_server_set(f.site, 2, SERVER_DRAIN, -1, "root", "", &f.e), 0);
	assert_int_equal(web_table()->n_tracked, 0);
}

/* A restart goes on from the tables that packets go by, not from what it would make of the configuration. */
static void test_past_tables(void **state)
{
	uint32_t changed = 0;

	(void)state;
	fake.adopt = true;
	fake.past.pool = 1;
	for (unsigned i = 0; i < FAKE_SLOTS; i++) {
		fake.past.owner[i] = 1;
		fake.past.base[i] = i == 7 ? 2 : SNAPSHOT_SETTLED;
		fake.past.since[i] = i == 7 ? clock_coarse() : 0;
	}
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fake.publishes, 1);
	assert_int_equal(web_table()->n, FAKE_SLOTS);
	for (unsigned i = 0; i < FAKE_SLOTS; i++) {
		uint16_t kept = web_table()->owner[i] == 1 ? SNAPSHOT_SETTLED : 1;

		changed += web_table()->owner[i] != 1;
		assert_int_equal(web_table()->base[i], i == 7 ? 2 : kept);
	}
	assert_true(changed > FAKE_SLOTS / 2); /* web2 has five times the weight */
}

static void test_past_tables_that_cannot_be_read(void **state)
{
	(void)state;
	fake.past_error = -EINVAL;
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fake.publishes, 1);
	fixture_stop(&f);
	fake.past_error = -ENOMEM;
	assert_int_equal(fixture_start(&f), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fresh_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_why, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_server_set_that_cannot_be_published, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_server_set_that_cannot_be_saved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_server_set_writes_little, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply_forgets_for_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters_of_fresh_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apply_another_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_first_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_detach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hold_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hold_lasts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verdict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verdict_ends_flows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verdict_after_detach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish_is_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_an_engine_that_is_gone_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep_settles_and_publishes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_sweeps_whose_result_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_sweep_before_the_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_nothing_is_said_of_publishes_to_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_refused_change_leaves_no_trace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_past_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_past_tables_that_cannot_be_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
