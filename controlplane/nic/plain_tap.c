/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/plain_tap.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/nic/netdev.h"
#include "controlplane/nic/tap.h"

static int refuse_open(const char *name, int rc, struct err *e)
{
	if (rc == -EINVAL)
		return err_set(e, -EBUSY,
			"there is a device %s already, which is no tap: give the interface the name of none",
			name);
	if (rc == -EBUSY)
		return err_set(e, rc, "another process has the tap %s: stop it first", name);
	return err_set(e, rc, "cannot make the tap %s: %s%s", name, strerror(-rc),
		rc == -ENOENT ? "; load the kernel's module tun" : "");
}

/* A device that is up may refuse another address. */
static int shape(const struct netdev *d, const uint8_t mac[6], bool is_new)
{
	int rc = memcmp(d->mac, mac, sizeof d->mac) ? netdev_set_mac(d->ifindex, mac) : 0;

	return rc || !is_new ? rc : netdev_set_flags(d->ifindex, IFF_UP, IFF_UP);
}

int plain_tap_open(struct plain_tap *out, const char *name, const uint8_t mac[6], struct err *e)
{
	struct netdev d;
	bool is_new = netdev_by_name(name, &d) == -ENODEV;
	int fd = tap_open(name), rc;

	if (fd < 0)
		return refuse_open(name, fd, e);
	rc = netdev_by_name(name, &d);
	if (!rc)
		rc = shape(&d, mac, is_new);
	if (rc) {
		close(fd);
		return err_set(e, rc, "cannot give the tap %s the port's MAC address: %s", name,
			strerror(-rc));
	}
	*out = (struct plain_tap){ .fd = fd, .ifindex = d.ifindex, .mtu = d.mtu };
	return 0;
}

int plain_tap_lend(
	struct plain_tap *t, const char *name, int (*other)(void *arg), void *arg, struct err *e)
{
	int rc, fd;

	close(t->fd);
	t->fd = -1;
	rc = other(arg);
	if (!rc)
		return 0;
	fd = tap_open(name);
	if (fd < 0)
		refuse_open(name, fd, e);
	else
		t->fd = fd;
	return rc;
}

void plain_tap_close(struct plain_tap *t)
{
	if (t->fd < 0)
		return;
	tap_carrier(t->fd, false);
	close(t->fd);
	t->fd = -1;
}
