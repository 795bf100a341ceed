/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/message_route.h"
#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include "controlplane/host/attributes.h"

void host_addr_mask(struct addr *a, uint8_t plen)
{
	unsigned i = plen / 8;

	if (i >= sizeof a->bytes)
		return;
	a->bytes[i] &= (uint8_t) ~(0xff >> plen % 8);
	memset(a->bytes + i + 1, 0, sizeof a->bytes - i - 1);
}

void host_route_add_hop(struct host_route_row *r, const struct host_hop *hop)
{
	if (!r->n_hops++)
		r->first = *hop;
	if (hop->dead || !hop->ifindex || (r->usable && (hop->linkdown || !r->linkdown)))
		return;
	r->usable = true;
	r->linkdown = hop->linkdown;
	r->route.kind = hop->encapsulated ? HOST_ROUTE_DISCARD : HOST_ROUTE_UNICAST;
	r->route.ifindex = hop->ifindex;
	r->route.gateway = hop->gateway;
}

/* RTA_VIA: a gateway that is not of the route's family (struct rtvia: a family, then the
 * address). */
static int read_via(const struct nlattr *attr, struct addr *out)
{
	size_t len = mnl_attr_get_payload_len(attr);
	const struct rtvia *via = mnl_attr_get_payload(attr);

	if (len < sizeof *via)
		return -EBADMSG;
	return host_addr_from(via->rtvia_family, via->rtvia_addr, len - sizeof *via, out);
}

/* The attributes that a hop has alike in a route and in one leg of a multipath route. */
static int read_hop(const struct host_attributes *a, int af, unsigned flags, struct host_hop *hop)
{
	hop->dead = flags & RTNH_F_DEAD;
	hop->linkdown = flags & RTNH_F_LINKDOWN;
	hop->encapsulated = a->of[RTA_ENCAP];
	if (a->of[RTA_VIA])
		return read_via(a->of[RTA_VIA], &hop->gateway);
	return host_attribute_addr(a->of[RTA_GATEWAY], af, &hop->gateway);
}

static int read_multipath(const struct nlattr *attr, int af, struct host_route_row *r)
{
	const unsigned char *at = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);

	while (left) {
		const struct rtnexthop *nh = (const void *)at;
		struct host_hop hop = { 0 };
		struct host_attributes a;
		size_t step;

		if (left < sizeof *nh || nh->rtnh_len < sizeof *nh || nh->rtnh_len > left ||
			host_attributes_read(RTNH_DATA(nh), nh->rtnh_len - sizeof *nh, &a) ||
			read_hop(&a, af, nh->rtnh_flags, &hop))
			return -EBADMSG;
		hop.ifindex = (uint32_t)nh->rtnh_ifindex;
		host_route_add_hop(r, &hop);
		step = RTNH_ALIGN(nh->rtnh_len);
		at += step;
		left -= step < left ? step : left;
	}
	return 0;
}

static int read_hops(
	const struct rtmsg *m, const struct host_attributes *a, struct host_route_row *r)
{
	struct host_hop hop = { 0 };

	if (a->of[RTA_MULTIPATH])
		return read_multipath(a->of[RTA_MULTIPATH], m->rtm_family, r);
	if (!a->of[RTA_OIF] && !a->of[RTA_GATEWAY] && !a->of[RTA_VIA])
		return host_attribute_u32(a->of[RTA_NH_ID], &r->nexthop);
	if (read_hop(a, m->rtm_family, m->rtm_flags, &hop) ||
		host_attribute_u32(a->of[RTA_OIF], &hop.ifindex))
		return -EBADMSG;
	host_route_add_hop(r, &hop);
	return 0;
}

static enum host_route_kind route_kind(uint8_t type)
{
	switch (type) {
	case RTN_UNICAST:
		return HOST_ROUTE_UNICAST;
	case RTN_LOCAL:
	case RTN_ANYCAST: /* an address of this host that others have too */
		return HOST_ROUTE_LOCAL;
	default:
		return HOST_ROUTE_DISCARD;
	}
}

/* Routes for some packets only: cached ones, ones by source or by ToS. */
static bool is_special(const struct rtmsg *m)
{
	return m->rtm_flags & RTM_F_CLONED || m->rtm_src_len || m->rtm_tos;
}

int host_message_route(const struct nlmsghdr *nlh, struct host_message *out)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	struct host_route_row *r = &out->route;
	enum host_route_kind kind;
	struct host_attributes a;
	uint32_t table;

	if (host_attributes_of(nlh, sizeof *m, &a))
		return -EBADMSG;
	table = m->rtm_table;
	if (host_attribute_u32(a.of[RTA_TABLE], &table))
		return -EBADMSG;
	if ((m->rtm_family != AF_INET && m->rtm_family != AF_INET6) || is_special(m) ||
		(table != RT_TABLE_MAIN && table != RT_TABLE_LOCAL))
		return 0;
	r->route.dst.af = m->rtm_family == AF_INET ? 4 : 6; /* a default route has no RTA_DST */
	if (m->rtm_dst_len > 8 * addr_size(&r->route.dst) ||
		host_attribute_addr(a.of[RTA_DST], m->rtm_family, &r->route.dst) ||
		host_attribute_u32(a.of[RTA_PRIORITY], &r->metric) || read_hops(m, &a, r))
		return -EBADMSG;
	r->route.plen = m->rtm_dst_len;
	host_addr_mask(&r->route.dst, r->route.plen);
	r->in_main = table == RT_TABLE_MAIN;
	out->replace = nlh->nlmsg_flags & NLM_F_REPLACE;
	kind = route_kind(m->rtm_type);
	if (kind == HOST_ROUTE_UNICAST)
		return 1;
	/* Which device it names does not matter to the others, nor whether that is up. */
	r->route.kind = kind;
	r->route.ifindex = r->first.ifindex;
	r->route.gateway = (struct addr){ 0 };
	r->usable = true;
	r->nexthop = 0;
	return 1;
}

static int read_members(const struct nlattr *attr, struct host_nexthop *n)
{
	size_t len = mnl_attr_get_payload_len(attr);
	const struct nexthop_grp *member = mnl_attr_get_payload(attr);

	if (!len || len % sizeof *member)
		return -EBADMSG;
	for (; len && n->n_members < HOST_NEXTHOP_MEMBERS; len -= sizeof *member, member++)
		n->members[n->n_members++] = member->id;
	return 0;
}

int host_message_nexthop(const struct nlmsghdr *nlh, struct host_message *out)
{
	const struct nhmsg *m = mnl_nlmsg_get_payload(nlh);
	struct host_nexthop *n = &out->nexthop;
	struct host_attributes a;

	if (host_attributes_of(nlh, sizeof *m, &a) || host_attribute_u32(a.of[NHA_ID], &n->id) ||
		!n->id || host_attribute_u32(a.of[NHA_OIF], &n->hop.ifindex) ||
		host_attribute_addr(a.of[NHA_GATEWAY], m->nh_family, &n->hop.gateway))
		return -EBADMSG;
	n->blackhole = a.of[NHA_BLACKHOLE];
	n->hop.dead = m->nh_flags & RTNH_F_DEAD;
	n->hop.linkdown = m->nh_flags & RTNH_F_LINKDOWN;
	n->hop.encapsulated = a.of[NHA_ENCAP];
	if (a.of[NHA_GROUP] && read_members(a.of[NHA_GROUP], n))
		return -EBADMSG;
	return 1;
}
