/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/handover_steps.h"
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>
#include "bpf/drop.h"
#include "bpf/xsk.h"
#include "controlplane/nic/step.h"
#include "controlplane/nic/tap.h"

enum { QUEUE_PACKETS = 1000, LINK_PAUSE_US = 10000, LINK_PAUSES = 300 };

static bool is_named(const struct netdev *d, const char *name)
{
	return !strcmp(d->name, name);
}

int handover_find_nic(const struct record *r, struct netdev *out)
{
	const struct record_fixed *f = &r->fixed;
	int rc = netdev_by_index(f->ifindex, out);

	if (rc)
		return rc;
	return is_named(out, f->name) || is_named(out, f->spare) ||
			       !memcmp(out->mac, f->mac, sizeof f->mac)
		       ? 0
		       : -ENODEV;
}

int handover_find_tap(const struct record *r, struct netdev *out)
{
	const struct record_fixed *f = &r->fixed;
	int rc = netdev_by_name(f->tap, out);

	if (rc == -ENODEV)
		rc = netdev_by_name(f->name, out);
	if (rc)
		return rc;
	return out->ifindex != f->ifindex && !strcmp(out->kind, "tun") ? 0 : -ENODEV;
}

static int failed(struct err *e, int rc, const char *what, const char *device)
{
	return err_set(e, rc, "cannot %s %s: %s", what, device, strerror(-rc));
}

/* Has the kernel make no link-local address by itself while the device comes up; the record has those that are to be there. */
static int hold_gen_mode(const struct record *r, uint32_t ifindex)
{
	long mode;

	return settings_number(&r->settings, "ipv6/conf", "addr_gen_mode", &mode)
		       ? netdev_set_gen_mode(ifindex, IN6_ADDR_GEN_MODE_NONE)
		       : 0;
}

static int restore_gen_mode(const struct record *r, uint32_t ifindex)
{
	long mode;

	return settings_number(&r->settings, "ipv6/conf", "addr_gen_mode", &mode)
		       ? netdev_set_gen_mode(ifindex, (uint8_t)mode)
		       : 0;
}

static int shape_tap(const struct record_fixed *f, uint32_t ifindex)
{
	int rc = netdev_set_mac(ifindex, f->mac);

	if (!rc)
		rc = netdev_set_mtu(ifindex, f->mtu);
	return rc ? rc : netdev_set_queue(ifindex, QUEUE_PACKETS);
}

/* Makes the tap beside the device, or finds it; while it has its first name it may have any part of its shape. */
static int make_tap(const struct record *r, int *fd, struct netdev *tap, struct err *e)
{
	const struct record_fixed *f = &r->fixed;
	int rc = handover_find_tap(r, tap);

	if (rc && rc != -ENODEV)
		return failed(e, rc, "look for the tap of", f->name);
	*fd = tap_open(rc ? f->tap : tap->name);
	if (*fd < 0)
		return failed(e, *fd, "make a tap for", f->name);
	if (!rc && is_named(tap, f->name))
		return 0;
	rc = netdev_by_name(f->tap, tap);
	if (!rc)
		rc = tap_carrier(*fd, true);
	if (!rc)
		rc = shape_tap(f, tap->ifindex);
	return rc ? failed(e, rc, "give a tap the MAC address and MTU of", f->name) : 0;
}

static int guard_nic(const struct record_fixed *f, struct err *e)
{
	int rc;

	step("drop");
	rc = drop_attach(f->ifindex);
	if (rc == -EBUSY)
		return err_set(e, rc,
			"%s has a traffic-control filter of priority 1 already: remove it (tc filter del dev %s ingress)",
			f->name, f->name);
	return rc ? failed(e, rc, "keep the host's stack from frames of", f->name) : 0;
}

/* Linux 6.1 renames no device that is up. While an XDP program serves by it, it stays up where that can be, or is up again as soon
 * as it can. */
static int rename_nic(const struct netdev *nic, const char *name)
{
	int rc = nic->xdp_program ? netdev_rename(nic->ifindex, name) : -EBUSY, up;

	if (rc != -EBUSY)
		return rc;
	rc = netdev_set_flags(nic->ifindex, 0, IFF_UP);
	if (!rc)
		rc = netdev_rename(nic->ifindex, name);
	up = nic->xdp_program ? netdev_set_flags(nic->ifindex, nic->flags & IFF_UP, IFF_UP) : 0;
	return rc ? rc : up;
}

/* What it has is on record by now. */
static int set_nic_aside(const struct record_fixed *f, struct err *e)
{
	struct netdev nic;
	int rc = netdev_by_index(f->ifindex, &nic);

	if (!rc && !is_named(&nic, f->spare))
		rc = rename_nic(&nic, f->spare);
	if (rc)
		return failed(e, rc, "rename", f->name);
	rc = settings_set(f->spare, "ipv6/conf", "disable_ipv6", "1");
	return rc && rc != -ENOENT ? failed(e, rc, "turn off IPv6 on", f->spare) : 0;
}

/* IPv6 begins on a device when its link is ready, some time after it was brought up: then the kernel makes a link-local address,
 * unless it is kept from that, and forgets some settings. A link that needs longer is left to that. */
static void await_link(uint32_t ifindex)
{
	struct netdev d;

	for (int i = 0; i < LINK_PAUSES; i++) {
		if (netdev_by_index(ifindex, &d) || !(d.flags & IFF_UP) || d.flags & IFF_RUNNING)
			return;
		usleep(LINK_PAUSE_US);
	}
}

/* Puts what the record has onto a device, which has its name, and is up or not as it should. */
static int furnish(struct record *r, uint32_t ifindex, struct err *e)
{
	const struct record_fixed *f = &r->fixed;
	int rc, one;

	rc = settings_put(&r->settings, f->name, e);
	holdings_move(&r->holdings, ifindex);
	one = holdings_put(&r->holdings, rc ? NULL : e);
	if (!rc)
		rc = one;
	one = restore_gen_mode(r, ifindex);
	return rc || !one ? rc : failed(e, one, "set addr_gen_mode of", f->name);
}

static int furnish_tap(struct record *r, const struct netdev *tap, struct err *e)
{
	const struct record_fixed *f = &r->fixed;
	int rc = settings_put(&r->settings, tap->name, e);

	if (rc)
		return rc;
	rc = hold_gen_mode(r, tap->ifindex);
	if (!rc && !is_named(tap, f->name))
		rc = netdev_rename(tap->ifindex, f->name);
	if (!rc)
		rc = netdev_set_flags(tap->ifindex, f->flags, RECORD_FLAGS);
	if (rc)
		return failed(e, rc, "bring up a tap as", f->name);
	await_link(tap->ifindex);
	return furnish(r, tap->ifindex, e);
}

/* By now the host has its addresses on the tap, so that nobody misses these. Groups that the host joins by the tap the device
 * does not hear of, so it takes all. */
static int wake_nic(const struct record_fixed *f, struct err *e)
{
	int rc = holdings_drop_ipv4(f->ifindex);

	if (!rc)
		rc = netdev_set_flags(f->ifindex, IFF_UP | IFF_ALLMULTI, IFF_UP | IFF_ALLMULTI);
	return rc ? failed(e, rc, "bring up", f->spare) : 0;
}

int handover_forth(struct record *r, int *fd, struct err *e)
{
	struct netdev tap;
	int rc;

	*fd = -1;
	rc = make_tap(r, fd, &tap, e);
	if (!rc)
		rc = guard_nic(&r->fixed, e);
	if (!rc)
		rc = set_nic_aside(&r->fixed, e);
	if (!rc)
		rc = furnish_tap(r, &tap, e);
	return rc ? rc : wake_nic(&r->fixed, e);
}

int handover_guard(const struct record *r, struct err *e)
{
	int rc = guard_nic(&r->fixed, e);

	if (rc)
		return rc;
	rc = netdev_set_flags(r->fixed.ifindex, IFF_UP, IFF_UP);
	return rc ? failed(e, rc, "bring up", r->fixed.spare) : 0;
}

/* Frees the name. */
static int set_tap_aside(const struct record *r, struct netdev *tap)
{
	int rc = handover_find_tap(r, tap);

	if (rc == -ENODEV)
		*tap = (struct netdev){ 0 };
	if (rc || !is_named(tap, r->fixed.name))
		return rc == -ENODEV ? 0 : rc;
	rc = netdev_set_flags(tap->ifindex, 0, IFF_UP);
	return rc ? rc : netdev_rename(tap->ifindex, r->fixed.tap);
}

/* Addresses that the device may still have go first: their labels have changed with its name, and the record has them. */
static int name_nic(const struct record_fixed *f, const struct netdev *nic)
{
	int rc;

	if (is_named(nic, f->name))
		return 0;
	rc = holdings_drop_ipv4(f->ifindex);
	return rc ? rc : rename_nic(nic, f->name);
}

static int remove_filter(const struct record_fixed *f)
{
	step("remove the filter");
	return drop_detach(f->ifindex, f->made_clsact);
}

/* What a device may refuse, and can do without. Returns the first fault. */
static int refurnish_nic(struct record *r, const struct netdev *nic, struct err *e)
{
	const struct record_fixed *f = &r->fixed;
	int rc = nic->mtu == f->mtu ? 0 : netdev_set_mtu(f->ifindex, f->mtu), one;

	if (rc)
		failed(e, rc, "give its MTU back to", f->name);
	one = hold_gen_mode(r, f->ifindex); /* it may be up, and IPv6 begins with the settings */
	if (one && !rc)
		rc = failed(e, one, "set addr_gen_mode of", f->name);
	one = settings_put(&r->settings, f->name, rc ? NULL : e);
	if (!rc)
		rc = one;
	one = remove_filter(f);
	if (one && !rc)
		rc = failed(e, one, "remove the traffic-control filter of", f->name);
	one = xsk_detach(f->ifindex); /* an engine that was killed leaves it */
	if (one && !rc)
		rc = failed(e, one, "detach the XDP program from", f->name);
	return rc;
}

/* Nothing is left of the device; the tap is of no use without it. */
static int lost(const struct record *r, struct err *e)
{
	struct netdev tap;

	if (!handover_find_tap(r, &tap))
		netdev_delete(tap.ifindex);
	return err_set(e, -ENODEV,
		"the device %s (of %s) is gone, and with it what the host had by it",
		r->fixed.spare, r->fixed.name);
}

int handover_back(struct record *r, bool *stuck, struct err *e)
{
	const struct record_fixed *f = &r->fixed;
	struct netdev nic, tap;
	int rc = handover_find_nic(r, &nic), first, one;

	*stuck = false;
	if (rc == -ENODEV)
		return lost(r, e);
	*stuck = true;
	if (!rc)
		rc = set_tap_aside(r, &tap);
	if (!rc)
		rc = name_nic(f, &nic);
	if (rc)
		return failed(e, rc, "give the device its name back:", f->name);
	first = refurnish_nic(r, &nic, e);
	rc = netdev_set_flags(f->ifindex, f->flags | (f->all_multi ? IFF_ALLMULTI : 0),
		RECORD_FLAGS | IFF_ALLMULTI);
	if (rc)
		return failed(e, rc, "bring up", f->name);
	if (nic.carrier || !(nic.flags & IFF_UP))
		await_link(f->ifindex);
	one = furnish(r, f->ifindex, first ? NULL : e);
	if (!first)
		first = one;
	if (tap.ifindex)
		rc = netdev_delete(tap.ifindex);
	if (rc)
		return failed(e, rc, "remove the tap", tap.name);
	*stuck = false;
	return first;
}
