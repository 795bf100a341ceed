/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/handover_check.h"
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "controlplane/nic/tap.h"

static bool may_change_devices(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !syscall(SYS_capget, &head, data) &&
	       data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
}

static int check_host(struct err *e)
{
	int rc;

	if (!may_change_devices())
		return err_set(e, -EPERM, "only root may take over interfaces (CAP_NET_ADMIN)");
	rc = tap_check();
	if (rc == -ENOENT || rc == -ENODEV || rc == -ENXIO)
		return err_set(e, -EOPNOTSUPP,
			"there is no /dev/net/tun: load the kernel module tun (modprobe tun)");
	return rc ? err_set(e, rc, "cannot open /dev/net/tun: %s", strerror(-rc)) : 0;
}

struct above {
	uint32_t ifindex;
	struct netdev found;
};

static bool look_above(void *arg, const struct netdev *d)
{
	struct above *a = arg;

	if (netdev_lower(d) != a->ifindex || d->ifindex == a->ifindex)
		return true;
	a->found = *d;
	return false;
}

static int check_stack(const struct netdev *nic, struct err *e)
{
	struct above a = { .ifindex = nic->ifindex };
	struct netdev master;
	int rc;

	if (nic->master) {
		rc = netdev_by_index(nic->master, &master);
		if (rc)
			return err_set(e, rc, "cannot read what %s is a part of: %s", nic->name,
				strerror(-rc));
		return err_set(e, -EBUSY,
			"%s is a part of %s (%s): take it out first (ip link set dev %s nomaster)",
			nic->name, master.name, master.kind, nic->name);
	}
	rc = netdev_each(look_above, &a);
	if (rc)
		return err_set(e, rc, "cannot read the list of devices: %s", strerror(-rc));
	if (a.found.ifindex)
		return err_set(e, -EBUSY,
			"%s has the device %s%s%s%s upon it, which would not see the engine's frames: remove that first",
			nic->name, a.found.name, *a.found.kind ? " (" : "", a.found.kind,
			*a.found.kind ? ")" : "");
	return 0;
}

/* The XDP engine's own stays where it is: it serves until packets are left to whoever takes the device. */
static int check_xdp(const struct netdev *nic, const char *run_dir, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/bpf/links/if%u", run_dir, nic->ifindex);
	if (!nic->xdp_program || !access(path, F_OK))
		return 0;
	return err_set(e, -EBUSY,
		"an XDP program is attached to %s: detach it first (ip link set dev %s xdp off)",
		nic->name, nic->name);
}

static int check_name(const struct netdev *nic, const char *name, struct err *e)
{
	if (!if_nametoindex(name))
		return 0;
	return err_set(e, -EBUSY,
		"the name %s is needed to take over %s, but another device has it: rename or remove that",
		name, nic->name);
}

int handover_check(const struct netdev *nic, const struct record_fixed *names, const char *run_dir,
	struct err *e)
{
	int rc = check_host(e);

	if (rc)
		return rc;
	if (!nic->ethernet || nic->flags & IFF_LOOPBACK)
		return err_set(e, -EOPNOTSUPP, "%s is no Ethernet device", nic->name);
	if (!strcmp(nic->kind, "tun"))
		return err_set(e, -EOPNOTSUPP,
			"%s is a tap itself; if a former process has made it, its record in %s/handover is gone",
			nic->name, run_dir);
	rc = check_stack(nic, e);
	if (!rc)
		rc = check_xdp(nic, run_dir, e);
	if (!rc)
		rc = check_name(nic, names->spare, e);
	return rc ? rc : check_name(nic, names->tap, e);
}

int handover_check_holdings(const struct netdev *nic, const struct holdings *h, struct err *e)
{
	if (h->legs && !(nic->flags & IFF_UP))
		return err_set(e, -ENETDOWN,
			"%s is down, but a leg of %zu multipath routes: bring it up first, or remove them",
			nic->name, h->legs);
	if (!h->nexthops)
		return 0;
	return err_set(e, -EOPNOTSUPP,
		"%zu routes by %s are made of nexthop objects (ip nexthop), which cannot be moved: make them without",
		h->nexthops, nic->name);
}
