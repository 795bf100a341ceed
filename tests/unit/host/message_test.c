/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages made by hand after rtnetlink(7) and the kernel's headers. */
#include "controlplane/host/message.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

enum { LOWER_UP = 1 << 16 /* IFF_LOWER_UP of linux/if.h */ };

/* A message under construction. */
struct made {
	char bytes[2048] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh;
};

static void *begin(struct made *m, uint16_t type, size_t header)
{
	memset(m, 0, sizeof *m);
	m->nlh = mnl_nlmsg_put_header(m->bytes);
	m->nlh->nlmsg_type = type;
	return mnl_nlmsg_put_extra_header(m->nlh, header);
}

static void put_addr(struct made *m, uint16_t type, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	mnl_attr_put(m->nlh, type, addr_size(&a), a.bytes);
}

static struct addr addr_of(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void assert_addr(struct addr a, const char *text)
{
	char buf[ADDR_TEXT];

	assert_string_equal(addr_text(&a, buf), text);
}

static struct host_message read_ok(const struct made *m)
{
	struct host_message out;

	assert_int_equal(host_message_read(m->nlh, &out), 1);
	return out;
}

static void refused(const struct made *m, int result)
{
	struct host_message out;

	assert_int_equal(host_message_read(m->nlh, &out), result);
}

static struct ifinfomsg *begin_link(struct made *m, uint16_t type)
{
	struct ifinfomsg *i = begin(m, type, sizeof *i);

	i->ifi_index = 7;
	i->ifi_flags = IFF_UP | LOWER_UP;
	return i;
}

static void make_link(struct made *m)
{
	begin_link(m, RTM_NEWLINK);
	mnl_attr_put_strz(m->nlh, IFLA_IFNAME, "eth7");
	mnl_attr_put_u32(m->nlh, IFLA_MTU, 9000);
	mnl_attr_put(m->nlh, IFLA_ADDRESS, 6, "\2\0\0\0\0\7");
}

static void a_link(void **state)
{
	struct host_message out;
	struct made m;

	(void)state;
	make_link(&m);
	out = read_ok(&m);
	assert_int_equal(out.kind, HOST_KIND_LINK);
	assert_false(out.gone);
	assert_int_equal(out.link.link.ifindex, 7);
	assert_string_equal(out.link.link.name, "eth7");
	assert_int_equal(out.link.link.mtu, 9000);
	assert_memory_equal(out.link.link.mac, "\2\0\0\0\0\7", 6);
	assert_true(out.link.admin_up && out.link.link.up);
	m.nlh->nlmsg_type = RTM_DELLINK;
	assert_true(read_ok(&m).gone);
}

/* The device "eth7" with what rtnetlink says of its kind. */
static void make_vlan(struct made *m, const char *kind, uint16_t id)
{
	struct nlattr *info, *data;

	make_link(m);
	mnl_attr_put_u32(m->nlh, IFLA_LINK, 3);
	info = mnl_attr_nest_start(m->nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(m->nlh, IFLA_INFO_KIND, kind);
	data = mnl_attr_nest_start(m->nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(m->nlh, IFLA_VLAN_ID, id);
	mnl_attr_put_u16(m->nlh, IFLA_VLAN_PROTOCOL, htons(0x88a8));
	mnl_attr_nest_end(m->nlh, data);
	mnl_attr_nest_end(m->nlh, info);
}

static void a_vlan(void **state)
{
	struct host_link link;
	struct made m;

	(void)state;
	make_vlan(&m, "vlan", 4094);
	((struct ifinfomsg *)mnl_nlmsg_get_payload(m.nlh))->ifi_type = ARPHRD_ETHER;
	mnl_attr_put_u32(m.nlh, IFLA_MASTER, 12);
	link = read_ok(&m).link.link;
	assert_string_equal(link.kind, "vlan");
	assert_int_equal(link.lower, 3);
	assert_int_equal(link.master, 12);
	assert_int_equal(link.vlan_id, 4094);
	assert_int_equal(link.vlan_protocol, 0x88a8);
	assert_true(link.ethernet);
	assert_false(link.lower_elsewhere);
	mnl_attr_put_u32(m.nlh, IFLA_LINK_NETNSID, 0);
	assert_true(read_ok(&m).link.link.lower_elsewhere);
	make_vlan(&m, "macvlan", 7); /* whose data mean something else */
	link = read_ok(&m).link.link;
	assert_string_equal(link.kind, "macvlan");
	assert_int_equal(link.vlan_id, 0);
	assert_false(link.ethernet);
}

static void bad_kinds(void **state)
{
	struct nlattr *info, *data;
	struct made m;

	(void)state;
	make_link(&m);
	info = mnl_attr_nest_start(m.nlh, IFLA_LINKINFO);
	mnl_attr_put(m.nlh, IFLA_INFO_KIND, 4, "vlan"); /* no NUL */
	mnl_attr_nest_end(m.nlh, info);
	refused(&m, -EBADMSG);
	for (unsigned i = 0; i < 2; i++) {
		make_link(&m);
		info = mnl_attr_nest_start(m.nlh, IFLA_LINKINFO);
		mnl_attr_put_strz(m.nlh, IFLA_INFO_KIND, "vlan");
		data = mnl_attr_nest_start(m.nlh, IFLA_INFO_DATA);
		if (i)
			mnl_attr_put_u32(m.nlh, IFLA_VLAN_ID, 7); /* 16 bits */
		mnl_attr_put_u16(m.nlh, IFLA_VLAN_PROTOCOL, htons(0x8100));
		mnl_attr_nest_end(m.nlh, data);
		mnl_attr_nest_end(m.nlh, info);
		refused(&m, -EBADMSG);
	}
}

static void a_link_is_up_with_both_flags(void **state)
{
	struct ifinfomsg *i;
	struct made m;

	(void)state;
	make_link(&m);
	i = mnl_nlmsg_get_payload(m.nlh);
	i->ifi_flags = IFF_UP | IFF_RUNNING;
	assert_true(read_ok(&m).link.admin_up);
	assert_false(read_ok(&m).link.link.up);
	i->ifi_flags = LOWER_UP;
	assert_false(read_ok(&m).link.link.up);
}

static void bad_links(void **state)
{
	struct ifinfomsg *i;
	struct made m;

	(void)state;
	begin_link(&m, RTM_NEWLINK);
	refused(&m, -EBADMSG);					   /* no name */
	mnl_attr_put_strz(m.nlh, IFLA_IFNAME, "abcdefghijklmnop"); /* 16 characters and a NUL */
	refused(&m, -EBADMSG);
	begin_link(&m, RTM_NEWLINK);
	mnl_attr_put(m.nlh, IFLA_IFNAME, 4, "eth7"); /* no NUL */
	refused(&m, -EBADMSG);
	make_link(&m);
	mnl_attr_put_u16(m.nlh, IFLA_MTU, 9000);
	refused(&m, -EBADMSG);
	make_link(&m);
	i = mnl_nlmsg_get_payload(m.nlh);
	i->ifi_index = 0;
	refused(&m, -EBADMSG);
	i->ifi_index = 7;
	i->ifi_family = AF_BRIDGE;
	refused(&m, 0);
}

static void a_link_without_an_ethernet_address(void **state)
{
	static const uint8_t none[6];
	struct made m;

	(void)state;
	begin_link(&m, RTM_NEWLINK);
	mnl_attr_put_strz(m.nlh, IFLA_IFNAME, "ib0");
	mnl_attr_put(
		m.nlh, IFLA_ADDRESS, 20, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24");
	assert_memory_equal(read_ok(&m).link.link.mac, none, 6);
}

static struct ifaddrmsg *begin_address(struct made *m, uint8_t family, uint8_t plen)
{
	struct ifaddrmsg *i = begin(m, RTM_NEWADDR, sizeof *i);

	i->ifa_family = family;
	i->ifa_prefixlen = plen;
	i->ifa_index = 7;
	return i;
}

static void addresses(void **state)
{
	struct host_message out;
	struct made m;

	(void)state;
	begin_address(&m, AF_INET, 24);
	put_addr(&m, IFA_ADDRESS, "192.0.2.2"); /* the peer's */
	put_addr(&m, IFA_LOCAL, "192.0.2.1");
	out = read_ok(&m);
	assert_int_equal(out.kind, HOST_KIND_ADDRESS);
	assert_int_equal(out.address.ifindex, 7);
	assert_int_equal(out.address.plen, 24);
	assert_addr(out.address.addr, "192.0.2.1");
	begin_address(&m, AF_INET6, 64);
	put_addr(&m, IFA_ADDRESS, "2001:db8::1");
	assert_addr(read_ok(&m).address.addr, "2001:db8::1");
	begin_address(&m, AF_INET, 33);
	put_addr(&m, IFA_LOCAL, "192.0.2.1");
	refused(&m, -EBADMSG);
	begin_address(&m, AF_INET, 32);
	put_addr(&m, IFA_LOCAL, "2001:db8::1");
	refused(&m, -EBADMSG);
	begin_address(&m, AF_INET, 32);
	refused(&m, -EBADMSG);
	begin_address(&m, AF_BRIDGE, 32);
	refused(&m, 0);
}

static struct ndmsg *make_neighbour(struct made *m, uint16_t nud)
{
	struct ndmsg *n = begin(m, RTM_NEWNEIGH, sizeof *n);

	n->ndm_family = AF_INET;
	n->ndm_ifindex = 7;
	n->ndm_state = nud;
	put_addr(m, NDA_DST, "192.0.2.9");
	mnl_attr_put(m->nlh, NDA_LLADDR, 6, "\2\0\0\0\0\11");
	return n;
}

static void neighbour_states(void **state)
{
	static const struct {
		uint16_t nud;
		enum host_neighbour_state state;
	} cases[] = {
		{ NUD_INCOMPLETE, HOST_NEIGHBOUR_NONE },
		{ NUD_FAILED, HOST_NEIGHBOUR_NONE },
		{ NUD_NONE, HOST_NEIGHBOUR_NONE },
		{ NUD_REACHABLE, HOST_NEIGHBOUR_USABLE },
		{ NUD_DELAY, HOST_NEIGHBOUR_USABLE },
		{ NUD_PROBE, HOST_NEIGHBOUR_USABLE },
		{ NUD_PERMANENT, HOST_NEIGHBOUR_USABLE },
		{ NUD_NOARP, HOST_NEIGHBOUR_USABLE },
		{ NUD_STALE, HOST_NEIGHBOUR_STALE },
	};
	struct host_message out;
	struct made m;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		make_neighbour(&m, cases[i].nud);
		out = read_ok(&m);
		assert_int_equal(out.kind, HOST_KIND_NEIGHBOUR);
		assert_int_equal(out.neighbour.state, cases[i].state);
		assert_int_equal(out.neighbour.ifindex, 7);
		assert_addr(out.neighbour.addr, "192.0.2.9");
		assert_memory_equal(out.neighbour.mac, "\2\0\0\0\0\11", 6);
	}
	m.nlh->nlmsg_type = RTM_DELNEIGH;
	assert_true(read_ok(&m).gone);
	assert_int_equal(read_ok(&m).neighbour.state, HOST_NEIGHBOUR_NONE);
}

static void odd_neighbours(void **state)
{
	struct ndmsg *n;
	struct made m;

	(void)state;
	n = make_neighbour(&m, NUD_REACHABLE);
	n->ndm_flags = NTF_PROXY;
	refused(&m, 0);
	n->ndm_flags = 0;
	n->ndm_family = AF_BRIDGE;
	refused(&m, 0);
	n->ndm_family = AF_INET6;
	refused(&m, -EBADMSG); /* the address has 4 bytes */
	n->ndm_family = AF_INET;
	n->ndm_ifindex = -1;
	refused(&m, -EBADMSG);
	n = begin(&m, RTM_NEWNEIGH, sizeof *n);
	n->ndm_family = AF_INET;
	n->ndm_ifindex = 1;
	n->ndm_state = NUD_NOARP;
	refused(&m, -EBADMSG); /* no address */
	put_addr(&m, NDA_DST, "192.0.2.9");
	assert_int_equal(read_ok(&m).neighbour.state, HOST_NEIGHBOUR_NONE); /* no MAC address */
	mnl_attr_put(m.nlh, NDA_LLADDR, 6, "\0\0\0\0\0\0");
	assert_int_equal(read_ok(&m).neighbour.state, HOST_NEIGHBOUR_NONE);
}

static struct rtmsg *begin_route(struct made *m, uint8_t family, uint8_t plen)
{
	struct rtmsg *r = begin(m, RTM_NEWROUTE, sizeof *r);

	r->rtm_family = family;
	r->rtm_dst_len = plen;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_type = RTN_UNICAST;
	return r;
}

static void a_route(void **state)
{
	struct host_route_row r;
	struct made m;

	(void)state;
	begin_route(&m, AF_INET, 24);
	put_addr(&m, RTA_DST, "203.0.113.0");
	put_addr(&m, RTA_GATEWAY, "192.0.2.1");
	mnl_attr_put_u32(m.nlh, RTA_OIF, 7);
	mnl_attr_put_u32(m.nlh, RTA_PRIORITY, 100);
	r = read_ok(&m).route;
	assert_addr(r.route.dst, "203.0.113.0");
	assert_int_equal(r.route.plen, 24);
	assert_int_equal(r.route.kind, HOST_ROUTE_UNICAST);
	assert_int_equal(r.route.ifindex, 7);
	assert_addr(r.route.gateway, "192.0.2.1");
	assert_int_equal(r.metric, 100);
	assert_true(r.in_main && r.usable);
	assert_false(read_ok(&m).replace);
	m.nlh->nlmsg_flags |= NLM_F_REPLACE;
	assert_true(read_ok(&m).replace);
}

static void default_routes_have_no_destination(void **state)
{
	struct host_route_row r;
	struct made m;

	(void)state;
	begin_route(&m, AF_INET6, 0);
	put_addr(&m, RTA_GATEWAY, "fe80::1");
	mnl_attr_put_u32(m.nlh, RTA_OIF, 7);
	r = read_ok(&m).route;
	assert_addr(r.route.dst, "::");
	assert_int_equal(r.route.plen, 0);
	assert_addr(r.route.gateway, "fe80::1");
}

static void host_bits_are_cleared(void **state)
{
	struct made m;

	(void)state;
	begin_route(&m, AF_INET, 9);
	put_addr(&m, RTA_DST, "10.255.255.255");
	assert_addr(read_ok(&m).route.route.dst, "10.128.0.0");
	begin_route(&m, AF_INET6, 127);
	put_addr(&m, RTA_DST, "2001:db8::ff");
	assert_addr(read_ok(&m).route.route.dst, "2001:db8::fe");
	begin_route(&m, AF_INET6, 128);
	put_addr(&m, RTA_DST, "2001:db8::ff");
	assert_addr(read_ok(&m).route.route.dst, "2001:db8::ff");
}

static void route_types(void **state)
{
	static const struct {
		uint8_t type;
		enum host_route_kind kind;
	} cases[] = {
		{ RTN_LOCAL, HOST_ROUTE_LOCAL },
		{ RTN_ANYCAST, HOST_ROUTE_LOCAL },
		{ RTN_BROADCAST, HOST_ROUTE_DISCARD },
		{ RTN_MULTICAST, HOST_ROUTE_DISCARD },
		{ RTN_BLACKHOLE, HOST_ROUTE_DISCARD },
		{ RTN_PROHIBIT, HOST_ROUTE_DISCARD },
		{ RTN_UNREACHABLE, HOST_ROUTE_DISCARD },
		{ RTN_THROW, HOST_ROUTE_DISCARD },
	};
	struct host_route_row row;
	struct rtmsg *r;
	struct made m;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		r = begin_route(&m, AF_INET, 32);
		r->rtm_type = cases[i].type;
		r->rtm_flags = RTNH_F_DEAD; /* does not matter to these */
		mnl_attr_put_u32(m.nlh, RTA_TABLE, RT_TABLE_LOCAL);
		mnl_attr_put_u32(m.nlh, RTA_OIF, 1);
		put_addr(&m, RTA_DST, "192.0.2.1");
		row = read_ok(&m).route;
		assert_int_equal(row.route.kind, cases[i].kind);
		assert_true(row.usable);
		assert_false(row.in_main);
	}
}

static void routes_of_no_use(void **state)
{
	struct rtmsg *r;
	struct made m;

	(void)state;
	begin_route(&m, AF_INET, 0);
	mnl_attr_put_u32(m.nlh, RTA_TABLE, 1000); /* more than rtm_table can say */
	refused(&m, 0);
	r = begin_route(&m, AF_INET, 0);
	r->rtm_table = RT_TABLE_DEFAULT;
	refused(&m, 0);
	r = begin_route(&m, AF_INET, 0);
	r->rtm_flags = RTM_F_CLONED;
	refused(&m, 0);
	r = begin_route(&m, AF_INET, 0);
	r->rtm_tos = 0x10;
	refused(&m, 0);
	r = begin_route(&m, AF_INET6, 0);
	r->rtm_src_len = 64;
	refused(&m, 0);
	begin_route(&m, AF_MPLS, 0);
	refused(&m, 0);
}

static void bad_routes(void **state)
{
	struct made m;

	(void)state;
	begin_route(&m, AF_INET, 33);
	refused(&m, -EBADMSG);
	begin_route(&m, AF_INET6, 129);
	refused(&m, -EBADMSG);
	begin_route(&m, AF_INET, 24);
	put_addr(&m, RTA_DST, "2001:db8::1");
	refused(&m, -EBADMSG);
	begin_route(&m, AF_INET6, 24);
	put_addr(&m, RTA_GATEWAY, "192.0.2.1");
	refused(&m, -EBADMSG);
	begin_route(&m, AF_INET, 24);
	mnl_attr_put_u16(m.nlh, RTA_OIF, 7);
	refused(&m, -EBADMSG);
	begin_route(&m, AF_INET, 24);
	mnl_attr_put(m.nlh, RTA_VIA, 1, "\2");
	refused(&m, -EBADMSG);
	begin_route(&m, AF_INET, 24);
	mnl_attr_put(m.nlh, RTA_VIA, 6, "\12\0\1\2\3\4"); /* AF_INET6 and 4 bytes */
	refused(&m, -EBADMSG);
}

static void an_unusable_route(void **state)
{
	struct rtmsg *r;
	struct made m;

	(void)state;
	r = begin_route(&m, AF_INET, 24);
	mnl_attr_put_u32(m.nlh, RTA_OIF, 7);
	assert_true(read_ok(&m).route.usable);
	r->rtm_flags = RTNH_F_LINKDOWN;
	assert_true(read_ok(&m).route.usable);
	r->rtm_flags = RTNH_F_LINKDOWN | RTNH_F_DEAD;
	assert_false(read_ok(&m).route.usable);
	begin_route(&m, AF_INET, 24);
	put_addr(&m, RTA_GATEWAY, "192.0.2.1"); /* out of which device? */
	assert_false(read_ok(&m).route.usable);
}

static void a_gateway_of_the_other_family(void **state)
{
	struct {
		uint16_t family;
		uint8_t addr[16];
	} via = { .family = AF_INET6 };
	struct addr gateway = addr_of("fe80::1");
	struct made m;

	(void)state;
	memcpy(via.addr, gateway.bytes, 16);
	begin_route(&m, AF_INET, 24);
	mnl_attr_put(m.nlh, RTA_VIA, sizeof via, &via);
	mnl_attr_put_u32(m.nlh, RTA_OIF, 7);
	assert_addr(read_ok(&m).route.route.gateway, "fe80::1");
}

/* To send such packets without the tunnel would be wrong, and to look past the route too. */
static void a_route_into_a_tunnel_discards(void **state)
{
	struct made m;

	(void)state;
	begin_route(&m, AF_INET, 24);
	mnl_attr_put_u32(m.nlh, RTA_OIF, 7);
	mnl_attr_put_u16(m.nlh, RTA_ENCAP_TYPE, 1);
	mnl_attr_put(m.nlh, RTA_ENCAP, 4, "\0\0\0\0");
	assert_int_equal(read_ok(&m).route.route.kind, HOST_ROUTE_DISCARD);
	assert_true(read_ok(&m).route.usable);
}

/* Adds a leg of a multipath route at offset n of buf and returns where it ends. */
static size_t put_leg(char *buf, size_t n, int ifindex, uint8_t flags, const char *gateway)
{
	struct rtnexthop *nh = (void *)(buf + n);
	struct rtattr *a = RTNH_DATA(nh);
	struct addr g = addr_of(gateway);

	a->rta_type = RTA_GATEWAY;
	a->rta_len = (unsigned short)RTA_LENGTH(addr_size(&g));
	memcpy(RTA_DATA(a), g.bytes, addr_size(&g));
	*nh = (struct rtnexthop){ .rtnh_len = (unsigned short)(sizeof *nh + a->rta_len),
		.rtnh_flags = flags,
		.rtnh_ifindex = ifindex };
	return n + RTNH_ALIGN(nh->rtnh_len);
}

static void the_first_usable_leg_is_taken(void **state)
{
	static const struct {
		uint8_t flags[3];
		bool usable;
		uint32_t taken;
	} cases[] = {
		{ { 0, 0, 0 }, true, 1 },
		{ { RTNH_F_DEAD, 0, 0 }, true, 2 },
		{ { RTNH_F_LINKDOWN, 0, 0 }, true, 2 },
		{ { RTNH_F_DEAD, RTNH_F_LINKDOWN, 0 }, true, 3 },
		{ { RTNH_F_DEAD, RTNH_F_LINKDOWN, RTNH_F_LINKDOWN }, true, 2 },
		{ { RTNH_F_LINKDOWN, RTNH_F_DEAD, RTNH_F_DEAD | RTNH_F_LINKDOWN }, true, 1 },
		{ { RTNH_F_DEAD, RTNH_F_DEAD, RTNH_F_DEAD }, false, 0 },
	};
	char legs[256] __attribute__((aligned(4)));
	struct host_route_row r;
	struct made m;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = put_leg(legs, 0, 1, cases[i].flags[0], "192.0.2.1");

		n = put_leg(legs, n, 2, cases[i].flags[1], "192.0.2.2");
		n = put_leg(legs, n, 3, cases[i].flags[2], "192.0.2.3");
		begin_route(&m, AF_INET, 24);
		mnl_attr_put(m.nlh, RTA_MULTIPATH, n, legs);
		r = read_ok(&m).route;
		assert_int_equal(r.usable, cases[i].usable);
		assert_int_equal(r.route.ifindex, cases[i].taken);
		assert_int_equal(r.n_hops, 3);
		assert_addr(r.first.gateway, "192.0.2.1");
		if (r.usable)
			assert_int_equal(r.route.gateway.bytes[3], cases[i].taken);
	}
}

static void bad_legs(void **state)
{
	char legs[256] __attribute__((aligned(4))) = { 0 };
	struct rtnexthop *nh = (void *)legs;
	size_t n = put_leg(legs, 0, 1, 0, "192.0.2.1");
	static const uint16_t lengths[] = { 0, 7, 9, 15, 17, 0xffff };
	struct made m;

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		nh->rtnh_len = lengths[i];
		begin_route(&m, AF_INET, 24);
		mnl_attr_put(m.nlh, RTA_MULTIPATH, n, legs);
		refused(&m, -EBADMSG);
	}
	begin_route(&m, AF_INET, 24);
	mnl_attr_put(m.nlh, RTA_MULTIPATH, 7, legs);
	refused(&m, -EBADMSG);
}

static void nexthop_ids(void **state)
{
	struct host_route_row r;
	struct made m;

	(void)state;
	begin_route(&m, AF_INET, 24);
	mnl_attr_put_u32(m.nlh, RTA_NH_ID, 12);
	r = read_ok(&m).route;
	assert_int_equal(r.nexthop, 12);
	assert_false(r.usable);
	/* With the kernel's compatibility mode the message says the rest as well. */
	mnl_attr_put_u32(m.nlh, RTA_OIF, 7);
	r = read_ok(&m).route;
	assert_int_equal(r.nexthop, 0);
	assert_true(r.usable);
}

static struct nhmsg *begin_nexthop(struct made *m, uint32_t id)
{
	struct nhmsg *n = begin(m, RTM_NEWNEXTHOP, sizeof *n);

	n->nh_family = AF_INET6;
	mnl_attr_put_u32(m->nlh, NHA_ID, id);
	return n;
}

static void nexthop_objects(void **state)
{
	struct nexthop_grp members[] = { { .id = 3 }, { .id = 4 } };
	struct nexthop_grp many[HOST_NEXTHOP_MEMBERS + 5] = { { 0 } };
	struct host_nexthop n;
	struct nhmsg *head;
	struct made m;

	(void)state;
	head = begin_nexthop(&m, 5);
	head->nh_flags = RTNH_F_LINKDOWN;
	mnl_attr_put_u32(m.nlh, NHA_OIF, 7);
	put_addr(&m, NHA_GATEWAY, "fe80::1");
	n = read_ok(&m).nexthop;
	assert_int_equal(n.id, 5);
	assert_int_equal(n.hop.ifindex, 7);
	assert_addr(n.hop.gateway, "fe80::1");
	assert_true(n.hop.linkdown && !n.hop.dead && !n.blackhole && !n.n_members);
	begin_nexthop(&m, 6);
	mnl_attr_put(m.nlh, NHA_BLACKHOLE, 0, NULL);
	assert_true(read_ok(&m).nexthop.blackhole);
	begin_nexthop(&m, 7);
	mnl_attr_put(m.nlh, NHA_GROUP, sizeof members, members);
	n = read_ok(&m).nexthop;
	assert_int_equal(n.n_members, 2);
	assert_int_equal(n.members[1], 4);
	begin_nexthop(&m, 8);
	mnl_attr_put(m.nlh, NHA_GROUP, sizeof many, many);
	assert_int_equal(read_ok(&m).nexthop.n_members, HOST_NEXTHOP_MEMBERS);
	begin_nexthop(&m, 9);
	mnl_attr_put(m.nlh, NHA_GROUP, sizeof members - 1, members);
	refused(&m, -EBADMSG);
	begin_nexthop(&m, 0);
	refused(&m, -EBADMSG);
}

static void other_messages_are_of_no_use(void **state)
{
	static const uint16_t types[] = { NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN,
		RTM_NEWRULE, RTM_GETROUTE, RTM_NEWPREFIX, 0xffff };
	struct made m;

	(void)state;
	make_link(&m);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		m.nlh->nlmsg_type = types[i];
		refused(&m, 0);
	}
}

/* A multipath route has everything: attributes within attributes. */
static void make_deep(struct made *m)
{
	char legs[256] __attribute__((aligned(4)));
	size_t n = put_leg(legs, 0, 1, 0, "192.0.2.1");

	n = put_leg(legs, n, 2, 0, "192.0.2.2");
	begin_route(m, AF_INET, 24);
	put_addr(m, RTA_DST, "203.0.113.0");
	mnl_attr_put(m->nlh, RTA_MULTIPATH, n, legs);
	mnl_attr_put_u32(m->nlh, RTA_PRIORITY, 5);
}

/* Reads a copy that ends where its memory ends, so that a look beyond is found by a sanitizer. */
static int read_copy(const char *bytes, size_t len)
{
	struct nlmsghdr *copy = malloc(len);
	struct host_message out;
	int result;

	memcpy(copy, bytes, len);
	copy->nlmsg_len = (uint32_t)len;
	result = host_message_read(copy, &out);
	free(copy);
	return result;
}

/* Whether a message cut to len bytes ends within its family header or one of its attributes, not
 * behind one. */
static bool cuts_something(const struct nlmsghdr *nlh, size_t header, size_t len)
{
	const struct nlattr *attr;

	if (len < sizeof *nlh + header)
		return true;
	mnl_attr_for_each(attr, nlh, (unsigned)header)
	{
		size_t start = (size_t)((const char *)attr - (const char *)nlh);

		if (len > start && len < start + attr->nla_len)
			return true;
	}
	return false;
}

static void cut_messages_are_refused(void **state)
{
	static const struct {
		void (*make)(struct made *);
		size_t header;
	} cases[] = {
		{ make_link, sizeof(struct ifinfomsg) },
		{ make_deep, sizeof(struct rtmsg) },
	};
	struct made m;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cases[i].make(&m);
		for (size_t len = sizeof(struct nlmsghdr); len <= m.nlh->nlmsg_len; len++) {
			int result = read_copy(m.bytes, len);

			if (cuts_something(m.nlh, cases[i].header, len))
				assert_int_equal(result, -EBADMSG);
		}
		assert_int_equal(read_copy(m.bytes, m.nlh->nlmsg_len), 1);
	}
}

static void damaged_messages_do_no_harm(void **state)
{
	static const uint16_t types[] = { RTM_NEWLINK, RTM_DELADDR, RTM_NEWROUTE, RTM_NEWROUTE,
		RTM_NEWNEIGH, RTM_NEWNEXTHOP };
	unsigned seed = 1, read = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct made m;

		if (rand_r(&seed) % 2)
			make_deep(&m);
		else
			make_link(&m);
		if (rand_r(&seed) % 4 == 0)
			m.nlh->nlmsg_type = types[(unsigned)rand_r(&seed) % 6];
		for (int j = rand_r(&seed) % 6; j > 0; j--)
			m.bytes[sizeof(struct nlmsghdr) +
				(unsigned)rand_r(&seed) %
					(m.nlh->nlmsg_len - sizeof(struct nlmsghdr))] =
				(char)(rand_r(&seed) % 3 ? rand_r(&seed) % 20 : rand_r(&seed));
		read += read_copy(m.bytes, m.nlh->nlmsg_len) == 1;
	}
	assert_in_range(read, 10000, 90000); /* both sides were tried */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link),
		cmocka_unit_test(a_vlan),
		cmocka_unit_test(bad_kinds),
		cmocka_unit_test(a_link_is_up_with_both_flags),
		cmocka_unit_test(bad_links),
		cmocka_unit_test(a_link_without_an_ethernet_address),
		cmocka_unit_test(addresses),
		cmocka_unit_test(neighbour_states),
		cmocka_unit_test(odd_neighbours),
		cmocka_unit_test(a_route),
		cmocka_unit_test(default_routes_have_no_destination),
		cmocka_unit_test(host_bits_are_cleared),
		cmocka_unit_test(route_types),
		cmocka_unit_test(routes_of_no_use),
		cmocka_unit_test(bad_routes),
		cmocka_unit_test(an_unusable_route),
		cmocka_unit_test(a_gateway_of_the_other_family),
		cmocka_unit_test(a_route_into_a_tunnel_discards),
		cmocka_unit_test(the_first_usable_leg_is_taken),
		cmocka_unit_test(bad_legs),
		cmocka_unit_test(nexthop_ids),
		cmocka_unit_test(nexthop_objects),
		cmocka_unit_test(other_messages_are_of_no_use),
		cmocka_unit_test(cut_messages_are_refused),
		cmocka_unit_test(damaged_messages_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
