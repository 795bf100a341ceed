/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/holdings.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/nic/request.h"

enum {
	GROWS_BY = 64, /* bytes that a message may grow by when it becomes a request */
	TRIES = 5,     /* at a list that changes while it is read */
	ATTRIBUTE_TYPES = 64,
};

/* What a user may ask for of an address; the other flags are reports. */
static const uint32_t flags4 = IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN,
		      flags6 = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR |
			       IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_OPTIMISTIC;

void holdings_free(struct holdings *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->list[i]);
	free(h->list);
	*h = (struct holdings){ 0 };
}

static int append(struct holdings *h, struct nlmsghdr *own)
{
	if (h->n == h->room) {
		size_t room = h->room ? 2 * h->room : 16;
		struct nlmsghdr **list = reallocarray(h->list, room, sizeof *list);

		if (!list) {
			free(own);
			return -ENOMEM;
		}
		h->list = list;
		h->room = room;
	}
	h->list[h->n++] = own;
	return 0;
}

int holdings_add(struct holdings *h, const struct nlmsghdr *nlh)
{
	struct nlmsghdr *own = malloc(nlh->nlmsg_len);

	if (!own)
		return -ENOMEM;
	memcpy(own, nlh, nlh->nlmsg_len);
	return append(h, own);
}

struct attributes {
	const struct nlattr *of[ATTRIBUTE_TYPES];
};

static int note(const struct nlattr *a, void *arg)
{
	struct attributes *all = arg;

	if (mnl_attr_get_type(a) < ATTRIBUTE_TYPES)
		all->of[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

static uint32_t u32_of(const struct nlattr *a, uint32_t otherwise)
{
	return a && mnl_attr_get_payload_len(a) >= sizeof(uint32_t) ? mnl_attr_get_u32(a)
								    : otherwise;
}

/* A request with the family header of a message and its attributes but these. NULL: out of memory. */
static struct nlmsghdr *copy(const struct nlmsghdr *nlh, size_t header, uint64_t without)
{
	struct nlmsghdr *own = calloc(1, nlh->nlmsg_len + GROWS_BY);
	const struct nlattr *a;

	if (!own)
		return NULL;
	mnl_nlmsg_put_header(own);
	own->nlmsg_type = nlh->nlmsg_type;
	memcpy(mnl_nlmsg_put_extra_header(own, header), mnl_nlmsg_get_payload(nlh), header);
	mnl_attr_for_each(a, nlh, (unsigned)header)
	{
		unsigned type = mnl_attr_get_type(a);

		if (type < ATTRIBUTE_TYPES && without >> type & 1)
			continue;
		memcpy(mnl_nlmsg_get_payload_tail(own), a, a->nla_len);
		own->nlmsg_len += MNL_ALIGN(a->nla_len);
	}
	return own;
}

static bool is_over(const struct nlattr *times)
{
	const struct ifa_cacheinfo *t = times ? mnl_attr_get_payload(times) : NULL;

	return t && !t->ifa_valid;
}

/* An address that the kernel still asks about, or that another has, is to be asked about again. */
static int take_address(struct holdings *h, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);
	struct attributes a = { 0 };
	struct nlmsghdr *own;
	uint32_t flags;

	if (m->ifa_index != h->ifindex)
		return 0;
	mnl_attr_parse(nlh, sizeof *m, note, &a);
	if (is_over(a.of[IFA_CACHEINFO]))
		return 0;
	flags = u32_of(a.of[IFA_FLAGS], m->ifa_flags);
	own = copy(nlh, sizeof *m, 1ULL << IFA_FLAGS);
	if (!own)
		return -ENOMEM;
	if (m->ifa_family == AF_INET)
		flags &= flags4;
	else if (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		flags &= flags6 & ~IFA_F_NODAD;
	else {
		flags &= flags6 & ~IFA_F_OPTIMISTIC;
		own->nlmsg_flags = HOLDINGS_SETTLED;
	}
	((struct ifaddrmsg *)mnl_nlmsg_get_payload(own))->ifa_flags = (uint8_t)flags;
	mnl_attr_put_u32(own, IFA_FLAGS, flags);
	return append(h, own);
}

/* Whether a leg of a multipath route is by the device; what the kernel says of legs is cleared. */
static bool look_at_legs(const struct nlattr *attr, uint32_t ifindex)
{
	char *at = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);
	bool found = false;

	while (left >= sizeof(struct rtnexthop)) {
		struct rtnexthop *leg = (void *)at;
		size_t n = RTNH_ALIGN(leg->rtnh_len);

		if (n < sizeof *leg || n > left)
			break;
		leg->rtnh_flags &= RTNH_F_ONLINK;
		found |= (uint32_t)leg->rtnh_ifindex == ifindex;
		at += n;
		left -= n;
	}
	return found;
}

static bool is_source(const struct holdings *h, const struct rtmsg *m, const struct attributes *a)
{
	const struct nlattr *source = a->of[RTA_PREFSRC];

	for (size_t i = 0; source && m->rtm_family == AF_INET && i < h->n; i++) {
		struct attributes of = { 0 };

		if (h->list[i]->nlmsg_type != RTM_NEWADDR)
			continue;
		mnl_attr_parse(h->list[i], sizeof(struct ifaddrmsg), note, &of);
		if (of.of[IFA_LOCAL] && mnl_attr_get_payload_len(of.of[IFA_LOCAL]) == 4 &&
			!memcmp(mnl_attr_get_payload(of.of[IFA_LOCAL]),
				mnl_attr_get_payload(source), 4))
			return true;
	}
	return false;
}

/* Seconds that an IPv6 route still has, where it ends by itself. */
static uint32_t ends_in(const struct nlattr *info)
{
	const struct rta_cacheinfo *c = info ? mnl_attr_get_payload(info) : NULL;
	long per_second = sysconf(_SC_CLK_TCK);

	if (!c || mnl_attr_get_payload_len(info) < sizeof *c || c->rta_expires <= 0)
		return 0;
	return (uint32_t)(((long)c->rta_expires + per_second - 1) / per_second);
}

static int take_route(struct holdings *h, const struct nlmsghdr *nlh)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	struct attributes a = { 0 };
	struct nlmsghdr *own;
	uint32_t left;
	bool ours, leg;

	if (m->rtm_flags & RTM_F_CLONED || m->rtm_protocol == RTPROT_KERNEL ||
		m->rtm_protocol == RTPROT_REDIRECT ||
		(m->rtm_family != AF_INET && m->rtm_family != AF_INET6))
		return 0;
	mnl_attr_parse(nlh, sizeof *m, note, &a);
	leg = a.of[RTA_MULTIPATH] && look_at_legs(a.of[RTA_MULTIPATH], h->ifindex);
	ours = leg || u32_of(a.of[RTA_OIF], 0) == h->ifindex;
	if (ours && a.of[RTA_NH_ID])
		h->nexthops++;
	if (a.of[RTA_NH_ID] || !(ours || is_source(h, m, &a)))
		return 0;
	h->legs += leg;
	own = copy(nlh, sizeof *m, 1ULL << RTA_CACHEINFO | 1ULL << RTA_PAD);
	if (!own)
		return -ENOMEM;
	((struct rtmsg *)mnl_nlmsg_get_payload(own))->rtm_flags = m->rtm_flags & RTNH_F_ONLINK;
	left = m->rtm_family == AF_INET6 ? ends_in(a.of[RTA_CACHEINFO]) : 0;
	if (left)
		mnl_attr_put_u32(own, RTA_EXPIRES, left);
	return append(h, own);
}

static int take_neighbour(struct holdings *h, const struct nlmsghdr *nlh)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(nlh);
	struct nlmsghdr *own;
	struct ndmsg *to;

	if ((uint32_t)m->ndm_ifindex != h->ifindex ||
		(m->ndm_family != AF_INET && m->ndm_family != AF_INET6) ||
		!(m->ndm_state & NUD_PERMANENT || m->ndm_flags & NTF_PROXY))
		return 0;
	own = copy(nlh, sizeof *m, 1ULL << NDA_CACHEINFO | 1ULL << NDA_PROBES);
	if (!own)
		return -ENOMEM;
	to = mnl_nlmsg_get_payload(own);
	to->ndm_flags &= NTF_PROXY | NTF_ROUTER | NTF_EXT_LEARNED;
	return append(h, own);
}

struct reading {
	struct holdings *into;
	int rc;
};

static int take(const struct nlmsghdr *nlh, void *arg)
{
	static const struct {
		uint16_t type;
		size_t header;
		int (*take)(struct holdings *h, const struct nlmsghdr *nlh);
	} kinds[] = {
		{ RTM_NEWADDR, sizeof(struct ifaddrmsg), take_address },
		{ RTM_NEWROUTE, sizeof(struct rtmsg), take_route },
		{ RTM_NEWNEIGH, sizeof(struct ndmsg), take_neighbour },
	};
	struct reading *r = arg;

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds && !r->rc; i++)
		if (nlh->nlmsg_type == kinds[i].type &&
			mnl_nlmsg_get_payload_len(nlh) >= kinds[i].header)
			r->rc = kinds[i].take(r->into, nlh);
	return MNL_CB_OK;
}

static int dump(struct holdings *h, uint16_t type, uint8_t family, uint8_t neighbour_flags)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = request_begin(buf, type, NLM_F_DUMP);
	struct reading r = { h, 0 };
	int rc;

	if (type == RTM_GETNEIGH) {
		struct ndmsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);

		m->ndm_family = family;
		m->ndm_flags = neighbour_flags;
	} else if (type == RTM_GETROUTE) {
		struct rtmsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);

		m->rtm_family = family;
	} else {
		struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);

		m->ifa_family = family;
	}
	rc = request_send(nlh, take, &r);
	return rc ? rc : r.rc;
}

/* The kernel puts a new IPv6 address before those of its scope that it has, so the last is the first to be made again. */
static void turn_round(struct nlmsghdr **list, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct nlmsghdr *one = list[i];

		list[i] = list[n - 1 - i];
		list[n - 1 - i] = one;
	}
}

static int read_all(struct holdings *h)
{
	size_t ipv4;
	int rc = dump(h, RTM_GETADDR, AF_INET, 0);

	ipv4 = h->n;
	if (!rc)
		rc = dump(h, RTM_GETADDR, AF_INET6, 0);
	if (h->n > ipv4)
		turn_round(h->list + ipv4, h->n - ipv4);
	if (!rc)
		rc = dump(h, RTM_GETROUTE, AF_INET, 0);
	if (!rc)
		rc = dump(h, RTM_GETROUTE, AF_INET6, 0);
	if (!rc)
		rc = dump(h, RTM_GETNEIGH, AF_UNSPEC, 0);
	return rc ? rc : dump(h, RTM_GETNEIGH, AF_UNSPEC, NTF_PROXY);
}

int holdings_read(struct holdings *h, uint32_t ifindex)
{
	int rc = -EINTR;

	for (int i = 0; i < TRIES && rc == -EINTR; i++) {
		holdings_free(h);
		h->ifindex = ifindex;
		rc = read_all(h);
	}
	return rc;
}
