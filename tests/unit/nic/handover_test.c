/* SPDX-License-Identifier: BSD-2-Clause */
/* On veths in a network namespace of the test's own. */
#include "controlplane/nic/handover.h"
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bpf/drop.h"
#include "controlplane/nic/step.h"
#include "controlplane/nic/tap.h"
#include "tests/unit/nic/handover_lab.h"
#include "tests/unit/test.h"

static void all_moves_and_comes_back(void **state)
{
	char *before = lab_look(), *above = lab_look_above();
	uint32_t nic = if_nametoindex("front");
	struct handover *h = lab_take();

	(void)state;
	assert_int_equal(handover_nic_ifindex(h), nic);
	assert_string_equal(handover_nic(h), "front-nic");
	assert_int_equal(if_nametoindex("front-nic"), nic);
	assert_int_equal(if_nametoindex("front"), handover_tap_ifindex(h));
	assert_true(handover_tap(h) >= 0);
	assert_false(handover_was_taken(h));
	assert_int_equal(handover_mirror(h), 1);
	assert_true(drop_is_attached(nic));
	assert_true(lab_try("[ -z \"$(ip addr show dev front-nic | grep inet)\" ]"));
	assert_true(lab_try("ip link show dev front-nic | grep -q 'ALLMULTI.*,UP'"));
	assert_true(lab_try("m() { ip -o link show $1 | grep -o 'ether [0-9a-f:]*'; };"
			    " [ \"$(m front)\" = \"$(m front-nic)\" ]"));
	assert_true(lab_try("ip link show dev front | grep -q 'mtu 1400.*qlen 1000'"));
	lab_expect(lab_look_above, above);
	lab_give_back(h);
	lab_expect(lab_look, before);
	lab_expect_nothing_left();
	free(before);
	free(above);
}

/* The addresses are never asked about again, not even for a moment, and keep no mark of that. */
static void addresses_are_not_tentative(void **state)
{
	struct handover *h = lab_take();

	(void)state;
	assert_false(lab_try("ip -6 addr show dev front | grep -q tentative"));
	assert_int_equal(system("exit $(ip -6 addr show dev front | grep -c nodad)") >> 8, 1);
	lab_give_back(h);
	assert_false(lab_try("ip -6 addr show dev front | grep -q tentative"));
}

static unsigned steps_seen;

static void count(const char *what)
{
	(void)what;
	steps_seen++;
}

/* A process takes it and is gone; another is attached to the same tap, on which nothing has changed. */
static void a_later_process_attaches_again(void **state)
{
	char *before = lab_look(), *above = lab_look_above();
	struct handover *h;
	uint32_t tap;

	(void)state;
	handover_leave(lab_take());
	tap = if_nametoindex("front");
	lab_run("timeout 1 ip monitor address route >/tmp/tandem-handover-$PPID & sleep 0.3");
	step_hook = count;
	steps_seen = 0;
	h = lab_take();
	step_hook = NULL;
	assert_true(steps_seen < 8);
	assert_true(handover_was_taken(h));
	assert_int_equal(handover_tap_ifindex(h), tap);
	lab_expect(lab_look_above, above);
	lab_run("sleep 1; ! grep -q Deleted /tmp/tandem-handover-$PPID && rm /tmp/tandem-handover-$PPID");
	handover_leave(h);
	h = lab_take();
	assert_true(handover_was_taken(h));
	lab_give_back(h);
	lab_expect(lab_look, before);
	lab_expect_nothing_left();
	free(before);
	free(above);
}

/* Attaches to the tap in *arg, and says so. */
static int attach(void *arg)
{
	int *tap = arg;

	*tap = tap_open("front");
	return *tap < 0 ? *tap : 0;
}

static int attach_and_fail(void *arg)
{
	int rc = attach(arg);

	return rc ? rc : -EIO;
}

static int refuse(void *arg)
{
	(void)arg;
	return -ENODEV;
}

/* Somebody else is attached to the tap, which is the same to the host, also when all comes back. */
static void the_tap_may_be_lent(void **state)
{
	char *before = lab_look(), *above;
	struct handover *h = lab_take();
	int tap = -1;

	(void)state;
	above = lab_look_above();
	assert_int_equal(handover_lend_tap(h, attach, &tap, NULL), 0);
	assert_int_equal(handover_tap(h), -1);
	assert_true(tap >= 0);
	lab_expect(lab_look_above, above);
	lab_run("ip neigh add proxy 10.20.0.9 dev front && ip neigh del proxy 2001:db8:1::200 dev front");
	lab_give_back(h);
	assert_false(lab_try("ip -6 neigh show proxy dev front | grep -q 2001:db8:1::200"));
	lab_run("ip neigh del proxy 10.20.0.9 dev front && ip neigh add proxy 2001:db8:1::200 dev front");
	close(tap);
	lab_expect(lab_look, before);
	lab_expect_nothing_left();
	free(before);
	free(above);
}

/* The kernel tells of a carrier when it has time. */
static void expect_carrier(struct handover *h, int has_one)
{
	const char *shown = has_one ? "while ip link show dev front | grep -q NO-CARRIER"
				    : "until ip link show dev front | grep -q NO-CARRIER";
	char command[128];

	for (int i = 0; i < 100 && handover_mirror(h) != has_one; i++)
		usleep(20000);
	assert_int_equal(handover_mirror(h), has_one);
	snprintf(command, sizeof command,
		"i=0; %s; do [ $((i += 1)) -lt 100 ] || exit; sleep 0.02; done", shown);
	lab_run(command);
}

static void expect_that_it_follows(struct handover *h)
{
	expect_carrier(h, 1);
	lab_run("ip link set far down");
	expect_carrier(h, 0);
	lab_run("ip link set far up");
	expect_carrier(h, 1);
}

static void carrier_follows_on_a_lent_tap(void **state)
{
	struct handover *h = lab_take();
	int tap = -1;

	(void)state;
	assert_int_equal(handover_lend_tap(h, attach, &tap, NULL), 0);
	expect_that_it_follows(h);
	close(tap);
	lab_give_back(h);
}

static void who_does_not_take_the_tap_gives_it_back(void **state)
{
	struct handover *h = lab_take();
	struct err e = { "" };
	int tap = -1;

	(void)state;
	assert_int_equal(handover_lend_tap(h, refuse, NULL, &e), -ENODEV);
	assert_string_equal(e.text, "");
	assert_true(handover_tap(h) >= 0);
	assert_int_equal(handover_lend_tap(h, attach_and_fail, &tap, &e), -EIO);
	assert_int_equal(handover_tap(h), -1);
	assert_non_null(strstr(e.text, "cannot attach to the tap front"));
	close(tap);
	lab_give_back(h);
}

static void what_an_operator_changes_meanwhile_comes_back(void **state)
{
	struct handover *h = lab_take();
	char *above;

	(void)state;
	lab_run("set -e\n"
		"ip addr add 10.20.0.1/24 dev front\n"
		"ip addr del 10.3.0.1/24 dev front\n"
		"ip route del 192.0.2.0/24\n"
		"ip route add 192.0.3.0/24 via 10.20.0.2\n"
		"ip -6 addr add 2001:db8:20::1/64 dev front nodad\n"
		"ip neigh add 10.20.0.2 lladdr 02:00:00:00:00:02 dev front nud permanent\n"
		"echo 0 >/proc/sys/net/ipv4/conf/front/rp_filter\n"
		"ip link set front mtu 1450\n"
		"until ip -6 route show table local | grep -q 2001:db8:20::1; do sleep 0.02; done\n");
	above = lab_look_above();
	lab_give_back(h);
	lab_expect(lab_look_above, above);
	lab_run("ip link show front | grep -q 'mtu 1450.*qdisc'");
	free(above);
}

static void a_device_that_is_down_stays_down(void **state)
{
	struct handover *h;
	char *before, *above;

	(void)state;
	lab_run("ip link set front down && ip route del 10.50.0.0/16 && "
		"ip -6 route del 2001:db8:60::/48");
	before = lab_look();
	above = lab_look_above();
	h = lab_take();
	lab_expect(lab_look_above, above);
	assert_false(lab_try("ip link show dev front | grep -q ',UP'"));
	assert_true(lab_try("ip link show dev front-nic | grep -q ',UP'"));
	lab_give_back(h);
	lab_expect(lab_look, before);
	free(before);
	free(above);
}

/* A bond's or a bridge's changes with its parts. What an operator has given the tap stays until then. */
static void mac_address_follows(void **state)
{
	struct handover *h = lab_take();

	(void)state;
	lab_run("ip link set front address 02:00:00:00:00:07");
	assert_int_equal(handover_mirror(h), 1);
	assert_true(lab_try("ip link show dev front | grep -q 02:00:00:00:00:07"));
	lab_run("ip link set front-nic address 02:00:00:00:00:08");
	assert_int_equal(handover_mirror(h), 1);
	assert_true(lab_try("ip link show dev front | grep -q 02:00:00:00:00:08"));
	handover_leave(h);
	lab_run("ip link set front-nic address 02:00:00:00:00:09");
	h = lab_take();
	assert_true(lab_try("ip link show dev front | grep -q 02:00:00:00:00:09"));
	lab_give_back(h);
	assert_true(lab_try("ip link show dev front | grep -q 02:00:00:00:00:09"));
}

static void carrier_follows(void **state)
{
	struct handover *h = lab_take();

	(void)state;
	expect_that_it_follows(h);
	lab_give_back(h);
}

/* What the operator has made of filters is left alone. */
static void a_qdisc_that_was_there_stays(void **state)
{
	struct handover *h;
	char *before;

	(void)state;
	lab_run("tc qdisc add dev front clsact && ip link set front allmulticast on");
	before = lab_look();
	h = lab_take();
	assert_true(drop_is_attached(handover_nic_ifindex(h)));
	lab_give_back(h);
	lab_expect(lab_look, before);
	free(before);
}

/* Neither does the kernel make any by itself while devices come and go, nor is it kept from that afterwards. */
static void link_local_addresses_stay_as_they_are(void **state)
{
	struct handover *h;
	char *before, *above;

	(void)state;
	lab_run("ip -6 addr flush dev front scope link && ip addr add fe80::7/64 dev front nodad &&"
		" echo 2001:db8::1234 >/proc/sys/net/ipv6/conf/front/stable_secret;"
		" until ip -6 route show table local | grep -q fe80::7; do sleep 0.02; done");
	before = lab_look();
	above = lab_look_above();
	assert_non_null(strstr(above, "addr_gen_mode:2"));
	h = lab_take();
	lab_expect(lab_look_above, above);
	lab_give_back(h);
	lab_expect(lab_look, before);
	free(before);
	free(above);
}

static void long_names(void **state)
{
	struct handover *h;
	struct err e;
	char name[32];
	uint32_t ifindex = if_nametoindex("front");

	(void)state;
	lab_run("ip link set front down && ip link set front name a-device-name1");
	assert_int_equal(handover_take(&h, lab_dir, "a-device-name1", &e), 0);
	snprintf(name, sizeof name, "nic%u", ifindex);
	assert_string_equal(handover_nic(h), name);
	lab_give_back(h);
	assert_int_equal(if_nametoindex("a-device-name1"), ifindex);
}

static void without_a_tap_the_first_record_counts(void **state)
{
	char *before = lab_look(), *above = lab_look_above();
	struct handover *h = lab_take();

	(void)state;
	handover_leave(h);
	lab_run("ip link del front");
	lab_give_back_all(1);
	lab_expect(lab_look, before);
	handover_leave(lab_take());
	lab_run("ip link del front");
	h = lab_take();
	lab_expect(lab_look_above, above);
	lab_give_back(h);
	lab_expect(lab_look, before);
	free(before);
	free(above);
}

static void a_device_that_is_gone_is_told(void **state)
{
	struct handover *h = lab_take();
	struct err e;

	(void)state;
	lab_run("ip link del far");
	assert_int_equal(handover_mirror(h), -ENODEV);
	assert_int_equal(handover_give_back(h, &e), -ENODEV);
	assert_non_null(strstr(e.text, "front-nic (of front) is gone"));
	assert_int_equal(if_nametoindex("front"), 0);
	lab_expect_nothing_left();
	assert_int_equal(handover_take(&h, lab_dir, "front", &e), -ENODEV);
	assert_non_null(strstr(e.text, "there is no device \"front\""));
	lab_expect_nothing_left();
}

static int tried;

static void take_the_name(const char *what)
{
	if (!strcmp(what, "rename") && !tried++)
		lab_run("ip link add front-nic type bridge");
	if (!strcmp(what, "delete"))
		lab_run("ip link del front-nic");
}

static void what_fails_is_undone(void **state)
{
	char *before = lab_look();
	struct handover *h;
	struct err e;

	(void)state;
	tried = 0;
	step_hook = take_the_name;
	assert_int_equal(handover_take(&h, lab_dir, "front", &e), -EEXIST);
	step_hook = NULL;
	assert_string_equal(e.text, "cannot rename front: File exists");
	lab_expect(lab_look, before);
	lab_expect_nothing_left();
	free(before);
}

/* All else comes back, and what does not is told. */
static void nexthop_objects_made_meanwhile_are_told(void **state)
{
	struct handover *h;
	char *before;
	struct err e;

	(void)state;
	lab_run("ip addr add 10.1.0.2/24 dev front");
	before = lab_look();
	h = lab_take();
	lab_run("ip nexthop add id 7 dev front && ip route add 10.77.0.0/16 nhid 7");
	assert_int_equal(handover_give_back(h, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "1 routes by front were made of nexthop objects"));
	lab_expect(lab_look, before);
	lab_expect_nothing_left();
	free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_moves_and_comes_back, lab_with_much),
		cmocka_unit_test_setup(addresses_are_not_tentative, lab_with_much),
		cmocka_unit_test_setup(a_later_process_attaches_again, lab_with_much),
		cmocka_unit_test_setup(the_tap_may_be_lent, lab_with_much),
		cmocka_unit_test_setup(carrier_follows_on_a_lent_tap, lab_with_little),
		cmocka_unit_test_setup(who_does_not_take_the_tap_gives_it_back, lab_with_little),
		cmocka_unit_test_setup(
			what_an_operator_changes_meanwhile_comes_back, lab_with_much),
		cmocka_unit_test_setup(a_device_that_is_down_stays_down, lab_with_much),
		cmocka_unit_test_setup(without_a_tap_the_first_record_counts, lab_with_much),
		cmocka_unit_test_setup(what_fails_is_undone, lab_with_much),
		cmocka_unit_test_setup(mac_address_follows, lab_with_little),
		cmocka_unit_test_setup(carrier_follows, lab_with_little),
		cmocka_unit_test_setup(a_qdisc_that_was_there_stays, lab_with_little),
		cmocka_unit_test_setup(link_local_addresses_stay_as_they_are, lab_with_little),
		cmocka_unit_test_setup(long_names, lab_with_little),
		cmocka_unit_test_setup(a_device_that_is_gone_is_told, lab_with_little),
		cmocka_unit_test_setup(nexthop_objects_made_meanwhile_are_told, lab_with_little),
	};

	return cmocka_run_group_tests(tests, lab_begin, lab_end);
}
