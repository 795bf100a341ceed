/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets beside the kernel, in a network namespace of the test's own. */
#include "controlplane/host/netlink.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

static int setup(void **state)
{
	(void)state;
	if (!unshare(CLONE_NEWNET))
		return 0;
	perror("a network namespace is needed, and root to make one");
	return -1;
}

static int count(void *arg, const struct nlmsghdr *nlh)
{
	(void)nlh;
	++*(unsigned *)arg;
	return 0;
}

static int give_up(void *arg, const struct nlmsghdr *nlh)
{
	count(arg, nlh);
	return -ENOMEM;
}

static void a_dump_is_read(void **state)
{
	struct host_netlink n;
	unsigned links = 0, routes = 0;
	struct err e;

	(void)state;
	assert_int_equal(system("ip link add va type veth peer name vb"), 0);
	assert_int_equal(host_netlink_open(&n, &e), 0);
	assert_int_equal(host_netlink_dump(&n, RTM_GETLINK, count, &links), 0);
	assert_int_equal(links, 3);
	assert_int_equal(host_netlink_dump(&n, RTM_GETNEIGH, count, &links), 0);
	assert_int_equal(host_netlink_dump(&n, RTM_GETNEXTHOP, count, &links), 0);
	assert_int_equal(host_netlink_dump(&n, RTM_GETROUTE, count, &routes), 0);
	host_netlink_close(&n);
}

/* The socket is good for the next request whatever became of the last. */
static void failures_end_with_their_request(void **state)
{
	struct host_netlink n;
	unsigned calls = 0, links = 0;
	struct addr nobody;
	struct err e;

	(void)state;
	assert_int_equal(system("ip link add va type veth peer name vb"), 0);
	assert_int_equal(addr_parse("192.0.2.1", &nobody), 0);
	assert_int_equal(host_netlink_open(&n, &e), 0);
	assert_int_equal(host_netlink_dump(&n, RTM_GETLINK, give_up, &calls), -ENOMEM);
	assert_int_equal(calls, 1);
	assert_true(host_netlink_use_neighbour(&n, 4242, &nobody) < 0);
	assert_true(host_netlink_dump(&n, RTM_SETLINK, count, &links) < 0);
	links = 0;
	assert_int_equal(host_netlink_dump(&n, RTM_GETLINK, count, &links), 0);
	assert_int_equal(links, 3);
	host_netlink_close(&n);
}

/* What is left of a request that was given up has another number. */
static void former_answers_are_passed_by(void **state)
{
	struct nlmsghdr former = { .nlmsg_len = sizeof former,
		.nlmsg_type = RTM_SETLINK,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.nlmsg_seq = 99 };
	struct host_netlink n;
	unsigned links = 0;
	struct err e;

	(void)state;
	assert_int_equal(host_netlink_open(&n, &e), 0);
	assert_true(mnl_socket_sendto(n.socket, &former, sizeof former) > 0);
	assert_int_equal(host_netlink_dump(&n, RTM_GETLINK, count, &links), 0);
	assert_int_equal(links, 1);
	host_netlink_close(&n);
}

static void changes_are_heard(void **state)
{
	struct pollfd readable = { .events = POLLIN };
	struct host_netlink n;
	unsigned heard = 0;
	struct err e;

	(void)state;
	assert_int_equal(host_netlink_listen(&n, &e), 0);
	assert_int_equal(host_netlink_hear(&n, count, &heard), 0);
	assert_int_equal(system("ip link set lo up"), 0);
	readable.fd = host_netlink_fd(&n);
	assert_int_equal(poll(&readable, 1, 5000), 1);
	while (host_netlink_hear(&n, count, &heard) > 0)
		;
	assert_true(heard > 0);
	host_netlink_close(&n);
}

/* Root may write to the socket, but is not the kernel. */
static void other_senders_are_not_heard(void **state)
{
	struct nlmsghdr forged = { .nlmsg_len = sizeof forged, .nlmsg_type = RTM_NEWLINK };
	struct host_netlink n, stranger;
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	unsigned heard = 0;
	struct err e;

	(void)state;
	assert_int_equal(host_netlink_listen(&n, &e), 0);
	assert_int_equal(host_netlink_open(&stranger, &e), 0);
	to.nl_pid = mnl_socket_get_portid(n.socket);
	assert_int_equal(sendto(host_netlink_fd(&stranger), &forged, sizeof forged, 0,
				 (struct sockaddr *)&to, sizeof to),
		sizeof forged);
	assert_int_equal(host_netlink_hear(&n, count, &heard), 0);
	assert_int_equal(heard, 0);
	host_netlink_close(&n);
	host_netlink_close(&stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_dump_is_read, setup),
		cmocka_unit_test_setup(failures_end_with_their_request, setup),
		cmocka_unit_test_setup(former_answers_are_passed_by, setup),
		cmocka_unit_test_setup(changes_are_heard, setup),
		cmocka_unit_test_setup(other_senders_are_not_heard, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
