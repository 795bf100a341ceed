/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets as the drivers make them, and what they ask of a device, on the loopback of a network namespace of this process' own. */
#include "tests/unit/test.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "apps/tandem-dpdk/sockets.h"

enum { LOOPBACK = 1, CHUNK = 4096, RING = 64 };

static int packet_socket(unsigned group)
{
	const struct sockaddr_ll a = { .sll_family = AF_PACKET,
		.sll_protocol = 0x0300 /* ETH_P_ALL */,
		.sll_ifindex = LOOPBACK };
	unsigned fanout = group | PACKET_FANOUT_HASH << 16 |
			  (unsigned)PACKET_FANOUT_FLAG_DEFRAG << 16;
	socklen_t len = sizeof fanout;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &fanout, sizeof fanout), 0);
	assert_int_equal(getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &fanout, &len), 0);
	assert_false(fanout >> 16 & PACKET_FANOUT_FLAG_DEFRAG);
	return fd;
}

static int xdp_socket(void)
{
	const struct sockaddr_xdp a = {
		.sxdp_family = AF_XDP, .sxdp_ifindex = LOOPBACK, .sxdp_flags = XDP_COPY
	};
	const int rings[] = { XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING };
	void *memory = mmap(NULL, (size_t)RING * CHUNK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct xdp_umem_reg umem = {
		.addr = (uintptr_t)memory, .len = (uint64_t)RING * CHUNK, .chunk_size = CHUNK
	};
	int fd = socket(AF_XDP, SOCK_RAW, 0), n = RING;

	assert_true(fd >= 0 && memory != MAP_FAILED);
	assert_int_equal(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem), 0);
	for (unsigned i = 0; i < sizeof rings / sizeof *rings; i++)
		assert_int_equal(setsockopt(fd, SOL_XDP, rings[i], &n, sizeof n), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void test_sockets_are_known_by_device_and_queue(void **state)
{
	int fds[3];

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(sockets_of(LOOPBACK, 0), -1);
	fds[0] = packet_socket(7);
	fds[1] = packet_socket(7);
	fds[2] = xdp_socket();
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sockets_of(LOOPBACK, i), fds[i]);
	assert_int_equal(sockets_of(LOOPBACK, 3), -1);
	assert_int_equal(sockets_of(LOOPBACK + 1, 0), -1);
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
}

/* Whether the kernel has told that a device was changed, since it was asked before. */
static bool is_told(int links)
{
	char buf[8192];
	ssize_t n = recv(links, buf, sizeof buf, MSG_DONTWAIT);

	assert_true(n > 0 || errno == EAGAIN);
	while (recv(links, buf, sizeof buf, MSG_DONTWAIT) > 0)
		;
	return n > 0;
}

static void test_no_device_is_given_the_mac_address_that_it_has(void **state)
{
	const struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct ifreq request = { .ifr_name = "lo", .ifr_hwaddr = { .sa_family = ARPHRD_LOOPBACK } };
	int links = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(bind(links, (const struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(ioctl(fd, SIOCSIFHWADDR, &request), 0);
	assert_false(is_told(links));
	request.ifr_hwaddr.sa_data[5] = 7;
	assert_int_equal(ioctl(fd, SIOCSIFHWADDR, &request), 0);
	assert_true(is_told(links));
	request.ifr_hwaddr.sa_data[5] = 0;
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	assert_int_equal(request.ifr_hwaddr.sa_data[5], 7);
	strcpy(request.ifr_name, "none");
	assert_int_equal(ioctl(fd, SIOCSIFHWADDR, &request), -1);
	assert_int_equal(errno, ENODEV);
	close(links);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets_are_known_by_device_and_queue),
		cmocka_unit_test(test_no_device_is_given_the_mac_address_that_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
