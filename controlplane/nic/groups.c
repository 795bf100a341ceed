/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/groups.h"
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int tell(unsigned long command, const char *device, const uint8_t mac[6])
{
	struct ifreq r = { .ifr_hwaddr = { .sa_family = AF_UNSPEC } };
	int fd, rc;

	if ((size_t)snprintf(r.ifr_name, sizeof r.ifr_name, "%s", device) >= sizeof r.ifr_name)
		return -ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	memcpy(r.ifr_hwaddr.sa_data, mac, 6);
	rc = ioctl(fd, command, &r) ? -errno : 0;
	close(fd);
	return rc;
}

int groups_join(const char *device, const uint8_t mac[6])
{
	return tell(SIOCADDMULTI, device, mac);
}

int groups_leave(const char *device, const uint8_t mac[6])
{
	int rc = tell(SIOCDELMULTI, device, mac);

	return rc == -ENOENT ? 0 : rc;
}
