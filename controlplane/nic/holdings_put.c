/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/nic/holdings.h"
#include "controlplane/nic/request.h"
#include "controlplane/nic/step.h"

enum { TEXT = INET6_ADDRSTRLEN + 48 };

static const struct nlattr *find(const struct nlmsghdr *nlh, size_t header, unsigned type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, (unsigned)header) if (mnl_attr_get_type(a) == type) return a;
	return NULL;
}

static void describe(const struct nlmsghdr *nlh, char out[TEXT])
{
	const uint8_t *family = mnl_nlmsg_get_payload(nlh); /* all three begin with it */
	bool is_address = nlh->nlmsg_type == RTM_NEWADDR,
	     is_route = nlh->nlmsg_type == RTM_NEWROUTE;
	const struct nlattr *a = is_address ? find(nlh, sizeof(struct ifaddrmsg), IFA_ADDRESS)
				 : is_route ? find(nlh, sizeof(struct rtmsg), RTA_DST)
					    : find(nlh, sizeof(struct ndmsg), NDA_DST);
	char address[INET6_ADDRSTRLEN] = "default";

	if (a && mnl_attr_get_payload_len(a) == (*family == AF_INET ? 4 : 16))
		inet_ntop(*family, mnl_attr_get_payload(a), address, sizeof address);
	if (is_address || (is_route && a))
		snprintf(out, TEXT, "%s %s/%u", is_address ? "address" : "route to", address,
			family[1]);
	else if (is_route)
		snprintf(out, TEXT, "default route of IPv%c", *family == AF_INET ? '4' : '6');
	else
		snprintf(out, TEXT, "neighbour %s", address);
}

/* What is there already is no error. */
static int send_as(const struct nlmsghdr *nlh, uint16_t flags)
{
	struct nlmsghdr *own = malloc(nlh->nlmsg_len);
	int rc;

	if (!own)
		return -ENOMEM;
	memcpy(own, nlh, nlh->nlmsg_len);
	own->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	own->nlmsg_seq = 1;
	step("put");
	rc = request_send(own, NULL, NULL);
	free(own);
	return rc == -EEXIST ? 0 : rc;
}

static int put_address(struct nlmsghdr *nlh)
{
	struct nlattr *a = (void *)find(nlh, sizeof(struct ifaddrmsg), IFA_FLAGS);
	uint32_t flags = a ? mnl_attr_get_u32(a) : 0, quiet = flags | IFA_F_NODAD;
	int rc;

	if (!a || !(nlh->nlmsg_flags & HOLDINGS_SETTLED))
		return send_as(nlh, NLM_F_CREATE | NLM_F_EXCL);
	memcpy(mnl_attr_get_payload(a), &quiet, sizeof quiet);
	rc = send_as(nlh, NLM_F_CREATE | NLM_F_EXCL);
	memcpy(mnl_attr_get_payload(a), &flags, sizeof flags);
	/* Whether it is asked about has been decided; the flag is not to stay. */
	return rc || flags == quiet ? rc : send_as(nlh, NLM_F_REPLACE);
}

/* A multipath route may be there with fewer legs, since one of them was away. */
static int put_route(const struct nlmsghdr *nlh)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);

	if (find(nlh, sizeof *m, RTA_MULTIPATH))
		return send_as(nlh, NLM_F_CREATE | NLM_F_REPLACE);
	return send_as(nlh, NLM_F_CREATE | (m->rtm_family == AF_INET ? NLM_F_APPEND : 0));
}

static int put(struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWADDR:
		return put_address(nlh);
	case RTM_NEWROUTE:
		return put_route(nlh);
	default:
		return send_as(nlh, NLM_F_CREATE | NLM_F_REPLACE);
	}
}

/* One round over what is left of a kind; what succeeds is left no more. Returns how many did. */
static size_t put_round(
	const struct holdings *h, uint16_t type, bool *left, int *failed, size_t *which)
{
	size_t n = 0;

	*failed = 0;
	for (size_t i = 0; i < h->n; i++) {
		int rc = left[i] && h->list[i]->nlmsg_type == type ? put(h->list[i]) : 1;

		if (!rc) {
			left[i] = false;
			n++;
		} else if (rc < 0 && !*failed) {
			*failed = rc;
			*which = i;
		}
	}
	return n;
}

int holdings_put(const struct holdings *h, struct err *e)
{
	static const uint16_t types[] = { RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH };
	bool *left = malloc(h->n + 1);
	char text[TEXT];
	int failed = 0;

	if (!left)
		return err_set(e, -ENOMEM, "out of memory");
	memset(left, true, h->n);
	for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
		size_t which = 0;
		int rc;

		/* Some routes want others to be there before them, whose gateways those reach. */
		while (put_round(h, types[i], left, &rc, &which) && rc)
			;
		if (!rc || failed)
			continue;
		describe(h->list[which], text);
		failed = err_set(e, rc, "the %s is refused: %s", text, strerror(-rc));
	}
	free(left);
	return failed;
}

int holdings_put_proxies(const struct holdings *h, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct ndmsg *m = mnl_nlmsg_get_payload(h->list[i]);
		int rc;

		if (h->list[i]->nlmsg_type != RTM_NEWNEIGH || !(m->ndm_flags & NTF_PROXY))
			continue;
		rc = put(h->list[i]);
		if (rc && !failed)
			failed = err_set(e, rc, "a proxy entry is refused: %s", strerror(-rc));
	}
	return failed;
}

static void move_legs(const struct nlattr *attr, uint32_t from, uint32_t to)
{
	char *at = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);

	while (left >= sizeof(struct rtnexthop)) {
		struct rtnexthop *leg = (void *)at;
		size_t n = RTNH_ALIGN(leg->rtnh_len);

		if (n < sizeof *leg || n > left)
			break;
		if ((uint32_t)leg->rtnh_ifindex == from)
			leg->rtnh_ifindex = (int)to;
		at += n;
		left -= n;
	}
}

static void move_route(struct nlmsghdr *nlh, uint32_t from, uint32_t to)
{
	const struct nlattr *a = find(nlh, sizeof(struct rtmsg), RTA_OIF);

	if (a && mnl_attr_get_u32(a) == from)
		memcpy(mnl_attr_get_payload(a), &to, sizeof to);
	a = find(nlh, sizeof(struct rtmsg), RTA_MULTIPATH);
	if (a)
		move_legs(a, from, to);
}

void holdings_move(struct holdings *h, uint32_t ifindex)
{
	for (size_t i = 0; i < h->n; i++) {
		struct nlmsghdr *nlh = h->list[i];

		if (nlh->nlmsg_type == RTM_NEWADDR)
			((struct ifaddrmsg *)mnl_nlmsg_get_payload(nlh))->ifa_index = ifindex;
		else if (nlh->nlmsg_type == RTM_NEWNEIGH)
			((struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_ifindex = (int)ifindex;
		else
			move_route(nlh, h->ifindex, ifindex);
	}
	h->ifindex = ifindex;
}

int holdings_drop_ipv4(uint32_t ifindex)
{
	struct holdings h = { 0 };
	int rc = holdings_read(&h, ifindex);

	for (size_t i = 0; i < h.n && !rc; i++) {
		struct nlmsghdr *nlh = h.list[i];
		const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);

		if (nlh->nlmsg_type != RTM_NEWADDR || m->ifa_family != AF_INET)
			continue;
		nlh->nlmsg_type = RTM_DELADDR;
		rc = send_as(nlh, 0);
		if (rc == -EADDRNOTAVAIL) /* went with another of its network */
			rc = 0;
	}
	holdings_free(&h);
	return rc;
}
