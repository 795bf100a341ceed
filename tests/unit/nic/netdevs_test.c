/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands on what, in a network namespace of the test's own. Bridges have parts as bonds do, and a macvlan stands on a device as a
 * VLAN does. */
#include "controlplane/nic/netdevs.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

enum { MANY = 16 };

static void run(const char *command)
{
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

/* A pair "va" and "vb", on which there are "m1" and "m2"; a bridge of "va" and "vc", and on that "mb". */
static int begin(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		return -1;
	run("ip link add va type veth peer name vb && ip link add vc type veth peer name vd");
	run("ip link add m1 link vb type macvlan && ip link add m2 link vb type macvlan");
	run("ip link add br0 type bridge && ip link set va master br0 && ip link set vc master br0");
	run("ip link add mb link br0 type macvlan");
	return 0;
}

/* The devices below one, a space behind each. */
static const char *below(const char *device)
{
	static char text[MANY * IF_NAMESIZE];
	const struct netdev *list[MANY];
	struct netdevs all = { 0 };
	size_t n, length = 0;

	assert_int_equal(netdevs_read(&all), 0);
	assert_in_range(all.n, 8, MANY);
	n = netdevs_below(&all, if_nametoindex(device), list);
	*text = '\0';
	for (size_t i = 0; i < n; i++)
		length +=
			(size_t)snprintf(text + length, sizeof text - length, "%s ", list[i]->name);
	netdevs_free(&all);
	return text;
}

static void a_device_alone_stands_on_nothing(void **state)
{
	(void)state;
	assert_string_equal(below("va"), "");
	assert_string_equal(below("vb"), "");
	assert_string_equal(below("lo"), "");
	assert_string_equal(below("gone0"), "");
}

static void devices_stand_on_others(void **state)
{
	(void)state;
	assert_string_equal(below("m1"), "vb ");
	assert_string_equal(below("m2"), "vb ");
}

static void devices_have_parts(void **state)
{
	const char *parts = below("br0");

	(void)state;
	assert_int_equal(strlen(parts), 6);
	assert_non_null(strstr(parts, "va "));
	assert_non_null(strstr(parts, "vc "));
}

static void all_the_way_down(void **state)
{
	const char *list = below("mb");

	(void)state;
	assert_int_equal(strlen(list), 10);
	assert_int_equal(strncmp(list, "br0 ", 4), 0);
	assert_non_null(strstr(list, "va "));
	assert_non_null(strstr(list, "vc "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_alone_stands_on_nothing),
		cmocka_unit_test(devices_stand_on_others),
		cmocka_unit_test(devices_have_parts),
		cmocka_unit_test(all_the_way_down),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
