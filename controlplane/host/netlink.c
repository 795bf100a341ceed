/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/netlink.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum {
	NETLINK_DATAGRAM = 64 << 10,	   /* the kernel's largest are 32 KiB */
	NETLINK_RECEIVE_BUFFER = 16 << 20, /* for some ten thousand messages at once */
	NETLINK_WAIT_S = 5,		   /* an answer that takes longer will not come */
};

struct datagram {
	size_t len;
	char bytes[NETLINK_DATAGRAM] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static int open_socket(struct host_netlink *n, int flags, struct err *e)
{
	*n = (struct host_netlink){ .socket =
					    mnl_socket_open2(NETLINK_ROUTE, flags | SOCK_CLOEXEC) };
	if (!n->socket)
		return err_set(e, -errno, "cannot open a netlink socket: %s", strerror(errno));
	if (mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int err = err_set(e, -errno, "cannot bind a netlink socket: %s", strerror(errno));

		host_netlink_close(n);
		return err;
	}
	return 0;
}

int host_netlink_listen(struct host_netlink *n, struct err *e)
{
	static const struct {
		int group;
		bool may_lack; /* kernels without it have nothing to say there */
	} groups[] = {
		{ RTNLGRP_LINK, false },
		{ RTNLGRP_NEIGH, false },
		{ RTNLGRP_IPV4_IFADDR, false },
		{ RTNLGRP_IPV6_IFADDR, true },
		{ RTNLGRP_IPV4_ROUTE, false },
		{ RTNLGRP_IPV6_ROUTE, true },
		{ RTNLGRP_NEXTHOP, true },
	};
	int size = NETLINK_RECEIVE_BUFFER;
	int err = open_socket(n, SOCK_NONBLOCK, e);

	if (err)
		return err;
	/* Without CAP_NET_ADMIN the limit net.core.rmem_max holds; a loss is noticed and made
	 * good. */
	if (setsockopt(host_netlink_fd(n), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(host_netlink_fd(n), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		int group = groups[i].group;

		if (!mnl_socket_setsockopt(
			    n->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) ||
			groups[i].may_lack)
			continue;
		err = err_set(
			e, -errno, "cannot join rtnetlink group %d: %s", group, strerror(errno));
		host_netlink_close(n);
		return err;
	}
	return 0;
}

int host_netlink_open(struct host_netlink *n, struct err *e)
{
	const struct timeval wait = { .tv_sec = NETLINK_WAIT_S };
	int err = open_socket(n, 0, e);

	if (!err && setsockopt(host_netlink_fd(n), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait)) {
		err = err_set(e, -errno, "cannot set up a netlink socket: %s", strerror(errno));
		host_netlink_close(n);
	}
	return err;
}

void host_netlink_close(struct host_netlink *n)
{
	if (n->socket)
		mnl_socket_close(n->socket);
	n->socket = NULL;
}

int host_netlink_fd(const struct host_netlink *n)
{
	return mnl_socket_get_fd(n->socket);
}

/* Reads the next datagram of the kernel's; other processes may write to the socket too. Returns
 * 0, -ENOBUFS when something was lost, or another negative errno. */
static int receive(const struct host_netlink *n, struct datagram *d)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { .iov_base = d->bytes, .iov_len = sizeof d->bytes };
		struct msghdr msg = { .msg_name = &from,
			.msg_namelen = sizeof from,
			.msg_iov = &iov,
			.msg_iovlen = 1 };
		ssize_t len = recvmsg(host_netlink_fd(n), &msg, 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (msg.msg_namelen != sizeof from || from.nl_family != AF_NETLINK || from.nl_pid)
			continue;
		d->len = (size_t)len;
		return msg.msg_flags & MSG_TRUNC ? -ENOBUFS : 0;
	}
}

int host_netlink_hear(const struct host_netlink *n, host_message_fn fn, void *arg)
{
	const struct nlmsghdr *nlh;
	struct datagram d;
	int left, err = receive(n, &d);

	if (err)
		return err == -EAGAIN ? 0 : err;
	left = (int)d.len;
	for (nlh = (void *)d.bytes; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		err = fn ? fn(arg, nlh) : 0;
		if (err < 0)
			return err;
	}
	return left > 0 ? -ENOBUFS : 1;
}

/* Sends a request and returns 0 or a negative errno. */
static int ask(struct host_netlink *n, struct nlmsghdr *nlh)
{
	nlh->nlmsg_seq = ++n->sequence;
	return mnl_socket_sendto(n->socket, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

/* The error code that ends an answer: of NLMSG_ERROR (0: an acknowledgement) or NLMSG_DONE. */
static int end_code(const struct nlmsghdr *nlh)
{
	int code;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof code)
		return nlh->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&code, mnl_nlmsg_get_payload(nlh), sizeof code);
	return code > 0 ? -EBADMSG : code;
}

struct answer {
	host_message_fn fn;
	void *arg;
	bool ended, inconsistent;
	int err;
};

static void take_message(struct answer *a, const struct nlmsghdr *nlh)
{
	a->inconsistent |= !!(nlh->nlmsg_flags & NLM_F_DUMP_INTR);
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
		a->ended = true;
		if (!a->err)
			a->err = end_code(nlh);
	} else if (a->fn && !a->err) {
		a->err = a->fn(a->arg, nlh);
	}
}

/* Reads the answer to the last request to its end, also when fn fails, so that the next finds
 * the socket empty. What is left of an answer that was given up is passed by: its sequence
 * number tells. */
static int read_answer(const struct host_netlink *n, host_message_fn fn, void *arg)
{
	struct answer a = { .fn = fn, .arg = arg };
	struct datagram d;

	while (!a.ended) {
		const struct nlmsghdr *nlh;
		int left, err = receive(n, &d);

		if (err)
			return err == -EAGAIN ? -ETIMEDOUT : err;
		left = (int)d.len;
		for (nlh = (void *)d.bytes; mnl_nlmsg_ok(nlh, left) && !a.ended;
			nlh = mnl_nlmsg_next(nlh, &left))
			if (nlh->nlmsg_seq == n->sequence)
				take_message(&a, nlh);
	}
	return a.err ? a.err : a.inconsistent ? -EINTR : 0;
}

int host_netlink_dump(struct host_netlink *n, uint16_t type, host_message_fn fn, void *arg)
{
	/* The longest of the family headers; the kernel takes a longer one than it needs. */
	char buf[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct ifinfomsg))]
		__attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	int err;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(
		nlh, type == RTM_GETNEXTHOP ? sizeof(struct nhmsg) : sizeof(struct ifinfomsg));
	err = ask(n, nlh);
	return err ? err : read_answer(n, fn, arg);
}

int host_netlink_use_neighbour(struct host_netlink *n, uint32_t ifindex, const struct addr *addr)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ndmsg *m;
	int err;

	nlh->nlmsg_type = RTM_NEWNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
	m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);
	m->ndm_family = addr->af == 4 ? AF_INET : AF_INET6;
	m->ndm_ifindex = (int)ifindex;
	m->ndm_flags = NTF_USE;
	mnl_attr_put(nlh, NDA_DST, addr_size(addr), addr->bytes);
	err = ask(n, nlh);
	return err ? err : read_answer(n, NULL, NULL);
}
