/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices are told while engines change: whichever has packets gets frames as they came. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/nic/nic.h"
#include "controlplane/nic/offload.h"
#include "tests/unit/pools/fake_engine.h"
#include "tests/unit/pools/site_fixture.h"
#include "tests/unit/test.h"

/* A veth has it turned on, and lets it be turned off. */
static const char feature[] = "rx-vlan-hw-parse";

static struct site_fixture f;

/* Steps at which the device has the feature, "take:dpdk ...". */
static struct {
	const char *device;
	char steps[256];
	bool restores; /* whoever gives interfaces back puts everything back */
} seen;

static void note(const char *step)
{
	struct err e;
	size_t n = strlen(seen.steps);

	if (offload_get(seen.device, feature) > 0)
		snprintf(seen.steps + n, sizeof seen.steps - n, "%s%s", n ? " " : "", step);
	if (seen.restores && !strcmp(step, "give:dpdk"))
		assert_int_equal(nic_restore(f.dir, &e), 0);
}

static int setup(void **state)
{
	char *text;

	(void)state;
	fixture_open(&f);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("ip link add wire type veth peer name far"), 0);
	text = fixture_replaced(fixture_text, "\"lo\"", "\"wire\"");
	fixture_write(&f, text);
	free(text);
	memset(&seen, 0, sizeof seen);
	seen.device = "wire";
	fake.on_step = note;
	return 0;
}

static int teardown(void **state)
{
	struct err e;

	(void)state;
	fixture_stop(&f);
	nic_restore(f.dir, &e);
	fixture_close(&f);
	return 0;
}

static void write_type(const char *type)
{
	char engine[64], *wire = fixture_replaced(fixture_text, "\"lo\"", "\"wire\""), *text;

	snprintf(engine, sizeof engine, "engine: { type = \"%s\"; };\nnode", type);
	text = fixture_replaced(wire, "node", engine);
	fixture_write(&f, text);
	free(wire);
	free(text);
}

static void start_as(const char *type)
{
	write_type(type);
	assert_int_equal(fixture_start(&f), 0);
}

static int change_to(const char *type)
{
	*fake.steps = *seen.steps = '\0';
	write_type(type);
	diags_free(&f.diags);
	memset(&f.diags, 0, sizeof f.diags);
	return site_apply(f.site, NULL, NULL, &f.diags, &f.e);
}

static void assert_feature(const char *device, bool on)
{
	assert_int_equal(offload_get(device, feature), on);
}

static void devices_of_programs_stay_as_they_are_until_packets_have_changed_over(void **state)
{
	(void)state;
	assert_feature("wire", true);
	start_as("xdp");
	assert_feature("wire", false);
	assert_int_equal(change_to("dpdk"), 0);
	assert_string_equal(seen.steps, "");
	assert_feature("wire", true);
}

/* tandem-dpdk may have been killed when it had them, so that all is put back as it was before there was any engine. */
static void devices_are_made_ready_again_when_a_change_fails(void **state)
{
	(void)state;
	start_as("xdp");
	fake.fails = "tally:dpdk";
	seen.restores = true;
	assert_int_equal(change_to("dpdk"), -EIO);
	assert_non_null(strstr(fake.steps, "give:dpdk"));
	assert_feature("wire", false);
	fake.fails = "take:dpdk";
	assert_int_equal(change_to("dpdk"), -EIO);
	assert_feature("wire", false);
}

static void what_is_below_is_ready_before_packets_come_to_programs(void **state)
{
	(void)state;
	start_as("dpdk");
	fake.ports[0].nic = if_nametoindex("wire");
	fake.ports[0].n_parts = 1;
	fake.ports[0].parts[0] = if_nametoindex("far");
	seen.device = "far";
	fake.fails = "resume:xdp";
	assert_int_equal(change_to("xdp"), -EIO);
	assert_null(strstr(seen.steps, "yield"));
	assert_feature("far", true);
	fake.fails = NULL;
	assert_int_equal(change_to("xdp"), 0);
	assert_non_null(strstr(seen.steps, "publish:xdp"));
	assert_null(strstr(seen.steps, "yield"));
	assert_feature("wire", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			devices_of_programs_stay_as_they_are_until_packets_have_changed_over, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			devices_are_made_ready_again_when_a_change_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_below_is_ready_before_packets_come_to_programs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
