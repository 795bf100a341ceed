/* SPDX-License-Identifier: BSD-2-Clause */
/* MAC addresses and VLANs in the filters of ports. DPDK's devices without hardware have none with room for more than their own, so that of net_null
 * is this test's; one test leaves it to the device. */
#include "dataplane/dpdk/port.h"
#include <dlfcn.h>
#include <errno.h>
#include <rte_ethdev.h>
#include <string.h>
#include "tests/unit/dpdk/eal.h"
#include "tests/unit/test.h"

enum { MANY = 12, ROOM = 4 };

static uint8_t macs[MANY][6]; /* 02:00:00:00:01:NN */
static struct port port;
static bool took_all;

static struct {
	bool is_used;				    /* in the place of the device's */
	bool sees_all, refuses_more, refuses_fewer; /* frames */
	unsigned n, room;
	struct rte_ether_addr list[ROOM];
} filter;

static int find(const struct rte_ether_addr *a)
{
	for (unsigned i = 0; i < filter.n; i++)
		if (rte_is_same_ether_addr(&filter.list[i], a))
			return (int)i;
	return -1;
}

int rte_eth_dev_mac_addr_add(uint16_t id, struct rte_ether_addr *a, uint32_t pool)
{
	int (*real)(uint16_t, struct rte_ether_addr *, uint32_t);

	*(void **)&real = dlsym(RTLD_NEXT, "rte_eth_dev_mac_addr_add");
	if (!filter.is_used)
		return real(id, a, pool);
	assert_int_equal(id, port.ethdev);
	assert_int_equal(find(a), -1);
	if (filter.n == filter.room)
		return -ENOSPC;
	filter.list[filter.n++] = *a;
	return 0;
}

int rte_eth_dev_mac_addr_remove(uint16_t id, struct rte_ether_addr *a)
{
	int i = find(a);

	assert_int_equal(id, port.ethdev);
	assert_true(i >= 0);
	filter.list[i] = filter.list[--filter.n];
	return 0;
}

static int see_all(const char *name, uint16_t id, bool all)
{
	int (*real)(uint16_t);

	*(void **)&real = dlsym(RTLD_NEXT, name);
	if (!filter.is_used)
		return real(id);
	assert_int_equal(id, port.ethdev);
	if (all ? filter.refuses_more : filter.refuses_fewer)
		return -ENOTSUP;
	filter.sees_all = all;
	return 0;
}

int rte_eth_promiscuous_enable(uint16_t id)
{
	return see_all("rte_eth_promiscuous_enable", id, true);
}

int rte_eth_promiscuous_disable(uint16_t id)
{
	return see_all("rte_eth_promiscuous_disable", id, false);
}

/* What it filters by VLAN. */
static struct {
	int on; /* offloads, as rte_eth_dev_get_vlan_offload() */
	bool is_firm;
	unsigned n, room; /* VLANs that are taken */
} vlans;

int rte_eth_dev_get_vlan_offload(uint16_t id)
{
	assert_int_equal(id, port.ethdev);
	return vlans.on;
}

int rte_eth_dev_set_vlan_offload(uint16_t id, int on)
{
	assert_int_equal(id, port.ethdev);
	if (vlans.is_firm)
		return -ENOTSUP;
	vlans.on = on;
	return 0;
}

int rte_eth_dev_vlan_filter(uint16_t id, uint16_t vlan, int on)
{
	assert_int_equal(id, port.ethdev);
	assert_true(vlans.on & RTE_ETH_VLAN_FILTER_OFFLOAD && on);
	assert_int_equal(vlan, vlans.n + 1);
	if (vlans.n == vlans.room)
		return -ENOSPC;
	vlans.n++;
	return 0;
}

static int setup(void **state)
{
	const struct port_options o = {
		.devargs = "net_null_macs,no-rx=1", .mtu = 1500, .workers = 1
	};

	(void)state;
	memset(&filter, 0, sizeof filter);
	memset(&vlans, 0, sizeof vlans);
	filter.is_used = true;
	filter.room = ROOM;
	if (port_open(&port, &o))
		return -1;
	took_all = port.took_all; /* net_null does */
	port.took_all = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	port_close(&port);
	return 0;
}

static bool has(unsigned i)
{
	struct rte_ether_addr a;

	memcpy(a.addr_bytes, macs[i], sizeof a.addr_bytes);
	return find(&a) >= 0;
}

static bool takes_all(void)
{
	assert_int_equal(port.takes_all, filter.sees_all);
	return port.takes_all;
}

/* n of them from `first` on. */
static void want(unsigned first, unsigned n, bool more)
{
	assert_int_equal(port_want_macs(&port, (const uint8_t(*)[6])macs + first, n, more), 0);
	assert_int_equal(port.n_macs, filter.n);
}

static void those_wanted_are_taken_and_no_others(void **state)
{
	(void)state;
	want(1, 2, false);
	assert_true(has(1) && has(2));
	want(2, 3, true); /* the first stays */
	assert_true(has(1) && has(2) && has(3) && has(4));
	want(2, 3, false);
	assert_true(!has(1) && has(2) && has(3) && has(4));
	assert_false(takes_all());
	want(0, 0, true);
	assert_int_equal(filter.n, 3);
	want(0, 0, false);
	assert_int_equal(filter.n, 0);
}

/* Its own is there anyway, and stays. */
static void the_devices_own_is_none(void **state)
{
	uint8_t own[1][6];

	(void)state;
	memcpy(own[0], port.mac, 6);
	assert_int_equal(port_want_macs(&port, (const uint8_t(*)[6])own, 1, false), 0);
	assert_int_equal(filter.n, 0);
	assert_false(takes_all());
}

static void a_full_filter_takes_all_until_there_is_room(void **state)
{
	(void)state;
	want(0, ROOM, false);
	assert_false(takes_all());
	want(0, ROOM + 1, false);
	assert_true(takes_all());
	assert_int_equal(filter.n, ROOM);
	want(0, 1, true); /* some may be lacking still */
	assert_true(takes_all());
	want(1, ROOM, false);
	assert_false(takes_all());
	assert_true(!has(0) && has(1) && has(ROOM));
}

/* That it takes too many frames is no reason to say that it takes too few. */
static void what_cannot_be_turned_off_stays(void **state)
{
	(void)state;
	want(0, ROOM + 1, false);
	filter.refuses_fewer = true;
	want(0, 1, false);
	assert_true(takes_all());
	filter.refuses_fewer = false;
	want(0, 1, false);
	assert_false(takes_all());
}

/* One that has no other way to hear groups goes on taking all. */
static void what_takes_all_for_groups_goes_on(void **state)
{
	(void)state;
	port.groups_by_all = true;
	want(0, 1, false);
	assert_true(takes_all());
	want(0, 0, false);
	assert_true(takes_all());
}

static void a_device_that_takes_neither_is_told(void **state)
{
	(void)state;
	filter.room = 1;
	filter.refuses_more = true;
	assert_int_equal(port_want_macs(&port, (const uint8_t(*)[6])macs, 2, false), -ENOTSUP);
	assert_true(has(0));
	assert_false(takes_all());
	want(1, 1, false);
	assert_true(has(1));
}

/* It takes all frames whatever it is told. */
static void a_device_that_took_all_before_goes_on(void **state)
{
	(void)state;
	port.took_all = took_all;
	assert_true(took_all);
	filter.is_used = false;
	for (unsigned n = 2; n--;) {
		want(0, n, false);
		assert_int_equal(port.n_macs, 0);
		assert_false(port.takes_all);
		assert_int_equal(rte_eth_promiscuous_get(port.ethdev), 1);
	}
}

/* Starts the port. */
static void start(void)
{
	struct rte_mempool *frames =
		rte_pktmbuf_pool_create("port", 1023, 0, 0, 2048, SOCKET_ID_ANY);

	assert_non_null(frames);
	assert_int_equal(port_start(&port, frames), 0);
	port_close(&port);
	rte_mempool_free(frames);
}

static void vlans_are_not_filtered(void **state)
{
	(void)state;
	start();
	assert_false(port.filters_vlans);
	assert_int_equal(vlans.n, 0);
}

/* Other offloads are left as they are. */
static void a_filter_of_vlans_is_turned_off(void **state)
{
	(void)state;
	vlans.on = RTE_ETH_VLAN_FILTER_OFFLOAD | RTE_ETH_VLAN_STRIP_OFFLOAD;
	start();
	assert_false(port.filters_vlans);
	assert_int_equal(vlans.on, RTE_ETH_VLAN_STRIP_OFFLOAD);
	assert_int_equal(vlans.n, 0);
}

static void a_filter_that_stays_takes_all_vlans(void **state)
{
	(void)state;
	vlans.on = RTE_ETH_VLAN_FILTER_OFFLOAD;
	vlans.is_firm = true;
	vlans.room = 4095;
	start();
	assert_false(port.filters_vlans);
	assert_int_equal(vlans.n, 4094);
}

static void a_filter_with_too_little_room_is_told(void **state)
{
	(void)state;
	vlans.on = RTE_ETH_VLAN_FILTER_OFFLOAD;
	vlans.is_firm = true;
	vlans.room = 64;
	start();
	assert_true(port.filters_vlans);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_wanted_are_taken_and_no_others),
		TEST(the_devices_own_is_none),
		TEST(a_full_filter_takes_all_until_there_is_room),
		TEST(what_cannot_be_turned_off_stays),
		TEST(what_takes_all_for_groups_goes_on),
		TEST(a_device_that_takes_neither_is_told),
		TEST(a_device_that_took_all_before_goes_on),
		TEST(vlans_are_not_filtered),
		TEST(a_filter_of_vlans_is_turned_off),
		TEST(a_filter_that_stays_takes_all_vlans),
		TEST(a_filter_with_too_little_room_is_told),
	};

	for (unsigned i = 0; i < MANY; i++)
		memcpy(macs[i], ((uint8_t[]){ 2, 0, 0, 0, 1, (uint8_t)i }), sizeof macs[i]);
	return eal_begin() ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
