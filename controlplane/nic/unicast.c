/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/unicast.h"
#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "controlplane/nic/request.h"

struct search {
	uint32_t ifindex;
	const uint8_t *mac;
	bool found;
};

static int look_at_attribute(const struct nlattr *a, void *arg)
{
	struct search *s = arg;

	if (mnl_attr_get_type(a) == NDA_LLADDR && mnl_attr_get_payload_len(a) == 6 &&
		!memcmp(mnl_attr_get_payload(a), s->mac, 6))
		s->found = true;
	return MNL_CB_OK;
}

/* A bridge's own entries for its ports are listed with those of the devices, which have NTF_SELF. */
static int look_at_entry(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(nlh);
	struct search *s = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *m)
		return MNL_CB_OK;
	if ((uint32_t)m->ndm_ifindex == s->ifindex && m->ndm_flags & NTF_SELF)
		mnl_attr_parse(nlh, sizeof *m, look_at_attribute, s);
	return MNL_CB_OK;
}

bool unicast_has(uint32_t ifindex, const uint8_t mac[6])
{
	struct search s = { ifindex, mac, false };
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = request_begin(buf, RTM_GETNEIGH, NLM_F_DUMP);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);

	m->ifi_family = PF_BRIDGE;
	m->ifi_index = (int)ifindex;
	return !request_send(nlh, look_at_entry, &s) && s.found;
}

/* As "bridge fdb add MAC dev DEVICE self" does. */
static int tell_filter(uint16_t type, uint16_t flags, uint32_t ifindex, const uint8_t mac[6])
{
	char buf[REQUEST_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = request_begin(buf, type, NLM_F_ACK | flags);
	struct ndmsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);

	m->ndm_family = PF_BRIDGE;
	m->ndm_ifindex = (int)ifindex;
	m->ndm_state = NUD_PERMANENT;
	m->ndm_flags = NTF_SELF;
	mnl_attr_put(nlh, NDA_LLADDR, 6, mac);
	return request_send(nlh, NULL, NULL);
}

int unicast_add(uint32_t ifindex, const uint8_t mac[6])
{
	int rc = tell_filter(RTM_NEWNEIGH, NLM_F_CREATE, ifindex, mac);

	return rc == -EEXIST ? 0 : rc;
}

int unicast_remove(uint32_t ifindex, const uint8_t mac[6])
{
	int rc = tell_filter(RTM_DELNEIGH, 0, ifindex, mac);

	return rc == -ENOENT ? 0 : rc;
}

/* SIOCGIFFLAGS or SIOCSIFFLAGS. */
static int ask_flags(unsigned long command, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = ioctl(fd, command, r) ? -errno : 0;
	close(fd);
	return rc;
}

static int read_flags(const char *device, struct ifreq *r)
{
	*r = (struct ifreq){ 0 };
	if ((size_t)snprintf(r->ifr_name, sizeof r->ifr_name, "%s", device) >= sizeof r->ifr_name)
		return -ENODEV;
	return ask_flags(SIOCGIFFLAGS, r);
}

int unicast_takes_all(const char *device)
{
	struct ifreq r;
	int rc = read_flags(device, &r);

	return rc ? rc : !!(r.ifr_flags & IFF_PROMISC);
}

int unicast_take_all(const char *device, bool all)
{
	struct ifreq r;
	int rc = read_flags(device, &r);

	if (rc)
		return rc;
	r.ifr_flags = (short)((r.ifr_flags & ~IFF_PROMISC) | (all ? IFF_PROMISC : 0));
	return ask_flags(SIOCSIFFLAGS, &r);
}
