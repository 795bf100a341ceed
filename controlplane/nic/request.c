/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/request.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <time.h>

struct nlmsghdr *request_begin(char buf[REQUEST_BYTES], uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = (uint32_t)time(NULL);
	return nlh;
}

static int exchange(struct mnl_socket *socket, const struct nlmsghdr *nlh, mnl_cb_t fn, void *arg)
{
	/* As large as the kernel makes parts of a dump (NLMSG_GOODSIZE). */
	char answer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	int rc = MNL_CB_OK;

	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ||
		mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (rc > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(socket, answer, sizeof answer);

		if (n < 0)
			return -errno;
		rc = mnl_cb_run(
			answer, (size_t)n, nlh->nlmsg_seq, mnl_socket_get_portid(socket), fn, arg);
	}
	return rc < 0 ? -errno : 0;
}

int request_send(const struct nlmsghdr *nlh, mnl_cb_t fn, void *arg)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int rc;

	if (!socket)
		return -errno;
	rc = exchange(socket, nlh, fn, arg);
	mnl_socket_close(socket);
	return rc;
}
