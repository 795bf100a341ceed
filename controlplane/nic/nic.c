/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/nic.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/mac.h"
#include "controlplane/nic/addresses.h"
#include "controlplane/nic/cookies.h"
#include "controlplane/nic/groups.h"
#include "controlplane/nic/offload.h"
#include "controlplane/nic/stack.h"
#include "controlplane/nic/unicast.h"

/* Tags that are taken out of the frame are not seen by XDP, and packets that are glued together cannot be sent on. The last is for
 * `single` alone. */
static const char *const offloads[] = { "rx-vlan-hw-parse", "rx-vlan-stag-hw-parse", "rx-lro",
	"rx-gro-hw", "rx-gro" };

enum { OFFLOADS = sizeof offloads / sizeof *offloads, FAULTS = 16 };

struct nic {
	char *run_dir;
	struct ledger changes;
	struct err faults[FAULTS];
	size_t n_faults;
};

int nic_new(struct nic **out, const char *run_dir, struct err *e)
{
	struct nic *n = calloc(1, sizeof *n);
	int rc = -ENOMEM;

	if (n)
		n->run_dir = strdup(run_dir);
	if (n && n->run_dir)
		rc = ledger_load(&n->changes, run_dir);
	if (!rc) {
		*out = n;
		return 0;
	}
	nic_free(n);
	return err_set(e, rc,
		"cannot read what was changed about devices from %s/nic: %s; look at ethtool -k of them "
		"and remove the file",
		run_dir, strerror(-rc));
}

void nic_free(struct nic *n)
{
	if (!n)
		return;
	ledger_free(&n->changes);
	free(n->run_dir);
	free(n);
}

const struct ledger *nic_changes(const struct nic *n)
{
	return &n->changes;
}

bool nic_has_added(const struct nic *n, const struct addr *address)
{
	char text[ADDR_TEXT];

	addr_text(address, text);
	for (size_t i = 0; n && i < n->changes.n; i++)
		if (n->changes.list[i].kind == LEDGER_ADDRESS &&
			!strcmp(n->changes.list[i].what, text))
			return true;
	return false;
}

const char *nic_fault(const struct nic *n, size_t i)
{
	return i < n->n_faults ? n->faults[i].text : NULL;
}

/* Makes the device as the entry says, or as it was before. */
static int change(const struct ledger_entry *e, bool back)
{
	struct addr address = { 0 };
	uint8_t mac[6] = { 0 };

	switch (e->kind) {
	case LEDGER_FEATURE:
		return offload_set(e->device, e->what, back);
	case LEDGER_GROUP:
		if (mac_parse(e->what, mac))
			return -EBADMSG;
		return back ? groups_leave(e->device, mac) : groups_join(e->device, mac);
	case LEDGER_ADDRESS:
		if (addr_parse(e->what, &address))
			return -EBADMSG;
		return back ? addresses_remove(e->ifindex, &address)
			    : addresses_add(e->ifindex, &address);
	case LEDGER_UNICAST:
		if (mac_parse(e->what, mac))
			return -EBADMSG;
		return back ? unicast_remove(e->ifindex, mac) : unicast_add(e->ifindex, mac);
	case LEDGER_PROMISC:
		return unicast_take_all(e->device, !back);
	case LEDGER_SETTING:
		return back ? cookies_put_back(e->what) : cookies_set(e->what);
	}
	return -EBADMSG;
}

/* A device that is gone, or that has its number or name no more, needs nothing. */
static int put_back(const struct ledger_entry *e)
{
	return if_nametoindex(e->device) == e->ifindex ? change(e, true) : 0;
}

/* Whether some of what the device is to take frames for is not in its filter. */
static bool lacks_mac(const struct nic_want *w)
{
	for (unsigned i = 0; i < w->n_macs; i++)
		if (!unicast_has(w->ifindex, w->macs[i]))
			return true;
	return false;
}

/* Entry i of all that may be wanted of a device, to take all frames (while it lacks_mac()) the last; false: there are no more. */
static bool wanted_entry(const struct nic_want *w, unsigned i, struct ledger_entry *e)
{
	const unsigned n[] = {
		[LEDGER_FEATURE] = w->plain ? OFFLOADS - !w->single : 0,
		[LEDGER_GROUP] = w->n_groups,
		[LEDGER_ADDRESS] = w->n_addresses,
		[LEDGER_UNICAST] = w->n_macs,
		[LEDGER_PROMISC] = 1,
	};
	unsigned kind = 0;

	while (kind < sizeof n / sizeof *n && i >= n[kind])
		i -= n[kind++];
	if (kind == sizeof n / sizeof *n)
		return false;
	*e = (struct ledger_entry){ .kind = (enum ledger_kind)kind, .ifindex = w->ifindex };
	snprintf(e->device, sizeof e->device, "%s", w->device);
	if (kind == LEDGER_FEATURE)
		snprintf(e->what, sizeof e->what, "%s", offloads[i]);
	else if (kind == LEDGER_ADDRESS)
		addr_text(&w->addresses[i], e->what);
	else if (kind == LEDGER_PROMISC)
		snprintf(e->what, sizeof e->what, "on");
	else
		mac_text(kind == LEDGER_GROUP ? w->groups[i] : w->macs[i], e->what);
	return true;
}

static bool wants_entry(const struct nic_want *w, const struct ledger_entry *e)
{
	struct ledger_entry wanted;

	if (w->keeps_macs && e->ifindex == w->ifindex &&
		(e->kind == LEDGER_UNICAST || e->kind == LEDGER_PROMISC))
		return true;
	for (unsigned i = 0; wanted_entry(w, i, &wanted); i++)
		if (ledger_same(&wanted, e))
			return e->kind != LEDGER_PROMISC || lacks_mac(w);
	return false;
}

static bool is_wanted(const struct ledger_entry *e, const struct nic_want *wants, unsigned n)
{
	if (e->kind == LEDGER_SETTING) /* until nic_cookies_end() */
		return true;
	for (unsigned i = 0; i < n; i++)
		if (wants_entry(&wants[i], e))
			return true;
	return false;
}

__attribute__((format(printf, 2, 3))) static void fault(struct nic *n, const char *fmt, ...)
{
	va_list ap;

	if (n->n_faults == FAULTS)
		return;
	va_start(ap, fmt);
	vsnprintf(n->faults[n->n_faults].text, sizeof n->faults[0].text, fmt, ap);
	va_end(ap);
	n->n_faults++;
}

/* Whether it is so already, and not by us; of groups the kernel counts who has joined. */
static bool is_so(const struct nic_want *w, const struct ledger_entry *e)
{
	struct addr address;
	uint8_t mac[6];

	switch (e->kind) {
	case LEDGER_FEATURE:
		return offload_get(e->device, e->what) <= 0;
	case LEDGER_GROUP:
		return false;
	case LEDGER_ADDRESS:
		return !addr_parse(e->what, &address) && addresses_has(&address);
	case LEDGER_UNICAST:
		return !mac_parse(e->what, mac) && unicast_has(e->ifindex, mac);
	case LEDGER_PROMISC:
		return !lacks_mac(w) || unicast_takes_all(e->device) > 0;
	case LEDGER_SETTING:
		break;
	}
	return true;
}

/* What is to be changed now goes on the list: of taking all frames only that, or all the rest. */
static int plan_device(struct ledger *plan, const struct nic_want *w, bool all_frames)
{
	struct ledger_entry e;
	int rc = 0;

	for (unsigned i = 0; wanted_entry(w, i, &e) && !rc; i++)
		if ((e.kind == LEDGER_PROMISC) == all_frames && !is_so(w, &e))
			rc = ledger_add(plan, &e);
	return rc;
}

static void refused(struct nic *n, const struct ledger_entry *e, int rc)
{
	switch (e->kind) {
	case LEDGER_FEATURE:
		fault(n,
			"device %s does not let its offload %s be turned off (%s): tags of VLANs may "
			"be missed, and packets may be glued together",
			e->device, e->what, strerror(-rc));
		break;
	case LEDGER_GROUP:
		fault(n,
			"device %s does not join the group %s (%s): neighbour solicitations may be "
			"missed",
			e->device, e->what, strerror(-rc));
		break;
	case LEDGER_ADDRESS:
		fault(n,
			"device %s does not take the address %s (%s): services with forward = "
			"\"local\" on it are not reached",
			e->device, e->what, strerror(-rc));
		break;
	case LEDGER_UNICAST:
		fault(n,
			"device %s does not take the virtual MAC address %s into its filter (%s): it is "
			"made to take all frames instead",
			e->device, e->what, strerror(-rc));
		break;
	case LEDGER_PROMISC:
		fault(n,
			"device %s cannot be made to take all frames (%s): those for virtual MAC "
			"addresses are missed",
			e->device, strerror(-rc));
		break;
	case LEDGER_SETTING:
		fault(n,
			"this host's TCP stack cannot be told to take SYN cookies (%s): services with "
			"forward = \"local\" have none",
			strerror(-rc));
		break;
	}
}

/* What the device refused was not changed, and is not to be put back. */
static void carry_out(struct nic *n)
{
	for (size_t i = 0; i < n->changes.n;) {
		const struct ledger_entry *e = &n->changes.list[i];
		int rc = change(e, false);

		if (!rc) {
			i++;
			continue;
		}
		refused(n, e, rc);
		ledger_remove(&n->changes, i);
	}
}

static int save(struct nic *n, struct err *e)
{
	int rc = ledger_save(&n->changes, n->run_dir);

	return rc ? err_set(e, rc,
			    "cannot keep what is changed about devices in %s/nic, so nothing is changed: "
			    "%s",
			    n->run_dir, strerror(-rc))
		  : 0;
}

static void put_back_unwanted(struct nic *n, const struct nic_want *wants, unsigned n_wants)
{
	for (size_t i = 0; i < n->changes.n;) {
		const struct ledger_entry *e = &n->changes.list[i];
		int rc = is_wanted(e, wants, n_wants) ? 1 : put_back(e);

		if (rc < 0)
			fault(n, "device %s: %s cannot be put back as it was: %s", e->device,
				e->what, strerror(-rc));
		if (rc <= 0)
			ledger_remove(&n->changes, i);
		else
			i++;
	}
}

static int plan_and_carry_out(struct nic *n, const struct nic_want *wants, unsigned n_wants,
	bool all_frames, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < n_wants && !rc; i++)
		rc = plan_device(&n->changes, &wants[i], all_frames);
	if (rc)
		return err_set(e, rc, "out of memory");
	rc = save(n, e);
	if (rc)
		return rc;
	carry_out(n);
	return save(n, e);
}

int nic_apply(struct nic *n, const struct nic_want *wants, unsigned n_wants, struct err *e)
{
	int rc;

	n->n_faults = 0;
	put_back_unwanted(n, wants, n_wants);
	rc = plan_and_carry_out(n, wants, n_wants, false, e);
	if (rc)
		return rc;
	/* Now filters have what they take. */
	put_back_unwanted(n, wants, n_wants);
	return plan_and_carry_out(n, wants, n_wants, true, e);
}

static int no_cookies(int rc, struct err *e)
{
	return err_set(e, rc,
		"this host's TCP stack cannot be told to take SYN cookies (net.ipv4.tcp_syncookies = 2: "
		"%s), so floods of SYNs to services with forward = \"local\" go to it as they come; set it "
		"with sysctl, or let tandemd write below /proc/sys",
		strerror(-rc));
}

/* Makes the settings that are on the list; of one that is refused it forgets, but only without the first are there no
 * cookies. */
static int set_cookies(struct nic *n)
{
	int failed = 0;

	for (size_t i = 0; i < n->changes.n;) {
		const struct ledger_entry *e = &n->changes.list[i];
		int rc = e->kind == LEDGER_SETTING ? cookies_set(e->what) : 0;

		if (rc && cookies_is_needed(e))
			failed = rc;
		if (rc)
			ledger_remove(&n->changes, i);
		else
			i++;
	}
	return failed;
}

/* Returns 0, or a negative errno and a sentence about what could not be put back, which is forgotten. */
static int put_cookies_back(struct nic *n, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < n->changes.n;) {
		const struct ledger_entry *one = &n->changes.list[i];
		int rc = one->kind == LEDGER_SETTING ? cookies_put_back(one->what) : 0;

		if (rc)
			failed = err_set(e, rc,
				"%s of this host's TCP stack cannot be put back: %s", one->what,
				strerror(-rc));
		if (one->kind == LEDGER_SETTING)
			ledger_remove(&n->changes, i);
		else
			i++;
	}
	return failed;
}

int nic_cookies_begin(struct nic *n, struct nic_stack *is, struct err *e)
{
	int rc = cookies_plan(&n->changes);

	if (rc)
		return no_cookies(rc, e);
	rc = nic_cookies_changed(n) ? save(n, e) : 0;
	if (rc)
		return rc;
	rc = set_cookies(n);
	if (rc) {
		put_cookies_back(n, NULL);
		save(n, NULL);
		return no_cookies(rc, e);
	}
	*is = (struct nic_stack){ cookies_have_times(), stack_window_scale() };
	return 0;
}

int nic_cookies_end(struct nic *n, struct err *e)
{
	int failed, rc;

	if (!nic_cookies_changed(n))
		return 0;
	failed = put_cookies_back(n, e);
	rc = save(n, failed ? NULL : e);
	return failed ? failed : rc;
}

bool nic_cookies_changed(const struct nic *n)
{
	for (size_t i = 0; i < n->changes.n; i++)
		if (n->changes.list[i].kind == LEDGER_SETTING)
			return true;
	return false;
}

int nic_restore(const char *run_dir, struct err *e)
{
	struct ledger l = { 0 };
	int rc = ledger_load(&l, run_dir), failed = 0;

	for (size_t i = 0; i < l.n; i++) {
		int one = put_back(&l.list[i]);

		if (one && !failed)
			err_set(e, failed = one, "device %s: %s cannot be put back as it was: %s",
				l.list[i].device, l.list[i].what, strerror(-one));
	}
	l.n = 0;
	if (!failed && rc)
		err_set(e, failed = rc, "%s/nic is damaged: %s", run_dir, strerror(-rc));
	ledger_save(&l, run_dir);
	ledger_free(&l);
	return failed;
}

void nic_solicited_node(const uint8_t address[16], uint8_t mac[6])
{
	const uint8_t group[6] = { 0x33, 0x33, 0xff, address[13], address[14], address[15] };

	memcpy(mac, group, sizeof group);
}
