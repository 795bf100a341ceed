/* SPDX-License-Identifier: BSD-2-Clause */
/* The mirror beside the kernel itself, in a network namespace of the test's own. */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/host/lab.h"
#include "tests/unit/test.h"

#define way_is(l, dst, way)	 lab_until(l, !strcmp(lab_way(l, dst), way))
#define route_is(l, prefix, way) lab_until(l, !strcmp(lab_route(l, prefix), way))

static struct host_neighbour neighbour(const struct lab *l, const char *device, const char *addr)
{
	struct addr a = lab_addr(addr);
	const struct host_neighbour *n = host_neighbour_find(l->host, lab_ifindex(l, device), &a);

	return n ? *n : (struct host_neighbour){ 0 };
}

static uint32_t owner(const struct lab *l, const char *addr)
{
	struct addr a = lab_addr(addr);

	return host_owns(l->host, &a);
}

static void what_was_there_before_is_read(void **state)
{
	static const struct host_callbacks none = { 0 };
	struct lab *l = *state, other = { .base = l->base };
	struct err e;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\n"
		"ip route add 198.51.100.0/24 via 192.0.2.254\n"
		"ip neigh add 192.0.2.254 lladdr 02:00:00:00:00:fe dev va nud permanent");
	assert_int_equal(host_new(&other.host, other.base, &none, NULL, &e), 0);
	assert_string_equal(lab_way(&other, "198.51.100.7"), "va via 192.0.2.254");
	assert_string_equal(lab_way(&other, "192.0.2.7"), "va");
	assert_string_equal(lab_way(&other, "192.0.2.1"), "local");
	assert_string_equal(lab_way(&other, "192.0.2.255"), "discard");
	assert_string_equal(lab_way(&other, "203.0.113.1"), "none");
	assert_int_equal(owner(&other, "192.0.2.1"), lab_ifindex(&other, "va"));
	assert_int_equal(neighbour(&other, "va", "192.0.2.254").state, HOST_NEIGHBOUR_USABLE);
	assert_int_equal(neighbour(&other, "va", "192.0.2.254").mac[5], 0xfe);
	host_free(other.host);
}

static void links_are_followed(void **state)
{
	struct lab *l = *state;
	uint32_t ifindex;

	lab_run("ip link add va address 02:00:00:00:00:01 type veth peer name vb");
	lab_until(l, lab_ifindex(l, "va") && lab_ifindex(l, "vb"));
	ifindex = lab_ifindex(l, "va");
	assert_int_equal(host_link_by_index(l->host, ifindex)->mac[5], 1);
	assert_int_equal(host_link_by_index(l->host, ifindex)->mtu, 1500);
	assert_false(host_link_by_index(l->host, ifindex)->up);
	lab_run("ip link set va up");
	lab_settle(l);
	assert_false(host_link_by_index(l->host, ifindex)->up); /* no carrier yet */
	lab_run("ip link set vb up");
	lab_until(l, host_link_by_index(l->host, ifindex)->up);
	lab_run("ip link set va mtu 1400");
	lab_until(l, host_link_by_index(l->host, ifindex)->mtu == 1400);
	lab_run("ip link set vb down");
	lab_until(l, !host_link_by_index(l->host, ifindex)->up);
	lab_run("ip link set va down\nip link set va name vx address 02:00:00:00:00:02");
	lab_until(l, lab_ifindex(l, "vx") == ifindex && !lab_ifindex(l, "va"));
	lab_until(l, host_link_by_index(l->host, ifindex)->mac[5] == 2);
	lab_run("ip link del vx");
	lab_until(l, !lab_ifindex(l, "vx") && !lab_ifindex(l, "vb"));
	assert_true(l->link_gone);
	assert_null(host_link_by_index(l->host, ifindex));
}

/* A bridge tells of its ports in link messages of its own family. */
static void a_port_that_leaves_its_bridge_stays_a_link(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip link add br0 type bridge\nip link set br0 up\nip link set va master br0");
	lab_until(l, lab_ifindex(l, "br0") && lab_ifindex(l, "va"));
	lab_run("ip link set va nomaster\nip link set va mtu 1300");
	lab_until(l, host_link_by_name(l->host, "va")->mtu == 1300);
}

static void addresses_are_followed(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\nip addr add 2001:db8::1/64 dev va nodad\n"
		"ip addr add 192.0.2.9 peer 192.0.2.10/32 dev vb");
	lab_until(l, owner(l, "192.0.2.1") && owner(l, "2001:db8::1") && owner(l, "192.0.2.9"));
	assert_int_equal(owner(l, "192.0.2.1"), lab_ifindex(l, "va"));
	assert_int_equal(owner(l, "2001:db8::1"), lab_ifindex(l, "va"));
	assert_int_equal(owner(l, "192.0.2.9"), lab_ifindex(l, "vb"));
	assert_int_equal(owner(l, "192.0.2.10"), 0);
	lab_run("ip addr del 192.0.2.1/24 dev va\nip addr flush dev va");
	lab_until(l, !owner(l, "192.0.2.1") && !owner(l, "2001:db8::1"));
	assert_int_equal(owner(l, "192.0.2.9"), lab_ifindex(l, "vb"));
}

/* The kernel tells two such addresses apart by their peers, which the mirror does not keep. */
static void an_address_with_two_peers_is_gone_after_the_second(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.9 peer 192.0.2.10/32 dev va\n"
		"ip addr add 192.0.2.9 peer 192.0.2.11/32 dev va");
	lab_until(l, owner(l, "192.0.2.9"));
	lab_run("ip addr del 192.0.2.9 peer 192.0.2.11/32 dev va");
	lab_settle(l);
	assert_int_not_equal(owner(l, "192.0.2.9"), 0);
	lab_run("ip addr del 192.0.2.9 peer 192.0.2.10/32 dev va");
	lab_until(l, !owner(l, "192.0.2.9"));
}

static void the_best_metric_is_shown(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\n"
		"ip route add 203.0.113.0/24 via 192.0.2.20 metric 20");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.20");
	lab_run("ip route add 203.0.113.0/24 via 192.0.2.30 metric 30");
	lab_run("ip route add 203.0.113.0/24 via 192.0.2.10 metric 10");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.10");
	lab_run("ip route del 203.0.113.0/24 via 192.0.2.10 metric 10");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.20");
	lab_run("ip route replace 203.0.113.0/24 via 192.0.2.21 metric 20");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.21");
	lab_run("ip route del 203.0.113.0/24 metric 20");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.30");
	assert_false(l->route_gone);
	lab_run("ip route del 203.0.113.0/24 metric 30");
	route_is(l, "203.0.113.0/24", "none");
	assert_true(l->route_gone);
}

/* `ip route append` and `prepend` make IPv4 routes of one prefix, table and metric. */
static void equal_metrics_keep_the_kernels_order(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\n"
		"ip route add 203.0.113.0/24 via 192.0.2.2\n"
		"ip route append 203.0.113.0/24 via 192.0.2.3\n"
		"ip route prepend 203.0.113.0/24 via 192.0.2.9 dev vb onlink");
	route_is(l, "203.0.113.0/24", "vb via 192.0.2.9");
	lab_run("ip route del 203.0.113.0/24 dev vb");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.2");
	lab_run("ip route del 203.0.113.0/24 via 192.0.2.2");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.3");
}

static void kinds_of_routes_are_told_apart(void **state)
{
	static const char *const kinds[] = { "blackhole", "unreachable", "prohibit", "throw" };
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\nip addr add 2001:db8::1/64 dev va nodad");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		lab_run("ip route replace %s 203.0.113.0/24\n"
			"ip -6 route replace %s 2001:db8:f::/64",
			kinds[i], kinds[i]);
		way_is(l, "203.0.113.9", "discard");
		way_is(l, "2001:db8:f::9", "discard");
		lab_run("ip route del 203.0.113.0/24\nip -6 route del 2001:db8:f::/64");
		way_is(l, "203.0.113.9", "none");
		way_is(l, "2001:db8:f::9", "none");
	}
	way_is(l, "127.0.0.1", "local");
	way_is(l, "127.255.255.255", "discard");
	way_is(l, "2001:db8::1", "local");
	lab_run("echo 1 > /proc/sys/net/ipv6/conf/va/forwarding");
	way_is(l, "2001:db8::",
		"local"); /* the subnet-router anycast address, RFC 4291, section 2.6.1 */
	way_is(l, "::1", "local");
	way_is(l, "ff02::1", "discard");
}

static void the_longest_prefix_wins(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\nip addr add 2001:db8::1/64 dev va nodad\n"
		"ip route add default via 192.0.2.2\nip route add 203.0.113.0/24 via 192.0.2.3\n"
		"ip route add 203.0.113.128/25 via 192.0.2.4\n"
		"ip route add 203.0.113.129 via 192.0.2.5\n"
		"ip -6 route add default via 2001:db8::2\n"
		"ip -6 route add 2001:db8:1::/48 via 2001:db8::3\n"
		"ip -6 route add 2001:db8:1::5 via 2001:db8::4");
	way_is(l, "8.8.8.8", "va via 192.0.2.2");
	way_is(l, "203.0.113.1", "va via 192.0.2.3");
	way_is(l, "203.0.113.128", "va via 192.0.2.4");
	way_is(l, "203.0.113.129", "va via 192.0.2.5");
	way_is(l, "2001:db8:2::1", "va via 2001:db8::2");
	way_is(l, "2001:db8:1::1", "va via 2001:db8::3");
	way_is(l, "2001:db8:1::5", "va via 2001:db8::4");
}

static void the_first_next_hop_of_several_is_used(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_veth("vc", "vd");
	lab_run("ip addr add 192.0.2.1/24 dev va\nip addr add 198.51.100.1/24 dev vc\n"
		"ip route add 203.0.113.0/24 nexthop via 192.0.2.2 nexthop via 198.51.100.2");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.2");
	/* The kernel marks the next hop dead and says nothing of the route. */
	l->watched = lab_addr("203.0.113.0");
	l->watched_plen = 24;
	lab_run("ip link set va down");
	route_is(l, "203.0.113.0/24", "vc via 198.51.100.2");
	assert_int_equal(l->watched_route.ifindex, lab_ifindex(l, "vc")); /* the user was told */
	lab_run("ip link set va up");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.2");
	lab_run("ip link set va down\nip link set vc down");
	route_is(l, "203.0.113.0/24", "none");
	assert_true(l->watched_gone);
}

static void a_hop_without_carrier_is_used_last(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_veth("vc", "vd");
	lab_run("ip addr add 192.0.2.1/24 dev va\nip addr add 198.51.100.1/24 dev vc\n"
		"ip route add 203.0.113.0/24 nexthop via 192.0.2.2 nexthop via 198.51.100.2\n"
		"ip route add 203.0.113.0/28 via 192.0.2.3");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.2");
	lab_run("ip link set vb down");
	route_is(l, "203.0.113.0/24", "vc via 198.51.100.2");
	way_is(l, "203.0.113.1", "va via 192.0.2.3"); /* the kernel still uses it */
	lab_run("echo 1 > /proc/sys/net/ipv4/conf/va/ignore_routes_with_linkdown\n"
		"ip link set vb up");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.2");
	lab_run("ip link set vb down");
	way_is(l, "203.0.113.1", "vc via 198.51.100.2");
}

/* IPv4 routes go away with their interface or with the address they prefer, without a message. */
static void routes_that_vanish_in_silence_are_missed(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\nip addr add 192.0.2.7/32 dev lo\n"
		"ip addr add 2001:db8::1/64 dev va nodad\n"
		"ip route add 203.0.113.0/24 via 192.0.2.2 src 192.0.2.7\n"
		"ip route add 198.51.100.0/24 via 192.0.2.2\n"
		"ip -6 route add 2001:db8:1::/48 via 2001:db8::2");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.2");
	route_is(l, "198.51.100.0/24", "va via 192.0.2.2");
	route_is(l, "2001:db8:1::/48", "va via 2001:db8::2");
	lab_run("ip addr del 192.0.2.7/32 dev lo");
	route_is(l, "203.0.113.0/24", "none");
	assert_string_equal(lab_route(l, "198.51.100.0/24"), "va via 192.0.2.2");
	lab_run("ip link set va down");
	route_is(l, "198.51.100.0/24", "none");
	route_is(l, "2001:db8:1::/48", "none");
	route_is(l, "192.0.2.0/24", "none");
}

static void ipv6_next_hops_come_and_go_one_by_one(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 2001:db8::1/64 dev va nodad\n"
		"ip -6 route add 2001:db8:1::/48 via 2001:db8::2\n"
		"ip -6 route append 2001:db8:1::/48 via 2001:db8::3\n"
		"ip -6 route append 2001:db8:1::/48 via 2001:db8::4");
	route_is(l, "2001:db8:1::/48", "va via 2001:db8::2");
	lab_settle(l);
	lab_run("ip -6 route del 2001:db8:1::/48 via 2001:db8::2");
	route_is(l, "2001:db8:1::/48", "va via 2001:db8::3");
	lab_run("ip -6 route del 2001:db8:1::/48 via 2001:db8::3");
	route_is(l, "2001:db8:1::/48", "va via 2001:db8::4");
	lab_run("ip -6 route replace 2001:db8:1::/48 nexthop via 2001:db8::5"
		" nexthop via 2001:db8::6");
	route_is(l, "2001:db8:1::/48", "va via 2001:db8::5");
	lab_run("ip -6 route del 2001:db8:1::/48");
	route_is(l, "2001:db8:1::/48", "none");
}

/* fe80::/64 and the multicast prefix stand once for each interface, with one metric. */
static void ipv6_on_link_routes_of_several_interfaces_stand_side_by_side(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add fe80::a/64 dev va nodad\n"
		"ip addr add fe80::b/64 dev vb nodad\n"
		"ip -6 route add default via fe80::1 dev va");
	way_is(l, "2001:db8::1", "va via fe80::1");
	way_is(l, "fe80::2", "va");
	lab_run("ip -6 route del fe80::/64 dev va");
	way_is(l, "fe80::2", "vb");
	lab_run("ip addr add fe80::aa/64 dev va nodad\nip link set va mtu 1400");
	lab_until(l, host_link_by_name(l->host, "va")->mtu == 1400);
	assert_string_equal(lab_way(l, "fe80::2"), "vb");
	lab_run("ip link set va down");
	way_is(l, "2001:db8::1", "none");
	assert_string_equal(lab_way(l, "fe80::2"), "vb");
	assert_string_equal(lab_way(l, "ff02::1:2"), "discard");
}

static void an_ipv4_route_may_have_an_ipv6_gateway(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\n"
		"ip route add 203.0.113.0/24 via inet6 fe80::1 dev va\n"
		"ip route add 198.51.100.0/24 nexthop via inet6 fe80::2 dev va"
		" nexthop via 192.0.2.2");
	route_is(l, "203.0.113.0/24", "va via fe80::1");
	route_is(l, "198.51.100.0/24", "va via fe80::2");
}

static void other_tables_and_tos_routes_are_not_shown(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\n"
		"ip route add 203.0.113.0/24 via 192.0.2.2 table 100\n"
		"ip route add 203.0.113.0/24 via 192.0.2.3 tos 0x10\n"
		"ip route add 198.51.100.0/24 via 192.0.2.4");
	route_is(l, "198.51.100.0/24", "va via 192.0.2.4");
	assert_string_equal(lab_route(l, "203.0.113.0/24"), "none");
}

static void nexthop_objects(struct lab *l)
{
	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\nip addr add 2001:db8::1/64 dev va nodad\n"
		"ip nexthop add id 1 via 192.0.2.2 dev va\n"
		"ip nexthop add id 2 via 192.0.2.3 dev va\n"
		"ip nexthop add id 3 via 2001:db8::2 dev va\nip nexthop add id 4 blackhole\n"
		"ip nexthop add id 10 group 1/2");
	lab_run("ip route add 203.0.113.0/25 nhid 1\nip route add 203.0.113.128/25 nhid 10\n"
		"ip route add 198.51.100.0/24 nhid 3\nip route add 198.51.101.0/24 nhid 4\n"
		"ip -6 route add 2001:db8:1::/48 nhid 3");
	route_is(l, "203.0.113.0/25", "va via 192.0.2.2");
	route_is(l, "203.0.113.128/25", "va via 192.0.2.2");
	route_is(l, "198.51.100.0/24", "va via 2001:db8::2");
	route_is(l, "198.51.101.0/24", "discard");
	route_is(l, "2001:db8:1::/48", "va via 2001:db8::2");
	lab_run("ip nexthop replace id 1 via 192.0.2.9 dev va\n"
		"ip nexthop replace id 3 via 2001:db8::9 dev va");
	route_is(l, "203.0.113.0/25", "va via 192.0.2.9");
	route_is(l, "203.0.113.128/25", "va via 192.0.2.9");
	route_is(l, "198.51.100.0/24", "va via 2001:db8::9");
	route_is(l, "2001:db8:1::/48", "va via 2001:db8::9");
	lab_run("ip route del 203.0.113.0/25");
	route_is(l, "203.0.113.0/25", "none");
	lab_run("ip nexthop del id 1");
	route_is(l, "203.0.113.128/25", "va via 192.0.2.3");
	lab_run("ip nexthop flush");
	route_is(l, "203.0.113.128/25", "none");
	route_is(l, "2001:db8:1::/48", "none");
}

static void nexthop_objects_are_resolved(void **state)
{
	nexthop_objects(*state);
}

/* Then a route names its nexthop object and nothing more. */
static void nexthop_objects_are_resolved_without_compatibility(void **state)
{
	lab_run("echo 0 > /proc/sys/net/ipv4/nexthop_compat_mode");
	nexthop_objects(*state);
}

static void neighbours_are_followed(void **state)
{
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\n"
		"ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev va nud permanent\n"
		"ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:03 dev va nud stale");
	lab_until(l, neighbour(l, "va", "192.0.2.2").state == HOST_NEIGHBOUR_USABLE);
	lab_until(l, neighbour(l, "va", "2001:db8::2").state == HOST_NEIGHBOUR_STALE);
	assert_int_equal(neighbour(l, "va", "2001:db8::2").mac[5], 3);
	lab_run("ip neigh change 192.0.2.2 lladdr 02:00:00:00:00:09 dev va nud permanent");
	lab_until(l, neighbour(l, "va", "192.0.2.2").mac[5] == 9);
	lab_run("ip neigh del 192.0.2.2 dev va");
	lab_until(l, !neighbour(l, "va", "192.0.2.2").addr.af);
	lab_run("ip link set va down");
	lab_until(l, !neighbour(l, "va", "2001:db8::2").addr.af);
	assert_true(l->neighbour_gone);
}

/* The other end of va stands in the namespace of a process that only waits. */
static pid_t far_end(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		unshare(CLONE_NEWNET);
		pause();
		_exit(0);
	}
	return pid;
}

static void a_neighbour_is_asked_for(void **state)
{
	struct lab *l = *state;
	struct addr there4 = lab_addr("192.0.2.2"), there6 = lab_addr("2001:db8::2"),
		    nobody = lab_addr("192.0.2.3");
	pid_t far = far_end();
	uint32_t va;

	lab_run("ip link add va type veth peer name vb\n"
		"until [ $(readlink /proc/self/ns/net) != $(readlink /proc/%d/ns/net) ]\n"
		"do sleep .01\ndone\n"
		"ip link set vb netns %d\nip link set va up\n"
		"nsenter --net=/proc/%d/ns/net ip link set vb up\n"
		"nsenter --net=/proc/%d/ns/net ip addr add 192.0.2.2/24 dev vb\n"
		"nsenter --net=/proc/%d/ns/net ip addr add 2001:db8::2/64 dev vb nodad\n"
		"ip addr add 192.0.2.1/24 dev va\nip addr add 2001:db8::1/64 dev va nodad",
		far, far, far, far, far);
	/* So that the kernel gives nobody up in no time. */
	lab_run("echo 20 > /proc/sys/net/ipv4/neigh/va/retrans_time_ms");
	lab_until(l, owner(l, "2001:db8::1") && host_link_by_name(l->host, "va")->up);
	va = lab_ifindex(l, "va");
	assert_int_equal(host_neighbour_ask(l->host, va, &there4), 0);
	assert_int_equal(host_neighbour_ask(l->host, va, &there6), 0);
	lab_until(l, neighbour(l, "va", "192.0.2.2").state == HOST_NEIGHBOUR_USABLE);
	lab_until(l, neighbour(l, "va", "2001:db8::2").state == HOST_NEIGHBOUR_USABLE);
	assert_int_equal(host_neighbour_ask(l->host, va, &nobody), 0);
	lab_until(l, neighbour(l, "va", "192.0.2.3").addr.af);
	assert_int_equal(neighbour(l, "va", "192.0.2.3").state, HOST_NEIGHBOUR_NONE);
	assert_true(host_neighbour_ask(l->host, 4242, &there4) < 0);
	kill(far, SIGKILL);
	waitpid(far, NULL, 0);
}

static bool count_ten(void *arg, const struct host_route *r)
{
	*(unsigned *)arg += r->dst.af == 4 && r->dst.bytes[0] == 10;
	return true;
}

static unsigned count_tens(const struct lab *l)
{
	unsigned n = 0;

	host_each_route(l->host, count_ten, &n);
	return n;
}

/* More messages than the socket's buffer holds, while nobody reads. */
static void lost_messages_are_made_good(void **state)
{
	enum { ROUTES = 80000 };
	struct lab *l = *state;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va\nip route add 203.0.113.0/24 via 192.0.2.2");
	route_is(l, "203.0.113.0/24", "va via 192.0.2.2");
	lab_run("ip route del 203.0.113.0/24\n"
		"awk 'BEGIN { for (i = 0; i < %d; i++)"
		" printf \"route add 10.%%d.%%d.%%d/32 via 192.0.2.2\\n\","
		" i / 65536, i / 256 %% 256, i %% 256 }' | ip -batch -",
		ROUTES);
	lab_until(l, l->resyncs);
	lab_until(l, count_tens(l) == ROUTES);
	assert_string_equal(lab_way(l, "10.1.56.127"), "va via 192.0.2.2"); /* the last */
	assert_string_equal(lab_way(l, "203.0.113.1"), "none");
}

static void no_messages_no_reports(void **state)
{
	struct lab *l = *state;
	unsigned routes, links;

	lab_veth("va", "vb");
	lab_run("ip addr add 192.0.2.1/24 dev va");
	route_is(l, "192.0.2.0/24", "va");
	lab_settle(l);
	routes = l->routes;
	links = l->links;
	/* Another metric behind the first is nothing that users see. */
	lab_run("ip route add 192.0.2.0/24 dev va metric 100\nip link set va alias x");
	lab_settle(l);
	assert_int_equal(l->routes, routes);
	assert_int_equal(l->links, links);
	assert_int_equal(l->resyncs, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_there_before_is_read),
		TEST(links_are_followed),
		TEST(a_port_that_leaves_its_bridge_stays_a_link),
		TEST(addresses_are_followed),
		TEST(an_address_with_two_peers_is_gone_after_the_second),
		TEST(the_best_metric_is_shown),
		TEST(equal_metrics_keep_the_kernels_order),
		TEST(kinds_of_routes_are_told_apart),
		TEST(the_longest_prefix_wins),
		TEST(the_first_next_hop_of_several_is_used),
		TEST(a_hop_without_carrier_is_used_last),
		TEST(routes_that_vanish_in_silence_are_missed),
		TEST(ipv6_next_hops_come_and_go_one_by_one),
		TEST(ipv6_on_link_routes_of_several_interfaces_stand_side_by_side),
		TEST(an_ipv4_route_may_have_an_ipv6_gateway),
		TEST(other_tables_and_tos_routes_are_not_shown),
		TEST(nexthop_objects_are_resolved),
		TEST(nexthop_objects_are_resolved_without_compatibility),
		TEST(neighbours_are_followed),
		TEST(a_neighbour_is_asked_for),
		TEST(lost_messages_are_made_good),
		TEST(no_messages_no_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
