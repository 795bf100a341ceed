/* SPDX-License-Identifier: BSD-2-Clause */
/* The two rtnetlink sockets of the mirror: one hears what changes, one asks. What both yield is
 * checked: it comes from the kernel and holds whole messages. */
#pragma once
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/addr.h"
#include "controlplane/base/err.h"

struct host_netlink {
	struct mnl_socket *socket; /* NULL: closed */
	uint32_t sequence;	   /* of the last request */
};

/* Called for each message. A negative return value becomes the reader's result, and fn is not
 * called again. */
typedef int (*host_message_fn)(void *arg, const struct nlmsghdr *nlh);

/* Opens a socket that hears of links, addresses, routes, nexthop objects and neighbours, and
 * does not block. Returns 0 or a negative errno and a sentence. */
int host_netlink_listen(struct host_netlink *n, struct err *e);

/* Opens a socket for the requests below. They wait for their answers: the kernel writes those
 * while they are read, so that waiting takes no longer than reading. */
int host_netlink_open(struct host_netlink *n, struct err *e);

void host_netlink_close(struct host_netlink *n);
int host_netlink_fd(const struct host_netlink *n);

/* Reads one datagram and calls fn for its messages; with fn NULL they are dropped. Returns 1; 0
 * when nothing is there; -ENOBUFS when messages were lost; what fn returned; another negative
 * errno. */
int host_netlink_hear(const struct host_netlink *n, host_message_fn fn, void *arg);

/* Asks for everything of a kind (RTM_GET...) and calls fn for each message of the answer.
 * Returns 0; -EINTR when things changed meanwhile, so that the answer may not be consistent;
 * -EOPNOTSUPP when the kernel knows no such kind; what fn returned; another negative errno. */
int host_netlink_dump(struct host_netlink *n, uint16_t type, host_message_fn fn, void *arg);

/* Has the kernel resolve or confirm a neighbour. Returns 0 or its negative errno. */
int host_netlink_use_neighbour(struct host_netlink *n, uint32_t ifindex, const struct addr *addr);
