/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/netdev.h"
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include "controlplane/nic/request.h"
#include "controlplane/nic/step.h"

static int read_kind(const struct nlattr *a, void *arg)
{
	struct netdev *d = arg;

	if (mnl_attr_get_type(a) == IFLA_INFO_KIND && !mnl_attr_validate(a, MNL_TYPE_NUL_STRING))
		snprintf(d->kind, sizeof d->kind, "%s", mnl_attr_get_str(a));
	return MNL_CB_OK;
}

static int read_xdp(const struct nlattr *a, void *arg)
{
	struct netdev *d = arg;

	/* In native and generic mode at once there is no single id. */
	if (mnl_attr_get_type(a) == IFLA_XDP_ATTACHED && mnl_attr_get_u8(a) == XDP_ATTACHED_MULTI)
		d->xdp_program = UINT32_MAX;
	if (mnl_attr_get_type(a) == IFLA_XDP_PROG_ID)
		d->xdp_program = mnl_attr_get_u32(a);
	return MNL_CB_OK;
}

static int read_attribute(const struct nlattr *a, void *arg)
{
	struct netdev *d = arg;

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		snprintf(d->name, sizeof d->name, "%s", mnl_attr_get_str(a));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(a) == sizeof d->mac)
			memcpy(d->mac, mnl_attr_get_payload(a), sizeof d->mac);
		break;
	case IFLA_MTU:
		d->mtu = mnl_attr_get_u32(a);
		break;
	case IFLA_MASTER:
		d->master = mnl_attr_get_u32(a);
		break;
	case IFLA_LINK:
		d->lower = mnl_attr_get_u32(a);
		break;
	case IFLA_LINK_NETNSID:
		d->lower_elsewhere = true;
		break;
	case IFLA_CARRIER:
		d->carrier = mnl_attr_get_u8(a);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(a, read_kind, d);
	case IFLA_XDP:
		return mnl_attr_parse_nested(a, read_xdp, d);
	default:
		break;
	}
	return MNL_CB_OK;
}

/* False: it is no message about a device. */
static bool read_netdev(const struct nlmsghdr *nlh, struct netdev *d)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof *m)
		return false;
	*d = (struct netdev){ .ifindex = (uint32_t)m->ifi_index,
		.flags = m->ifi_flags,
		.ethernet = m->ifi_type == ARPHRD_ETHER };
	return mnl_attr_parse(nlh, sizeof *m, read_attribute, d) > MNL_CB_ERROR;
}

static int take_one(const struct nlmsghdr *nlh, void *arg)
{
	read_netdev(nlh, arg);
	return MNL_CB_OK;
}

static struct ifinfomsg *begin(char buf[REQUEST_BYTES], uint16_t type, uint32_t ifindex)
{
	struct nlmsghdr *nlh = request_begin(buf, type, NLM_F_ACK);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);

	m->ifi_family = AF_UNSPEC;
	m->ifi_index = (int)ifindex;
	return m;
}

static int read_one(const struct nlmsghdr *nlh, struct netdev *out)
{
	int rc;

	*out = (struct netdev){ 0 };
	rc = request_send(nlh, take_one, out);
	return rc || out->ifindex ? rc : -ENODEV;
}

int netdev_by_index(uint32_t ifindex, struct netdev *out)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

	begin(buf, RTM_GETLINK, ifindex);
	return read_one((struct nlmsghdr *)buf, out);
}

int netdev_by_name(const char *name, struct netdev *out)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	int rc;

	if (!*name || strlen(name) >= IF_NAMESIZE)
		return -ENODEV;
	begin(buf, RTM_GETLINK, 0);
	mnl_attr_put_strz((struct nlmsghdr *)buf, IFLA_IFNAME, name);
	rc = read_one((struct nlmsghdr *)buf, out);
	return rc || !strcmp(out->name, name) ? rc : -ENODEV;
}

struct walk {
	bool (*fn)(void *arg, const struct netdev *d);
	void *arg;
	bool ended;
};

static int walk_one(const struct nlmsghdr *nlh, void *arg)
{
	struct walk *w = arg;
	struct netdev d;

	if (!w->ended && read_netdev(nlh, &d))
		w->ended = !w->fn(w->arg, &d);
	return MNL_CB_OK;
}

int netdev_each(bool (*fn)(void *arg, const struct netdev *d), void *arg)
{
	struct walk w = { fn, arg, false };
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = request_begin(buf, RTM_GETLINK, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	return request_send(nlh, walk_one, &w);
}

uint32_t netdev_lower(const struct netdev *d)
{
	bool is_pair = !strcmp(d->kind, "veth") || !strcmp(d->kind, "netkit");

	return d->lower_elsewhere || is_pair ? 0 : d->lower;
}

struct qdisc_search {
	uint32_t ifindex;
	bool found;
};

static int look_at_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *m = mnl_nlmsg_get_payload(nlh);
	struct qdisc_search *s = arg;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof *m && (uint32_t)m->tcm_ifindex == s->ifindex &&
		m->tcm_parent == TC_H_CLSACT)
		s->found = true;
	return MNL_CB_OK;
}

int netdev_has_clsact(uint32_t ifindex)
{
	struct qdisc_search s = { ifindex, false };
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = request_begin(buf, RTM_GETQDISC, NLM_F_DUMP);
	struct tcmsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);
	int rc;

	m->tcm_ifindex = (int)ifindex;
	rc = request_send(nlh, look_at_qdisc, &s);
	return rc ? rc : s.found;
}

int netdev_rename(uint32_t ifindex, const char *name)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

	step("rename");
	begin(buf, RTM_NEWLINK, ifindex);
	mnl_attr_put_strz((struct nlmsghdr *)buf, IFLA_IFNAME, name);
	return request_send((struct nlmsghdr *)buf, NULL, NULL);
}

int netdev_set_flags(uint32_t ifindex, uint32_t flags, uint32_t mask)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct ifinfomsg *m = begin(buf, RTM_NEWLINK, ifindex);

	step("flags");
	m->ifi_flags = flags & mask;
	m->ifi_change = mask;
	return request_send((struct nlmsghdr *)buf, NULL, NULL);
}

int netdev_set_mtu(uint32_t ifindex, uint32_t mtu)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

	step("mtu");
	begin(buf, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32((struct nlmsghdr *)buf, IFLA_MTU, mtu);
	return request_send((struct nlmsghdr *)buf, NULL, NULL);
}

int netdev_set_queue(uint32_t ifindex, uint32_t packets)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

	step("queue");
	begin(buf, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32((struct nlmsghdr *)buf, IFLA_TXQLEN, packets);
	return request_send((struct nlmsghdr *)buf, NULL, NULL);
}

int netdev_set_mac(uint32_t ifindex, const uint8_t mac[6])
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

	step("mac");
	begin(buf, RTM_NEWLINK, ifindex);
	mnl_attr_put((struct nlmsghdr *)buf, IFLA_ADDRESS, 6, mac);
	return request_send((struct nlmsghdr *)buf, NULL, NULL);
}

int netdev_set_carrier(uint32_t ifindex, bool on)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

	begin(buf, RTM_NEWLINK, ifindex);
	mnl_attr_put_u8((struct nlmsghdr *)buf, IFLA_CARRIER, on);
	return request_send((struct nlmsghdr *)buf, NULL, NULL);
}

int netdev_set_gen_mode(uint32_t ifindex, uint8_t mode)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	struct nlattr *families, *inet6;

	step("gen mode");
	begin(buf, RTM_NEWLINK, ifindex);
	families = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, mode);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, families);
	return request_send(nlh, NULL, NULL);
}

int netdev_delete(uint32_t ifindex)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	int rc;

	step("delete");
	begin(buf, RTM_DELLINK, ifindex);
	rc = request_send((struct nlmsghdr *)buf, NULL, NULL);
	return rc == -ENODEV ? 0 : rc;
}
