/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "controlplane/nic/step.h"

static int open_clone(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

int tap_check(void)
{
	int fd = open_clone();

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int tap_open(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open_clone(), rc = 0;

	if (fd < 0)
		return fd;
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	step("attach to the tap");
	if (ioctl(fd, TUNSETIFF, &r))
		rc = -errno;
	step("keep the tap");
	if (!rc && ioctl(fd, TUNSETPERSIST, 1))
		rc = -errno;
	if (!rc && ioctl(fd, TUNSETOFFLOAD, 0))
		rc = -errno;
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int tap_carrier(int fd, bool on)
{
	int carrier = on;

	return ioctl(fd, TUNSETCARRIER, &carrier) ? -errno : 0;
}
