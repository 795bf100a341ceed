/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's net_af_packet puts its sockets, queue by queue, into a fanout group that has the kernel reassemble IPv4 fragments (packet(7),
 * PACKET_FANOUT_FLAG_DEFRAG), and has no option against it: what comes of that is longer than the MTU, and is not what came.
 * setsockopt() takes the place of libc's in the whole process, drivers included, leaves the flag out, and takes down which sockets
 * there are; bind() does that with those of net_af_xdp. Neither driver tells of them.
 *
 * DPDK gives each device at its start the MAC address that it has. A bond in mode balance-tlb hands what it is given on to all its
 * parts, says so to the switch by each of them every second, and takes frames in by one part only, which the switch then sends
 * by another. So ioctl() gives no device what it has. */
#include "apps/tandem-dpdk/sockets.h"
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FLAGS_SHIFT = 16, SOCKETS = 1024, MAC = 6 };

/* In the order of queues. */
static struct {
	uint32_t ifindex;
	int fd;
} sockets[SOCKETS];
static unsigned n_sockets;

static void take_down(uint32_t ifindex, int fd)
{
	if (n_sockets == SOCKETS)
		return;
	sockets[n_sockets].ifindex = ifindex;
	sockets[n_sockets++].fd = fd;
}

static void take_down_packet(int fd)
{
	struct sockaddr_ll a = { 0 };
	socklen_t len = sizeof a;

	if (!getsockname(fd, (struct sockaddr *)&a, &len))
		take_down((uint32_t)a.sll_ifindex, fd);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	unsigned fanout;

	if (level == SOL_PACKET && name == PACKET_FANOUT && len == sizeof fanout) {
		memcpy(&fanout, value, sizeof fanout);
		fanout &= ~((unsigned)PACKET_FANOUT_FLAG_DEFRAG << FLAGS_SHIFT);
		take_down_packet(fd);
		return (int)syscall(SYS_setsockopt, fd, level, name, &fanout, len);
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
	const struct sockaddr *a = address.__sockaddr__;
	int rc = (int)syscall(SYS_bind, fd, a, len);

	if (!rc && len >= sizeof(struct sockaddr_xdp) && a->sa_family == AF_XDP)
		take_down(((const struct sockaddr_xdp *)a)->sxdp_ifindex, fd);
	return rc;
}

static bool has_mac(int fd, const struct ifreq *wanted)
{
	struct ifreq has = *wanted;

	return !syscall(SYS_ioctl, fd, SIOCGIFHWADDR, &has) &&
	       !memcmp(has.ifr_hwaddr.sa_data, wanted->ifr_hwaddr.sa_data, MAC);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == SIOCSIFHWADDR && has_mac(fd, arg))
		return 0;
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

void sockets_forget(uint32_t ifindex)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_sockets; i++)
		if (sockets[i].ifindex != ifindex)
			sockets[n++] = sockets[i];
	n_sockets = n;
}

int sockets_of(uint32_t ifindex, unsigned queue)
{
	for (unsigned i = 0; i < n_sockets; i++)
		if (sockets[i].ifindex == ifindex && !queue--)
			return sockets[i].fd;
	return -1;
}
