/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/xsk_device.h"
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "controlplane/nic/netdev.h"

/* One queue, where the device does not tell. */
static int read_channels(const char *device, struct ethtool_channels *out)
{
	struct ifreq r = { .ifr_data = (char *)out };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	*out = (struct ethtool_channels){ .cmd = ETHTOOL_GCHANNELS };
	if (fd < 0)
		return -errno;
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", device);
	rc = ioctl(fd, SIOCETHTOOL, &r) ? -errno : 0;
	close(fd);
	if (rc == -EOPNOTSUPP)
		out->rx_count = 1;
	return rc == -EOPNOTSUPP ? 0 : rc;
}

/* net_af_xdp takes one queue of a device whose queues to receive and to send are no pairs. */
static int check_queues(
	const struct ethtool_channels *c, const char *name, unsigned workers, struct err *e)
{
	unsigned n = c->combined_count + c->rx_count, most = c->max_combined ? c->max_combined : 1;

	if (workers > most)
		return err_set(e, -ENOSPC,
			"XDP sockets can be at %u of the queues of %s, and there are %u workers, of which each "
			"needs one: give the engine fewer CPUs, or write driver = \"af_packet\";",
			most, name, workers);
	if (n == workers)
		return 0;
	if (c->max_combined)
		return err_set(e, -ECHRNG,
			"%s has %u queues, and %u workers have an XDP socket at one each: make them as many "
			"(ethtool -L %s combined %u)",
			name, n, workers, name, workers);
	return err_set(e, -ECHRNG,
		"%s has %u queues, and an XDP socket can be at the first alone: turn the others off (ethtool -L "
		"%s rx 1 tx 1)",
		name, n, name);
}

int xsk_device_check(const char *device, const char *name, unsigned workers, struct err *e)
{
	struct ethtool_channels channels;
	struct netdev d;
	int rc = netdev_by_name(device, &d);

	if (!rc && (!strcmp(d.kind, "bond") || !strcmp(d.kind, "team")))
		return err_set(e, -EOPNOTSUPP,
			"%s is a %s, and XDP sockets do not see what its parts take in: write driver = "
			"\"af_packet\"; into \"engine.dpdk\"",
			name, d.kind);
	if (!rc)
		rc = read_channels(device, &channels);
	return rc ? err_set(e, rc, "cannot read how many queues %s has: %s", name, strerror(-rc))
		  : check_queues(&channels, name, workers, e);
}
