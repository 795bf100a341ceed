/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/message.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "controlplane/host/attributes.h"
#include "controlplane/host/message_route.h"

/* From linux/if.h, which does not go together with net/if.h. */
#define FLAG_LOWER_UP (1U << 16)

/* The kind of a software device, and of a VLAN which one (rtnetlink's IFLA_LINKINFO, nested). */
static int read_kind(const struct nlattr *info, struct host_link *link)
{
	struct host_attributes a, of_kind;
	const struct nlattr *kind, *id, *protocol;

	if (!info)
		return 0;
	if (host_attributes_read(mnl_attr_get_payload(info), mnl_attr_get_payload_len(info), &a))
		return -EBADMSG;
	kind = a.of[IFLA_INFO_KIND];
	if (!kind)
		return 0;
	if (mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) < 0)
		return -EBADMSG;
	snprintf(link->kind, sizeof link->kind, "%s", mnl_attr_get_str(kind));
	if (strcmp(link->kind, "vlan") != 0 || !a.of[IFLA_INFO_DATA])
		return 0;
	if (host_attributes_read(mnl_attr_get_payload(a.of[IFLA_INFO_DATA]),
		    mnl_attr_get_payload_len(a.of[IFLA_INFO_DATA]), &of_kind))
		return -EBADMSG;
	id = of_kind.of[IFLA_VLAN_ID];
	protocol = of_kind.of[IFLA_VLAN_PROTOCOL];
	if (!id || mnl_attr_validate(id, MNL_TYPE_U16) < 0 || !protocol ||
		mnl_attr_validate(protocol, MNL_TYPE_U16) < 0)
		return -EBADMSG;
	link->vlan_id = mnl_attr_get_u16(id);
	link->vlan_protocol = ntohs(mnl_attr_get_u16(protocol));
	return 0;
}

static int read_link(const struct nlmsghdr *nlh, struct host_message *out)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(nlh);
	struct host_link *link = &out->link.link;
	struct host_attributes a;
	const struct nlattr *name;

	if (host_attributes_of(nlh, sizeof *m, &a))
		return -EBADMSG;
	/* A bridge speaks of its ports in RTM_NEWLINK and RTM_DELLINK of its own family. */
	if (m->ifi_family != AF_UNSPEC)
		return 0;
	name = a.of[IFLA_IFNAME];
	if (m->ifi_index <= 0 || !name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0 ||
		mnl_attr_get_payload_len(name) > sizeof link->name ||
		host_attribute_u32(a.of[IFLA_MTU], &link->mtu) ||
		host_attribute_u32(a.of[IFLA_MASTER], &link->master) ||
		host_attribute_u32(a.of[IFLA_LINK], &link->lower) ||
		read_kind(a.of[IFLA_LINKINFO], link))
		return -EBADMSG;
	link->lower_elsewhere = a.of[IFLA_LINK_NETNSID];
	link->ethernet = m->ifi_type == ARPHRD_ETHER || m->ifi_type == ARPHRD_LOOPBACK;
	link->ifindex = (uint32_t)m->ifi_index;
	memcpy(link->name, mnl_attr_get_payload(name), mnl_attr_get_payload_len(name));
	host_attribute_mac(a.of[IFLA_ADDRESS], link->mac);
	out->link.admin_up = m->ifi_flags & IFF_UP;
	link->up = out->link.admin_up && m->ifi_flags & FLAG_LOWER_UP;
	return 1;
}

static int read_address(const struct nlmsghdr *nlh, struct host_message *out)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);
	struct host_address *address = &out->address;
	struct host_attributes a;

	if (host_attributes_of(nlh, sizeof *m, &a))
		return -EBADMSG;
	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return 0;
	/* On a point-to-point link IFA_ADDRESS is the peer's and IFA_LOCAL is ours. */
	if (host_attribute_addr(a.of[IFA_ADDRESS], m->ifa_family, &address->addr) ||
		host_attribute_addr(a.of[IFA_LOCAL], m->ifa_family, &address->addr) ||
		!address->addr.af || m->ifa_prefixlen > 8 * addr_size(&address->addr))
		return -EBADMSG;
	address->ifindex = m->ifa_index;
	address->plen = m->ifa_prefixlen;
	return 1;
}

static enum host_neighbour_state neighbour_state(uint16_t nud)
{
	if (nud & (NUD_REACHABLE | NUD_PERMANENT | NUD_DELAY | NUD_PROBE | NUD_NOARP))
		return HOST_NEIGHBOUR_USABLE;
	return nud & NUD_STALE ? HOST_NEIGHBOUR_STALE : HOST_NEIGHBOUR_NONE;
}

static int read_neighbour(const struct nlmsghdr *nlh, struct host_message *out)
{
	static const uint8_t no_mac[6];
	const struct ndmsg *m = mnl_nlmsg_get_payload(nlh);
	struct host_neighbour *n = &out->neighbour;
	struct host_attributes a;

	if (host_attributes_of(nlh, sizeof *m, &a))
		return -EBADMSG;
	if ((m->ndm_family != AF_INET && m->ndm_family != AF_INET6) || m->ndm_flags & NTF_PROXY)
		return 0;
	if (m->ndm_ifindex <= 0 || host_attribute_addr(a.of[NDA_DST], m->ndm_family, &n->addr) ||
		!n->addr.af)
		return -EBADMSG;
	n->ifindex = (uint32_t)m->ndm_ifindex;
	host_attribute_mac(a.of[NDA_LLADDR], n->mac);
	if (!out->gone && memcmp(n->mac, no_mac, sizeof no_mac))
		n->state = neighbour_state(m->ndm_state);
	return 1;
}

int host_message_read(const struct nlmsghdr *nlh, struct host_message *out)
{
	static const struct {
		uint16_t add, del;
		int (*read)(const struct nlmsghdr *nlh, struct host_message *out);
	} kinds[HOST_KIND_COUNT] = {
		[HOST_KIND_LINK] = { RTM_NEWLINK, RTM_DELLINK, read_link },
		[HOST_KIND_ADDRESS] = { RTM_NEWADDR, RTM_DELADDR, read_address },
		[HOST_KIND_NEXTHOP] = { RTM_NEWNEXTHOP, RTM_DELNEXTHOP, host_message_nexthop },
		[HOST_KIND_ROUTE] = { RTM_NEWROUTE, RTM_DELROUTE, host_message_route },
		[HOST_KIND_NEIGHBOUR] = { RTM_NEWNEIGH, RTM_DELNEIGH, read_neighbour },
	};

	for (unsigned i = 0; i < HOST_KIND_COUNT; i++) {
		if (nlh->nlmsg_type != kinds[i].add && nlh->nlmsg_type != kinds[i].del)
			continue;
		memset(out, 0, sizeof *out);
		out->kind = (enum host_kind)i;
		out->gone = nlh->nlmsg_type == kinds[i].del;
		return kinds[i].read(nlh, out);
	}
	return 0;
}
