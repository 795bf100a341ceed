/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/stack.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/unit/test.h"

struct lab {
	struct host_store store;
	struct host_stack stack;
	struct err e;
};

static struct host_message messages[16];
static unsigned n;

/* An Ethernet device of MTU 1500 with the next ifindex, counted from 1. */
static struct host_link *device(const char *name, const char *kind)
{
	struct host_link *l = &messages[n].link.link;

	memset(&messages[n], 0, sizeof messages[n]);
	messages[n].kind = HOST_KIND_LINK;
	n++;
	l->ifindex = n;
	l->mtu = 1500;
	l->ethernet = true;
	snprintf(l->name, sizeof l->name, "%s", name);
	snprintf(l->kind, sizeof l->kind, "%s", kind);
	return l;
}

static struct host_link *vlan(
	const char *name, const struct host_link *on, uint16_t protocol, uint16_t id)
{
	struct host_link *l = device(name, "vlan");

	l->lower = on->ifindex;
	l->vlan_protocol = protocol;
	l->vlan_id = id;
	return l;
}

static int begin(void **state)
{
	(void)state;
	n = 0;
	return 0;
}

static int look(struct lab *lab, const struct host_link *l)
{
	int err;

	host_store_init(&lab->store);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(host_store_load(&lab->store, &messages[i]), 0);
	host_store_loaded(&lab->store);
	lab->e.text[0] = '\0';
	err = host_store_stack(&lab->store, l, &lab->stack, &lab->e);
	host_store_fini(&lab->store);
	return err;
}

static void a_device_is_itself(void **state)
{
	struct lab lab;

	(void)state;
	assert_int_equal(look(&lab, device("eth0", "")), 0);
	assert_int_equal(lab.stack.device, 1);
	assert_int_equal(lab.stack.n_tags, 0);
	assert_int_equal(lab.stack.n_parts, 0);
	assert_int_equal(lab.stack.mtu, 1500);
}

/* A frame that XDP sends may have one tag beyond the device's MTU and no more. */
static void vlans_have_the_tags_below_them(void **state)
{
	struct host_link *eth = device("eth0", ""), *one = vlan("eth0.7", eth, 0x88a8, 7),
			 *two = vlan("eth0.7.100", one, 0x8100, 100);
	struct lab lab;

	(void)state;
	assert_int_equal(look(&lab, one), 0);
	assert_int_equal(lab.stack.device, eth->ifindex);
	assert_int_equal(lab.stack.n_tags, 1);
	assert_int_equal(lab.stack.mtu, 1500);
	assert_int_equal(look(&lab, two), 0);
	assert_int_equal(lab.stack.device, eth->ifindex);
	assert_int_equal(lab.stack.n_tags, 2);
	assert_int_equal(lab.stack.tags[0].protocol, 0x88a8);
	assert_int_equal(lab.stack.tags[0].id, 7);
	assert_int_equal(lab.stack.tags[1].protocol, 0x8100);
	assert_int_equal(lab.stack.tags[1].id, 100);
	assert_int_equal(lab.stack.mtu, 1496);
	eth->mtu = 1504;
	assert_int_equal(look(&lab, two), 0);
	assert_int_equal(lab.stack.mtu, 1500);
	two->mtu = 1400;
	assert_int_equal(look(&lab, two), 0);
	assert_int_equal(lab.stack.mtu, 1400);
}

static void too_deep(void **state)
{
	struct host_link *eth = device("eth0", ""), *a = vlan("a", eth, 0x88a8, 7),
			 *b = vlan("b", a, 0x8100, 100), *c = vlan("c", b, 0x8100, 9);
	struct lab lab;

	(void)state;
	assert_int_equal(look(&lab, c), -E2BIG);
	assert_non_null(strstr(lab.e.text, "at most two tags"));
	b->lower = c->ifindex; /* the kernel makes no such circle */
	assert_int_equal(look(&lab, c), -E2BIG);
}

static void out_of_reach(void **state)
{
	struct host_link *v = vlan("v", device("eth0", ""), 0x8100, 7);
	struct lab lab;

	(void)state;
	v->lower_elsewhere = true;
	assert_int_equal(look(&lab, v), -ENODEV);
	assert_non_null(strstr(lab.e.text, "another network namespace"));
	v->lower_elsewhere = false;
	v->lower = 99;
	assert_int_equal(look(&lab, v), -ENODEV);
	v->lower = 1;
	v->vlan_id = 0;
	assert_int_equal(look(&lab, v), -EINVAL);
	assert_non_null(strstr(lab.e.text, "name \"eth0\""));
}

static void no_ethernet(void **state)
{
	struct host_link *tunnel = device("tun0", "tun");
	struct lab lab;

	(void)state;
	tunnel->ethernet = false;
	assert_int_equal(look(&lab, tunnel), -EINVAL);
	assert_non_null(strstr(lab.e.text, "\"tun0\" is no Ethernet device (tun)"));
}

static void parts_of_others(void **state)
{
	struct host_link *bond = device("bond0", "bond"), *eth = device("eth0", ""),
			 *v = vlan("eth0.7", eth, 0x8100, 7);
	struct lab lab;

	(void)state;
	eth->master = bond->ifindex;
	assert_int_equal(look(&lab, eth), -EINVAL);
	assert_non_null(strstr(lab.e.text, "\"eth0\" is a part of \"bond0\" (bond)"));
	assert_int_equal(look(&lab, v), -EINVAL);
	snprintf(bond->kind, sizeof bond->kind, "vrf");
	assert_int_equal(look(&lab, eth), -EINVAL);
	assert_non_null(strstr(lab.e.text, "VRF \"bond0\""));
}

static void a_bond_has_parts(void **state)
{
	struct host_link *bond = device("bond0", "bond"), *v = vlan("v", bond, 0x8100, 7), *eth;
	struct lab lab;

	(void)state;
	for (unsigned i = 0; i < HOST_STACK_PARTS; i++) {
		eth = device("eth", "");
		eth->master = bond->ifindex;
	}
	assert_int_equal(look(&lab, bond), 0);
	assert_int_equal(lab.stack.n_parts, HOST_STACK_PARTS);
	assert_int_equal(lab.stack.parts[0], v->ifindex + 1);
	assert_int_equal(look(&lab, v), 0);
	assert_int_equal(lab.stack.device, bond->ifindex);
	assert_int_equal(lab.stack.n_parts, HOST_STACK_PARTS);
	device("eth", "")->master = bond->ifindex;
	assert_int_equal(look(&lab, bond), -E2BIG);
	snprintf(bond->kind, sizeof bond->kind, "bridge"); /* its frames are seen on itself */
	assert_int_equal(look(&lab, bond), 0);
	assert_int_equal(lab.stack.n_parts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_device_is_itself, begin),
		cmocka_unit_test_setup(vlans_have_the_tags_below_them, begin),
		cmocka_unit_test_setup(too_deep, begin),
		cmocka_unit_test_setup(out_of_reach, begin),
		cmocka_unit_test_setup(no_ethernet, begin),
		cmocka_unit_test_setup(parts_of_others, begin),
		cmocka_unit_test_setup(a_bond_has_parts, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
