/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of what was changed, between the engines: of a bridge that is handed over and its part, which stands for what a VLAN is on too, in a
 * network namespace of the test's own. */
#include "apps/tandem-dpdk/changes.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/nic/ledger.h"
#include "tests/unit/test.h"

static char former[] = "/tmp/tandem-changes-XXXXXX", latter[] = "/tmp/tandem-changes-XXXXXX";
/* Two fronts upon one device, as VLANs are on a trunk, and a port of DPDK's. */
static struct front fronts[] = { { .device = "one", .handover = (struct handover *)"one-nic" },
	{ .device = "two", .handover = (struct handover *)"two-nic" }, { .device = "three" } };

enum { FRONTS = sizeof fronts / sizeof *fronts };

const char *handover_nic(const struct handover *h)
{
	return (const char *)h;
}

uint32_t handover_nic_ifindex(const struct handover *h)
{
	return if_nametoindex(handover_nic(h));
}

static void run(const char *command)
{
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

static int begin(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) || !mkdtemp(former) || !mkdtemp(latter))
		return -1;
	run("ip link add trunk type bridge && ip link add part type veth peer name other");
	run("ip link set part master trunk");
	run("ip link add one-nic link trunk type macvlan && ip link add two-nic link trunk type macvlan");
	return 0;
}

static int finish(void **state)
{
	(void)state;
	return rmdir(former) || rmdir(latter);
}

static void add(struct ledger *l, const char *device, const char *name)
{
	struct ledger_entry e = { .kind = LEDGER_FEATURE, .ifindex = if_nametoindex(device) };

	snprintf(e.device, sizeof e.device, "%s", name);
	snprintf(e.what, sizeof e.what, "rx-gro");
	assert_int_equal(ledger_add(l, &e), 0);
}

/* The devices on a list, a space behind each. */
static const char *listed(const char *dir)
{
	static char text[256];
	struct ledger l = { 0 };
	size_t length = 0;

	assert_int_equal(ledger_load(&l, dir), 0);
	*text = '\0';
	for (size_t i = 0; i < l.n; i++)
		length += (size_t)snprintf(
			text + length, sizeof text - length, "%s ", l.list[i].device);
	ledger_free(&l);
	return text;
}

static void what_is_below_goes_along(void **state)
{
	struct ledger l = { 0 };
	struct err e;

	(void)state;
	add(&l, "trunk", "trunk");
	add(&l, "one-nic", "one");
	add(&l, "other", "other");
	add(&l, "part", "part");
	add(&l, "lo", "lo");
	assert_int_equal(ledger_save(&l, former), 0);
	ledger_free(&l);
	assert_int_equal(changes_adopt(fronts, FRONTS, former, latter, &e), 0);
	assert_string_equal(listed(former), "other lo ");
	assert_string_equal(listed(latter), "one-nic trunk part ");
	assert_int_equal(changes_leave(fronts, FRONTS, latter, former, &e), 0);
	assert_string_equal(listed(latter), "");
	assert_string_equal(listed(former), "other lo one trunk part ");
	assert_int_equal(ledger_save(&l, former), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_below_goes_along) };

	return cmocka_run_group_tests(tests, begin, finish);
}
