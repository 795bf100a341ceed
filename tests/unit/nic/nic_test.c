/* SPDX-License-Identifier: BSD-2-Clause */
/* On veths in a network namespace of the test's own. */
#include "controlplane/nic/nic.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/nic/offload.h"
#include "controlplane/nic/stack.h"
#include "tests/unit/test.h"

static char dir[] = "/tmp/tandem-nic-XXXXXX";
static const uint8_t groups[][6] = { { 0x33, 0x33, 0xff, 0, 0, 0x10 },
	{ 0x33, 0x33, 0xff, 0, 0, 0x20 } };

static void run(const char *command)
{
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

/* The device "va", whose offload for tags is on. */
static int begin(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "%s/nic", dir);
	unlink(path);
	if (unshare(CLONE_NEWNET))
		return -1;
	run("ip link add va type veth peer name vb && ip link set va up");
	return 0;
}

static bool vlan_offload(void)
{
	int on = offload_get("va", "rx-vlan-hw-parse");

	assert_true(on >= 0);
	return on;
}

static bool joined(const char *group)
{
	char command[96];

	snprintf(command, sizeof command, "ip maddr show dev va | grep -q 'link *%s'", group);
	return !system(command); /* NOLINT(cert-env33-c): a test's own words */
}

static struct nic_want want(unsigned n_groups)
{
	return (struct nic_want){ .device = "va",
		.ifindex = if_nametoindex("va"),
		.plain = true,
		.groups = groups,
		.n_groups = n_groups };
}

static struct nic *apply(const struct nic_want *w, unsigned n)
{
	struct nic *nic;
	struct err e;

	assert_int_equal(nic_new(&nic, dir, &e), 0);
	assert_int_equal(nic_apply(nic, w, n, &e), 0);
	assert_null(nic_fault(nic, 0));
	return nic;
}

static void offloads_are_read_and_set(void **state)
{
	(void)state;
	assert_true(vlan_offload());
	assert_int_equal(offload_set("va", "rx-vlan-hw-parse", false), 0);
	assert_false(vlan_offload());
	assert_int_equal(offload_set("va", "rx-vlan-hw-parse", true), 0);
	assert_true(vlan_offload());
	assert_int_equal(offload_get("va", "no-such-offload"), 0);
	assert_int_equal(offload_set("va", "no-such-offload", false), -EOPNOTSUPP);
	assert_int_equal(offload_set("va", "rx-lro", true), -EOPNOTSUPP);
	assert_int_equal(offload_get("nosuch0", "rx-lro"), -ENODEV);
}

static void a_device_is_made_so_and_put_back(void **state)
{
	struct nic_want w = want(2);
	struct nic *nic = apply(&w, 1);
	struct err e;

	(void)state;
	assert_false(vlan_offload());
	assert_true(joined("33:33:ff:00:00:10") && joined("33:33:ff:00:00:20"));
	assert_int_equal(nic_changes(nic)->n, 4);
	w.n_groups = 1;
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_false(joined("33:33:ff:00:00:20"));
	assert_true(joined("33:33:ff:00:00:10"));
	nic_free(nic);
	assert_false(vlan_offload()); /* until somebody wants it back */
	assert_int_equal(nic_restore(dir, &e), 0);
	assert_true(vlan_offload());
	assert_false(joined("33:33:ff:00:00:10"));
	assert_int_equal(nic_restore(dir, &e), 0);
}

/* GRO of the kernel's own is left on but for those who look behind it. */
static void single_frames(void **state)
{
	struct nic_want w = want(0);
	struct nic *nic;
	struct err e;

	(void)state;
	assert_int_equal(offload_set("va", "rx-gro", true), 0);
	nic_free(apply(&w, 1));
	assert_int_equal(offload_get("va", "rx-gro"), 1);
	w.single = true;
	nic = apply(&w, 1);
	assert_int_equal(offload_get("va", "rx-gro"), 0);
	w.single = false;
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_int_equal(offload_get("va", "rx-gro"), 1);
	nic_free(nic);
	assert_int_equal(nic_restore(dir, &e), 0);
}

static void a_later_process_puts_back_what_it_does_not_want(void **state)
{
	struct nic_want w = want(1);

	(void)state;
	nic_free(apply(&w, 1));
	nic_free(apply(&w, 1)); /* that it is off now is not how it was */
	nic_free(apply(NULL, 0));
	assert_true(vlan_offload());
	assert_false(joined("33:33:ff:00:00:10"));
}

static void what_was_off_stays_off(void **state)
{
	struct nic_want w = want(0);
	struct err e;

	(void)state;
	assert_int_equal(offload_set("va", "rx-vlan-hw-parse", false), 0);
	nic_free(apply(&w, 1));
	assert_int_equal(nic_restore(dir, &e), 0);
	assert_false(vlan_offload());
}

static void another_device_of_that_number_is_left_alone(void **state)
{
	struct nic_want w = want(0);
	struct err e;

	(void)state;
	nic_free(apply(&w, 1));
	run("ip link set va name vc");
	assert_int_equal(nic_restore(dir, &e), 0);
	assert_int_equal(offload_get("vc", "rx-vlan-hw-parse"), 0);
}

static bool on_lo(const char *address)
{
	char command[96];

	snprintf(command, sizeof command, "ip -o addr show dev lo | grep -qF ' %s '", address);
	return !system(command); /* NOLINT(cert-env33-c): a test's own words */
}

static struct nic_want want_addresses(const struct addr *addresses, unsigned n)
{
	return (struct nic_want){
		.device = "lo", .ifindex = 1, .addresses = addresses, .n_addresses = n
	};
}

/* The first two are new, the host has the third anyway. */
static void addresses_are_added_and_taken_away(void **state)
{
	struct addr addresses[3];
	struct nic_want w = want_addresses(addresses, 3);
	struct nic *nic;
	struct err e;

	(void)state;
	assert_int_equal(addr_parse("2001:db8:f00d:cafe:1234:5678:9abc:def0", &addresses[0]), 0);
	assert_int_equal(addr_parse("192.0.2.10", &addresses[1]), 0);
	assert_int_equal(addr_parse("192.0.2.11", &addresses[2]), 0);
	run("ip link set lo up && ip addr add 192.0.2.11/32 dev lo");
	nic_free(apply(&w, 1));
	nic = apply(&w, 1); /* by another process: what it finds is no operator's */
	assert_true(on_lo("2001:db8:f00d:cafe:1234:5678:9abc:def0/128"));
	assert_true(on_lo("192.0.2.10/32"));
	assert_int_equal(nic_changes(nic)->n, 2);
	assert_true(nic_has_added(nic, &addresses[1]));
	assert_false(nic_has_added(nic, &addresses[2]));
	w.n_addresses = 1;
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_false(on_lo("192.0.2.10/32"));
	nic_free(nic);
	run("ip addr del 2001:db8:f00d:cafe:1234:5678:9abc:def0/128 dev lo"); /* by somebody */
	assert_int_equal(nic_restore(dir, &e), 0);
	assert_true(on_lo("192.0.2.11/32"));
}

static void an_address_that_is_refused_is_told(void **state)
{
	struct addr multicast = { 4, { 224, 0, 0, 9 } };
	struct nic_want w = want_addresses(&multicast, 1);
	struct nic *nic;
	struct err e;

	(void)state;
	w.ifindex = 99;
	assert_int_equal(nic_new(&nic, dir, &e), 0);
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_non_null(strstr(nic_fault(nic, 0), "lo does not take the address 224.0.0.9"));
	assert_int_equal(nic_changes(nic)->n, 0);
	nic_free(nic);
}

static const uint8_t macs[][6] = { { 0, 0, 0x5e, 0, 1, 10 }, { 0, 0, 0x5e, 0, 2, 10 } };

static struct nic_want want_macs(const char *device, unsigned n)
{
	return (struct nic_want){
		.device = device, .ifindex = if_nametoindex(device), .macs = macs, .n_macs = n
	};
}

static bool shows(const char *command, const char *mac)
{
	char line[128];

	snprintf(line, sizeof line, "%s | grep -q '%s'", command, mac);
	return !system(line); /* NOLINT(cert-env33-c): a test's own words */
}

static bool in_filter(const char *mac)
{
	return shows("bridge fdb show dev va", mac);
}

/* The first is new, the second is there anyway. */
static void virtual_macs_are_added_and_taken_away(void **state)
{
	struct nic_want w = want_macs("va", 2);
	struct nic *nic;
	struct err e;

	(void)state;
	run("bridge fdb add 00:00:5e:00:02:0a dev va self permanent");
	nic_free(apply(&w, 1));
	nic = apply(&w, 1); /* by another process: what it finds is no operator's */
	assert_true(in_filter("00:00:5e:00:01:0a") && in_filter("00:00:5e:00:02:0a"));
	assert_int_equal(nic_changes(nic)->n, 1);
	w.n_macs = 0;
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_false(in_filter("00:00:5e:00:01:0a"));
	assert_true(in_filter("00:00:5e:00:02:0a"));
	w.n_macs = 1;
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	nic_free(nic);
	run("bridge fdb del 00:00:5e:00:01:0a dev va self"); /* by somebody */
	assert_int_equal(nic_restore(dir, &e), 0);
	nic_free(apply(&w, 1));
	assert_int_equal(nic_restore(dir, &e), 0);
	assert_false(in_filter("00:00:5e:00:01:0a"));
	assert_true(in_filter("00:00:5e:00:02:0a"));
}

/* lo has no Ethernet addresses, so it takes none into a filter. */
static bool lo_takes_all(void)
{
	return shows("ip link show dev lo", "PROMISC");
}

static void a_device_without_a_filter_takes_all(void **state)
{
	struct nic_want w = want_macs("lo", 1);
	struct nic *nic;
	struct err e;

	(void)state;
	assert_int_equal(nic_new(&nic, dir, &e), 0);
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_non_null(strstr(nic_fault(nic, 0),
		"lo does not take the virtual MAC address 00:00:5e:00:01:0a into its filter"));
	assert_null(nic_fault(nic, 1));
	assert_true(lo_takes_all());
	assert_int_equal(nic_changes(nic)->n, 1);
	assert_int_equal(nic_changes(nic)->list[0].kind, LEDGER_PROMISC);
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0); /* the kernel counts, we do not */
	w.n_macs = 0;
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_false(lo_takes_all());
	w.n_macs = 1;
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	nic_free(nic);
	assert_true(lo_takes_all()); /* until somebody wants it back */
	assert_int_equal(nic_restore(dir, &e), 0);
	assert_false(lo_takes_all());
}

/* Until it is known who wants them still, those of before stay, and so does what was done for their sake. */
static void addresses_of_before_may_stay(void **state)
{
	struct nic_want w[] = { want_macs("va", 1), want_macs("lo", 1) };
	struct nic *nic;
	struct err e;

	(void)state;
	assert_int_equal(nic_new(&nic, dir, &e), 0);
	assert_int_equal(nic_apply(nic, w, 2, &e), 0);
	nic_free(nic);
	for (unsigned i = 0; i < 2; i++) {
		w[i].n_macs = 0;
		w[i].keeps_macs = true;
	}
	nic = apply(w, 2); /* another process */
	assert_true(in_filter("00:00:5e:00:01:0a") && lo_takes_all());
	assert_int_equal(nic_changes(nic)->n, 2);
	w[0].keeps_macs = false;
	assert_int_equal(nic_apply(nic, w, 2, &e), 0);
	assert_true(!in_filter("00:00:5e:00:01:0a") && lo_takes_all());
	w[1].keeps_macs = false;
	assert_int_equal(nic_apply(nic, w, 2, &e), 0);
	assert_false(lo_takes_all());
	assert_int_equal(nic_changes(nic)->n, 0);
	nic_free(nic);
}

static void what_took_all_before_goes_on(void **state)
{
	struct nic_want w = want_macs("lo", 1);
	struct nic *nic;
	struct err e;

	(void)state;
	run("ip link set lo promisc on");
	assert_int_equal(nic_new(&nic, dir, &e), 0);
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_int_equal(nic_changes(nic)->n, 0);
	nic_free(nic);
	assert_int_equal(nic_restore(dir, &e), 0);
	assert_true(lo_takes_all());
}

static void a_device_that_takes_neither_is_told(void **state)
{
	struct nic_want w = want_macs("gone0", 1);
	struct nic *nic;
	struct err e;

	(void)state;
	w.ifindex = 99;
	assert_int_equal(nic_new(&nic, dir, &e), 0);
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_non_null(strstr(nic_fault(nic, 1), "gone0 cannot be made to take all frames"));
	assert_int_equal(nic_changes(nic)->n, 0);
	nic_free(nic);
}

static long setting(const char *name)
{
	long is = -1;

	assert_int_equal(stack_get(name, 0, &is), 0);
	return is;
}

static void set(const char *name, long value)
{
	assert_int_equal(stack_set(name, value), 0);
}

#define COOKIES "net.ipv4.tcp_syncookies"
#define TIMES	"net.ipv4.tcp_timestamps"

static void settings_are_read_and_set(void **state)
{
	long is;

	(void)state;
	set(COOKIES, 0);
	assert_int_equal(setting(COOKIES), 0);
	assert_int_equal(stack_get("net.ipv4.tcp_rmem", 2, &is), 0);
	assert_true(is > 4096);
	assert_int_equal(stack_get("net.ipv4.tcp_rmem", 3, &is), -EBADMSG);
	assert_int_equal(stack_get("net.ipv4.no_such", 0, &is), -ENOENT);
	assert_int_equal(stack_set("net.ipv4.no_such", 1), -ENOENT);
	run("echo 4096 8192 268435456 >/proc/sys/net/ipv4/tcp_rmem");
	assert_int_equal(stack_window_scale(), 13);
	run("echo 4096 8192 2147483647 >/proc/sys/net/ipv4/tcp_rmem");
	assert_int_equal(stack_window_scale(), 14);
}

/* By one process, ended by the next. */
static void the_stack_takes_cookies_meanwhile(void **state)
{
	struct nic_stack is = { 0 };
	struct nic *nic = apply(NULL, 0);
	struct err e;

	(void)state;
	set(COOKIES, 1);
	set(TIMES, 1);
	assert_false(nic_cookies_changed(nic));
	for (int i = 0; i < 2; i++)
		assert_int_equal(nic_cookies_begin(nic, &is, &e), 0);
	assert_true(is.times);
	assert_int_equal(is.scale, stack_window_scale());
	assert_int_equal(nic_changes(nic)->n, 2);
	assert_int_equal(setting(COOKIES), 2);
	assert_int_equal(setting(TIMES), 2);
	nic_free(nic);
	nic = apply(NULL, 0); /* devices are another matter */
	assert_true(nic_cookies_changed(nic));
	assert_int_equal(setting(COOKIES), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(nic_cookies_end(nic, &e), 0);
	assert_false(nic_cookies_changed(nic));
	assert_int_equal(setting(COOKIES), 1);
	assert_int_equal(setting(TIMES), 1);
	nic_free(nic);
}

static void what_the_stack_does_anyway_stays(void **state)
{
	struct nic_stack is = { .times = true };
	struct nic *nic = apply(NULL, 0);
	struct err e;

	(void)state;
	set(COOKIES, 2);
	set(TIMES, 0);
	assert_int_equal(nic_cookies_begin(nic, &is, &e), 0);
	assert_false(is.times);
	assert_false(nic_cookies_changed(nic));
	assert_int_equal(nic_cookies_end(nic, &e), 0);
	assert_int_equal(setting(COOKIES), 2);
	assert_int_equal(setting(TIMES), 0);
	nic_free(nic);
}

static void settings_that_somebody_has_changed_since_stay(void **state)
{
	struct nic *nic = apply(NULL, 0);
	struct nic_stack is;
	struct err e;

	(void)state;
	set(COOKIES, 1);
	set(TIMES, 1);
	assert_int_equal(nic_cookies_begin(nic, &is, &e), 0);
	nic_free(nic);
	set(COOKIES, 0);
	assert_int_equal(nic_restore(dir, &e), 0);
	assert_int_equal(setting(COOKIES), 0);
	assert_int_equal(setting(TIMES), 1);
}

/* The process may not write below /proc/sys. */
static void a_stack_that_takes_no_cookies_is_told(void **state)
{
	struct nic *nic = apply(NULL, 0);
	struct nic_stack is;
	struct err e;

	(void)state;
	set(COOKIES, 1);
	set(TIMES, 1);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	run("mount --make-rprivate / && mount -o bind,ro /proc/sys /proc/sys");
	assert_int_equal(nic_cookies_begin(nic, &is, &e), -EROFS);
	assert_non_null(strstr(e.text, "net.ipv4.tcp_syncookies = 2"));
	assert_false(nic_cookies_changed(nic));
	nic_free(nic);
	run("umount /proc/sys");
	assert_int_equal(setting(COOKIES), 1);
	assert_int_equal(setting(TIMES), 1);
	assert_int_equal(nic_new(&nic, "/nowhere", &e), 0);
	assert_int_equal(nic_cookies_begin(nic, &is, &e), -ENOENT);
	assert_int_equal(setting(COOKIES), 1); /* nothing is changed that could not be put back */
	nic_free(nic);
}

static void what_cannot_be_done_is_told(void **state)
{
	struct nic_want w = { .device = "lo", .ifindex = 1, .groups = groups, .n_groups = 1 };
	struct nic *nic;
	struct err e;

	(void)state;
	assert_int_equal(nic_new(&nic, dir, &e), 0);
	w.device = "gone0";
	assert_int_equal(nic_apply(nic, &w, 1, &e), 0);
	assert_non_null(nic_fault(nic, 0));
	assert_non_null(
		strstr(nic_fault(nic, 0), "gone0 does not join the group 33:33:ff:00:00:10"));
	assert_null(nic_fault(nic, 1));
	assert_int_equal(nic_changes(nic)->n, 0);
	nic_free(nic);
	assert_int_equal(nic_new(&nic, "/nowhere", &e), 0);
	w = want(0);
	assert_int_equal(nic_apply(nic, &w, 1, &e), -ENOENT);
	assert_true(vlan_offload()); /* nothing is changed that could not be put back */
	nic_free(nic);
}

static void solicited_nodes(void **state)
{
	static const uint8_t address[16] = { 0x20, 1, [13] = 0xab, 0xcd, 0xef };
	uint8_t mac[6];

	(void)state;
	nic_solicited_node(address, mac);
	assert_memory_equal(mac, "\x33\x33\xff\xab\xcd\xef", 6);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(offloads_are_read_and_set, begin),
		cmocka_unit_test_setup(a_device_is_made_so_and_put_back, begin),
		cmocka_unit_test_setup(single_frames, begin),
		cmocka_unit_test_setup(a_later_process_puts_back_what_it_does_not_want, begin),
		cmocka_unit_test_setup(what_was_off_stays_off, begin),
		cmocka_unit_test_setup(another_device_of_that_number_is_left_alone, begin),
		cmocka_unit_test_setup(addresses_are_added_and_taken_away, begin),
		cmocka_unit_test_setup(an_address_that_is_refused_is_told, begin),
		cmocka_unit_test_setup(virtual_macs_are_added_and_taken_away, begin),
		cmocka_unit_test_setup(a_device_without_a_filter_takes_all, begin),
		cmocka_unit_test_setup(addresses_of_before_may_stay, begin),
		cmocka_unit_test_setup(what_took_all_before_goes_on, begin),
		cmocka_unit_test_setup(a_device_that_takes_neither_is_told, begin),
		cmocka_unit_test_setup(settings_are_read_and_set, begin),
		cmocka_unit_test_setup(the_stack_takes_cookies_meanwhile, begin),
		cmocka_unit_test_setup(what_the_stack_does_anyway_stays, begin),
		cmocka_unit_test_setup(settings_that_somebody_has_changed_since_stay, begin),
		cmocka_unit_test_setup(a_stack_that_takes_no_cookies_is_told, begin),
		cmocka_unit_test_setup(what_cannot_be_done_is_told, begin),
		cmocka_unit_test(solicited_nodes),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
