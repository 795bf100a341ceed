/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/addresses.h"
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include "controlplane/nic/request.h"

static bool is_same(const struct sockaddr *has, const struct addr *address)
{
	if (!has || has->sa_family != (address->af == 6 ? AF_INET6 : AF_INET))
		return false;
	return !memcmp(address->bytes,
		address->af == 6
			? (const void *)&((const struct sockaddr_in6 *)(const void *)has)->sin6_addr
			: (const void *)&((const struct sockaddr_in *)(const void *)has)->sin_addr,
		addr_size(address));
}

bool addresses_has(const struct addr *address)
{
	struct ifaddrs *list;
	bool found = false;

	if (getifaddrs(&list))
		return false;
	for (const struct ifaddrs *one = list; one && !found; one = one->ifa_next)
		found = is_same(one->ifa_addr, address);
	freeifaddrs(list);
	return found;
}

static int request(uint16_t type, uint16_t flags, uint32_t ifindex, const struct addr *address)
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = request_begin(buf, type, NLM_F_ACK | flags);
	struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);

	m->ifa_family = address->af == 6 ? AF_INET6 : AF_INET;
	m->ifa_prefixlen = (uint8_t)(8 * addr_size(address));
	m->ifa_scope = RT_SCOPE_UNIVERSE;
	m->ifa_index = ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, addr_size(address), address->bytes);
	mnl_attr_put(nlh, IFA_ADDRESS, addr_size(address), address->bytes);
	mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	return request_send(nlh, NULL, NULL);
}

int addresses_add(uint32_t ifindex, const struct addr *address)
{
	int rc = request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, address);

	return rc == -EEXIST ? 0 : rc;
}

int addresses_remove(uint32_t ifindex, const struct addr *address)
{
	int rc = request(RTM_DELADDR, 0, ifindex, address);

	return rc == -EADDRNOTAVAIL ? 0 : rc;
}
