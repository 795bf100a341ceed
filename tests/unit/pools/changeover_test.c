/* SPDX-License-Identifier: BSD-2-Clause */
/* From one engine to another: what is done in which order, what is undone when a step fails, and what a start finds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controlplane/nic/step.h"
#include "tests/unit/pools/fake_engine.h"
#include "tests/unit/pools/site_fixture.h"
#include "tests/unit/test.h"

#define TO_DPDK                                                                            \
	"ready:dpdk take:dpdk inherit:dpdk carry:dpdk tally:dpdk publish:dpdk yield:dpdk " \
	"yield:xdp carry:dpdk cede:xdp resume:dpdk rest:dpdk give:xdp"
/* Counters of a map are added to before packets are counted there. */
#define TO_XDP                                                                       \
	"ready:xdp aside:xdp inherit:xdp carry:xdp tally:xdp publish:xdp yield:xdp " \
	"yield:dpdk carry:xdp rest:xdp cede:dpdk resume:xdp give:dpdk end:xdp"

enum { LOOPBACK = 1 };

static struct site_fixture f;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fixture_open(&f);
	fake.ports[0].nic = LOOPBACK;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

static void write_type(const char *type)
{
	char engine[64], *text;

	snprintf(engine, sizeof engine, "engine: { type = \"%s\"; };\nnode", type);
	text = fixture_replaced(fixture_text, "node", engine);
	fixture_write(&f, text);
	free(text);
}

static int change_to(const char *type)
{
	*fake.steps = '\0';
	write_type(type);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	return site_apply(f.site, NULL, NULL, &f.diags, &f.e);
}

static enum conf_engine_type type_now(void)
{
	return engine_type(site_engine(f.site));
}

static void start_as(const char *type)
{
	write_type(type);
	assert_int_equal(fixture_start(&f), 0);
}

static void there_and_back(void **state)
{
	const struct site_changeover *o;

	(void)state;
	start_as("xdp");
	fake.carried = (struct engine_carried){ 7, 1 };
	assert_int_equal(change_to("dpdk"), 0);
	assert_string_equal(fake.steps, TO_DPDK);
	assert_int_equal(type_now(), CONF_ENGINE_DPDK);
	o = site_changed_over(f.site);
	assert_non_null(o);
	assert_int_equal(o->from, CONF_ENGINE_XDP);
	assert_int_equal(o->to, CONF_ENGINE_DPDK);
	assert_int_equal(o->carried.flows, 7);
	assert_int_equal(o->carried.lost, 1);
	assert_true(o->gap_ns > 0);
	assert_int_equal(fake.open, 1);
	assert_int_equal(change_to("xdp"), 0);
	assert_string_equal(fake.steps, TO_XDP);
	assert_int_equal(type_now(), CONF_ENGINE_XDP);
	assert_int_equal(fake.open, 1);
	assert_int_equal(change_to("xdp"), 0);
	assert_string_equal(fake.steps, "");
	assert_null(site_changed_over(f.site));
}

/* After a step that fails the engine before serves, and whatever was taken is given back. */
static void assert_undone(const char *to, const char *step, const char *end)
{
	enum conf_engine_type was = type_now();
	char words[96];
	size_t n;

	fake.fails = step;
	assert_int_equal(change_to(to), -EIO);
	n = strlen(fake.steps);
	if (n < strlen(end) || strcmp(fake.steps + n - strlen(end), end) != 0)
		fail_msg("%s fails: \"%s\" does not end with \"%s\"", step, fake.steps, end);
	snprintf(words, sizeof words, "to %s, and nothing was changed: no %s", to, step);
	assert_non_null(strstr(f.e.text, words));
	assert_int_equal(type_now(), was);
	assert_int_equal(fake.open, 1);
	assert_null(site_changed_over(f.site));
	fake.fails = NULL;
}

static void what_fails_is_undone(void **state)
{
	(void)state;
	start_as("xdp");
	assert_undone("dpdk", "ready:dpdk", "ready:dpdk");
	assert_undone("dpdk", "take:dpdk", "take:dpdk give:dpdk");
	assert_undone("dpdk", "tally:dpdk", "tally:dpdk no-rest:dpdk give:dpdk");
	assert_undone("dpdk", "publish:dpdk", "publish:dpdk no-rest:dpdk give:dpdk");
	assert_undone("dpdk", "yield:dpdk", "yield:dpdk no-rest:dpdk give:dpdk");
	assert_undone("dpdk", "yield:xdp", "yield:xdp resume:xdp no-rest:dpdk give:dpdk");
	assert_undone("dpdk", "resume:dpdk",
		"yield:xdp carry:dpdk cede:xdp resume:dpdk resume:xdp no-rest:dpdk give:dpdk");
	assert_undone("dpdk", "cede:xdp", "cede:xdp resume:xdp no-rest:dpdk give:dpdk");
	assert_int_equal(change_to("dpdk"), 0);
	assert_undone("xdp", "aside:xdp", "aside:xdp give:xdp");
	assert_undone("xdp", "publish:xdp", "publish:xdp no-rest:xdp give:xdp");
	assert_undone("xdp", "resume:xdp", "rest:xdp cede:dpdk resume:xdp resume:dpdk give:xdp");
	assert_int_equal(change_to("xdp"), 0);
}

static bool has_published(void *arg)
{
	return fake.publishes > *(unsigned *)arg;
}

/* Packets may have been told by the tables of the other's generation. */
static void what_is_undone_is_published_again(void **state)
{
	unsigned before;

	(void)state;
	start_as("xdp");
	assert_undone("dpdk", "resume:dpdk", "give:dpdk");
	before = fake.publishes;
	assert_true(fixture_wait(&f, has_published, &before));
}

static void a_change_that_cannot_be_is_refused(void **state)
{
	(void)state;
	start_as("xdp");
	fake.capturing = true;
	assert_int_equal(change_to("dpdk"), -EBUSY);
	assert_string_equal(fake.steps, "");
	assert_non_null(strstr(f.e.text, "packets are being captured"));
	fake.capturing = false;
	assert_int_equal(change_to("dpdk"), 0);
	fake.state = ENGINE_GONE;
	assert_int_equal(change_to("xdp"), -EBUSY);
	assert_non_null(strstr(f.e.text, "start tandem-dpdk again first"));
	fake.state = ENGINE_SERVING;
	fake.ports[0].nic = 0;
	assert_int_equal(change_to("xdp"), -EOPNOTSUPP);
	assert_non_null(strstr(f.e.text, "interface lo is run by DPDK's own driver"));
	assert_int_equal(type_now(), CONF_ENGINE_DPDK);
}

/* Whoever has packets serves until the other can. */
static void a_start_goes_on_from_either(void **state)
{
	(void)state;
	fake.holds[CONF_ENGINE_XDP] = true;
	start_as("dpdk");
	assert_string_equal(fake.steps, TO_DPDK);
	assert_int_equal(type_now(), CONF_ENGINE_DPDK);
	fixture_stop(&f);
	fake.holds[CONF_ENGINE_XDP] = false;
	fake.holds[CONF_ENGINE_DPDK] = true;
	*fake.steps = '\0';
	start_as("xdp");
	assert_string_equal(fake.steps, TO_XDP);
	assert_int_equal(type_now(), CONF_ENGINE_XDP);
}

static void a_start_without_the_other_goes_on_as_it_was(void **state)
{
	(void)state;
	fake.holds[CONF_ENGINE_XDP] = true;
	fake.fails = "ready:dpdk";
	start_as("dpdk");
	assert_int_equal(type_now(), CONF_ENGINE_XDP);
	assert_true(fake.attached);
	fake.fails = NULL;
	assert_int_equal(change_to("dpdk"), 0);
	assert_int_equal(type_now(), CONF_ENGINE_DPDK);
}

/* A process was killed when both had the interfaces: programs passed packets to the DPDK engine. */
static void a_start_ends_what_was_begun(void **state)
{
	(void)state;
	fake.holds[CONF_ENGINE_XDP] = fake.holds[CONF_ENGINE_DPDK] = fake.passes = true;
	start_as("dpdk");
	assert_string_equal(fake.steps, "give:xdp");
	assert_int_equal(type_now(), CONF_ENGINE_DPDK);
	assert_int_equal(fake.open, 1);
	fixture_stop(&f);
	*fake.steps = '\0';
	start_as("xdp");
	assert_string_equal(fake.steps, TO_XDP);
}

/* Both were killed, before the DPDK engine knew all flows: programs take packets again. */
static void a_start_has_programs_take_packets_again(void **state)
{
	(void)state;
	fake.holds[CONF_ENGINE_XDP] = fake.passes = fake.yielded = true;
	start_as("dpdk");
	assert_string_equal(fake.steps, TO_DPDK);
}

/* While tandem-dpdk lives it has seen to that. */
static void a_start_leaves_packets_to_a_dpdk_engine_that_serves(void **state)
{
	(void)state;
	fake.holds[CONF_ENGINE_XDP] = fake.holds[CONF_ENGINE_DPDK] = true;
	fake.passes = fake.yielded = true;
	start_as("dpdk");
	assert_string_equal(fake.steps, "give:xdp");
}

/* Or programs served before it: it gives devices back, and is changed over to as if nothing had been. */
static void a_start_clears_what_stands_behind_programs_that_serve(void **state)
{
	(void)state;
	fake.holds[CONF_ENGINE_XDP] = fake.holds[CONF_ENGINE_DPDK] = true;
	start_as("dpdk");
	assert_string_equal(fake.steps, "give:dpdk publish:xdp " TO_DPDK);
	assert_int_equal(type_now(), CONF_ENGINE_DPDK);
	fixture_stop(&f);
	*fake.steps = '\0';
	start_as("xdp");
	assert_string_equal(fake.steps, "give:dpdk publish:xdp");
	assert_int_equal(type_now(), CONF_ENGINE_XDP);
}

static void an_engine_that_stands_by_is_taken_at_the_start(void **state)
{
	(void)state;
	start_as("dpdk");
	assert_string_equal(fake.steps, "take:dpdk publish:dpdk");
}

/* What a process has that took lo over, and is there still: its lock, its record, its list of changes. */
static struct {
	char dirs[2][48], lock[80], record[64], list[64];
	int fd;
	unsigned waits;
} other;

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void other_begins(void)
{
	memset(&other, 0, sizeof other);
	snprintf(other.dirs[0], sizeof other.dirs[0], "%s/handover", f.dir);
	snprintf(other.dirs[1], sizeof other.dirs[1], "%s/dpdk", f.dir);
	snprintf(other.record, sizeof other.record, "%s/lo", other.dirs[0]);
	snprintf(other.lock, sizeof other.lock, "%s:lock", other.record);
	snprintf(other.list, sizeof other.list, "%s/nic", other.dirs[1]);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(mkdir(other.dirs[i], 0700), 0);
	write_file(other.record, "");
	write_file(other.list, "feature 4000000 gone rx-lro\n");
	other.fd = open(other.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(other.fd, LOCK_EX | LOCK_NB), 0);
}

/* Its interfaces have been given back already. */
static void other_ends(void)
{
	unlink(other.record);
	close(other.fd);
}

static void assert_nothing_is_left(void)
{
	assert_int_equal(access(other.list, F_OK), -1);
	unlink(other.lock);
	rmdir(other.dirs[0]);
	assert_int_equal(rmdir(other.dirs[1]), 0);
}

static void end_at_third_wait(const char *what)
{
	if (strcmp(what, "wait for locks") != 0)
		return;
	assert_int_equal(access(other.list, F_OK), 0);
	if (++other.waits == 3)
		other_ends();
}

static void a_start_waits_for_a_process_that_is_dying(void **state)
{
	(void)state;
	for (unsigned in_front = 0; in_front < 2; in_front++) {
		fake.holds[CONF_ENGINE_XDP] = in_front;
		other_begins();
		step_hook = end_at_third_wait;
		start_as("xdp");
		step_hook = NULL;
		assert_int_equal(other.waits, 3);
		assert_int_equal(type_now(), CONF_ENGINE_XDP);
		assert_nothing_is_left();
		fixture_stop(&f);
	}
}

/* It does not answer, or otherwise than is understood; its devices are left alone. */
static void a_start_fails_where_a_process_keeps_interfaces(void **state)
{
	(void)state;
	other_begins();
	write_type("xdp");
	assert_int_equal(fixture_start(&f), -EBUSY);
	assert_string_equal(f.e.text, "another process has lo: stop it first");
	assert_int_equal(fake.open, 0);
	assert_int_equal(access(other.list, F_OK), 0);
	other_ends();
	assert_int_equal(fixture_start(&f), 0);
	assert_nothing_is_left();
}

static void a_start_fails_where_interfaces_cannot_be_given_back(void **state)
{
	(void)state;
	other_begins();
	close(other.fd);
	write_type("xdp");
	assert_int_equal(fixture_start(&f), -EBADMSG);
	assert_non_null(strstr(f.e.text, "put it back by hand"));
	assert_int_equal(fake.open, 0);
	unlink(other.record);
	write_file(other.list, "damaged\n"); /* which is told, and is in nobody's way */
	assert_int_equal(fixture_start(&f), 0);
	assert_nothing_is_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(what_fails_is_undone, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_undone_is_published_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_change_that_cannot_be_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_goes_on_from_either, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_start_without_the_other_goes_on_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_ends_what_was_begun, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_start_has_programs_take_packets_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_start_leaves_packets_to_a_dpdk_engine_that_serves, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_start_clears_what_stands_behind_programs_that_serve, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_engine_that_stands_by_is_taken_at_the_start, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_start_waits_for_a_process_that_is_dying, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_start_fails_where_a_process_keeps_interfaces, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_start_fails_where_interfaces_cannot_be_given_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
