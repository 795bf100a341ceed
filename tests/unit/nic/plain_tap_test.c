/* SPDX-License-Identifier: BSD-2-Clause */
/* In a network namespace of the test's own. */
#include "controlplane/nic/plain_tap.h"
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/nic/netdev.h"
#include "controlplane/nic/tap.h"
#include "tests/unit/test.h"

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 }, other[6] = { 2, 0, 0, 0, 0, 8 };

static void run(const char *command)
{
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

static int begin(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

static void is_made_and_stays(void **state)
{
	struct plain_tap t;
	struct netdev d;
	struct err e;

	(void)state;
	assert_int_equal(plain_tap_open(&t, "front", mac, &e), 0);
	assert_int_equal(netdev_by_name("front", &d), 0);
	assert_int_equal(d.ifindex, t.ifindex);
	assert_int_equal(t.mtu, 1500);
	assert_true(d.flags & IFF_UP);
	assert_memory_equal(d.mac, mac, sizeof mac);
	assert_int_equal(plain_tap_open(&(struct plain_tap){ 0 }, "front", mac, &e), -EBUSY);
	assert_non_null(strstr(e.text, "another process"));
	run("ip addr add 192.0.2.1/24 dev front && ip link set front down mtu 9000");
	plain_tap_close(&t);
	/* As the operator left it, but for the address of the port, which may be another. */
	assert_int_equal(plain_tap_open(&t, "front", other, &e), 0);
	assert_int_equal(t.ifindex, d.ifindex);
	assert_int_equal(t.mtu, 9000);
	assert_int_equal(netdev_by_name("front", &d), 0);
	assert_false(d.flags & IFF_UP);
	assert_memory_equal(d.mac, other, sizeof other);
	run("ip -4 addr show dev front | grep -q 192.0.2.1");
	plain_tap_close(&t);
	plain_tap_close(&t);
}

static void no_other_device(void **state)
{
	struct plain_tap t;
	struct err e;

	(void)state;
	run("ip link add front type veth peer name back");
	assert_int_equal(plain_tap_open(&t, "front", mac, &e), -EBUSY);
	assert_non_null(strstr(e.text, "no tap"));
}

static int attach(void *arg)
{
	int *tap = arg;

	*tap = tap_open("front");
	return *tap < 0 ? *tap : 0;
}

static int refuse(void *arg)
{
	(void)arg;
	return -ENODEV;
}

static bool has_carrier(void)
{
	struct netdev d;

	assert_int_equal(netdev_by_name("front", &d), 0);
	return d.carrier;
}

static void may_be_lent(void **state)
{
	struct plain_tap t;
	struct err e = { "" };
	int tap = -1;

	(void)state;
	assert_int_equal(plain_tap_open(&t, "front", mac, &e), 0);
	assert_int_equal(plain_tap_lend(&t, "front", refuse, NULL, &e), -ENODEV);
	assert_string_equal(e.text, "");
	assert_true(t.fd >= 0);
	assert_int_equal(plain_tap_lend(&t, "front", attach, &tap, &e), 0);
	assert_int_equal(t.fd, -1);
	assert_true(has_carrier());
	assert_int_equal(netdev_set_carrier(t.ifindex, false), 0);
	assert_false(has_carrier());
	assert_int_equal(netdev_set_carrier(t.ifindex, true), 0);
	assert_true(has_carrier());
	plain_tap_close(&t);
	assert_true(has_carrier());
	close(tap);
	assert_false(has_carrier());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_made_and_stays, begin),
		cmocka_unit_test_setup(may_be_lent, begin),
		cmocka_unit_test_setup(no_other_device, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
