/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/stack.h"
#include <errno.h>
#include <string.h>

/* A frame that XDP sends out of a device may be this much longer than its MTU and Ethernet header: one tag (the
 * kernel's xdp_ok_fwd_dev()). */
enum { TAG_BYTES = 4 };

static bool is_kind(const struct host_link *link, const char *kind)
{
	return !strcmp(link->kind, kind);
}

static int check_master(const struct host_store *s, const struct host_link *link, struct err *e)
{
	const struct host_link *master = link->master ? host_store_link(s, link->master) : NULL;

	if (!master)
		return 0;
	if (is_kind(master, "vrf"))
		return err_set(e, -EINVAL,
			"device \"%s\" is in the VRF \"%s\", whose routes are not followed: take it out of "
			"the VRF (ip link set dev %s nomaster)",
			link->name, master->name, link->name);
	return err_set(e, -EINVAL,
		"device \"%s\" is a part of \"%s\"%s%s%s: name that as the device instead",
		link->name, master->name, *master->kind ? " (" : "", master->kind,
		*master->kind ? ")" : "");
}

/* One step down from a VLAN; tags are collected from the inner one to the outer. */
static int descend(const struct host_store *s, const struct host_link **link,
	struct host_stack *out, struct err *e)
{
	const struct host_link *vlan = *link, *lower = vlan->lower_elsewhere
							       ? NULL
							       : host_store_link(s, vlan->lower);

	if (!lower)
		return err_set(e, -ENODEV,
			"device \"%s\" is a VLAN of a device in another network namespace, where its frames "
			"cannot be had",
			vlan->name);
	if (out->n_tags == HOST_STACK_TAGS)
		return err_set(e, -E2BIG,
			"device \"%s\" is a VLAN in a VLAN in a VLAN: at most two tags are read",
			vlan->name);
	if (!vlan->vlan_id)
		return err_set(e, -EINVAL,
			"device \"%s\" has the VLAN id 0, which stands for no VLAN: name \"%s\" as the "
			"device instead",
			vlan->name, lower->name);
	memmove(&out->tags[1], &out->tags[0], sizeof out->tags[0]);
	out->tags[0].protocol = vlan->vlan_protocol;
	out->tags[0].id = vlan->vlan_id;
	out->n_tags++;
	*link = lower;
	return 0;
}

static int collect_parts(const struct host_store *s, const struct host_link *bond,
	struct host_stack *out, struct err *e)
{
	for (size_t i = 0; i < s->links.n; i++) {
		const struct host_link_row *row = host_table_row(&s->links, i);

		if (row->link.master != bond->ifindex)
			continue;
		if (out->n_parts == HOST_STACK_PARTS)
			return err_set(e, -E2BIG, "device \"%s\" has more than %d parts",
				bond->name, HOST_STACK_PARTS);
		out->parts[out->n_parts++] = row->link.ifindex;
	}
	return 0;
}

static uint32_t mtu_for(const struct host_link *link, const struct host_link *device, unsigned tags)
{
	uint32_t fits = device->mtu + TAG_BYTES - TAG_BYTES * tags;

	return fits < link->mtu ? fits : link->mtu;
}

int host_store_stack(const struct host_store *s, const struct host_link *link,
	struct host_stack *out, struct err *e)
{
	const struct host_link *at = link;
	int err = check_master(s, at, e);

	*out = (struct host_stack){ 0 };
	while (!err && is_kind(at, "vlan")) {
		err = descend(s, &at, out, e);
		if (!err)
			err = check_master(s, at, e);
	}
	if (err)
		return err;
	if (!at->ethernet)
		return err_set(e, -EINVAL,
			"device \"%s\" is no Ethernet device%s%s%s: only those can carry VIPs and servers",
			at->name, *at->kind ? " (" : "", at->kind, *at->kind ? ")" : "");
	out->device = at->ifindex;
	out->mtu = out->n_tags ? mtu_for(link, at, out->n_tags) : link->mtu;
	return is_kind(at, "bond") ? collect_parts(s, at, out, e) : 0;
}
