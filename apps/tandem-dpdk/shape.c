/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/shape.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/base/mac.h"
#include "controlplane/nic/nic.h"

static void add_change(
	struct shape *s, const struct front *f, enum protocol_change_kind kind, const char *what)
{
	struct protocol_change *list =
		reallocarray(s->changes, s->n_changes + 1, sizeof *s->changes);

	if (!list)
		return;
	s->changes = list;
	list += s->n_changes++;
	*list = (struct protocol_change){ .ifindex = front_ifindex(f), .kind = kind };
	snprintf(list->what, sizeof list->what, "%s", what);
}

static void list_kernel_device(struct shape *s, const struct front *f, const struct ledger *changes)
{
	static const enum protocol_change_kind kinds[] = {
		[LEDGER_FEATURE] = PROTOCOL_OFFLOAD,
		[LEDGER_UNICAST] = PROTOCOL_MAC,
		[LEDGER_PROMISC] = PROTOCOL_ALL_FRAMES,
	};

	for (size_t i = 0; i < changes->n; i++) {
		const struct ledger_entry *e = &changes->list[i];

		if (e->ifindex == handover_nic_ifindex(f->handover) &&
			(e->kind == LEDGER_FEATURE || e->kind == LEDGER_UNICAST ||
				e->kind == LEDGER_PROMISC))
			add_change(s, f, kinds[e->kind], e->kind == LEDGER_PROMISC ? "" : e->what);
	}
}

static void list_port(struct shape *s, const struct front *f)
{
	for (unsigned i = 0; i < f->port.n_macs; i++) {
		char text[MAC_TEXT];

		mac_text(f->port.macs[i], text);
		add_change(s, f, PROTOCOL_MAC, text);
	}
	if (f->port.takes_all)
		add_change(s, f, PROTOCOL_ALL_FRAMES, "");
}

static void list_changes(struct shape *s, const struct ledger *changes)
{
	s->n_changes = 0;
	for (unsigned i = 0; i < s->n_fronts; i++) {
		const struct front *f = &s->fronts[i];

		if (f->handover)
			list_kernel_device(s, f, changes);
		else
			list_port(s, f);
		add_change(s, f, PROTOCOL_ALL_GROUPS, "");
	}
}

/* What a device refuses is told once, when addresses are settled. */
static int apply(
	struct shape *s, const struct nic_want *wants, unsigned n, bool more, struct err *e)
{
	struct nic *nic;
	int rc = nic_new(&nic, s->dir, e);

	if (rc)
		return rc;
	rc = nic_apply(nic, wants, n, e);
	for (size_t i = 0; !rc && !more && nic_fault(nic, i); i++)
		log_warn("%s", nic_fault(nic, i));
	list_changes(s, nic_changes(nic));
	nic_free(nic);
	return rc;
}

/* Of all interfaces; more: what devices have been told before stays. */
static int tell_devices(struct shape *s, const struct macs *macs, bool more, struct err *e)
{
	struct nic_want wants[WORKER_PORTS];
	unsigned n_wants = 0;

	for (unsigned i = 0; i < s->n_fronts; i++) {
		struct front *f = &s->fronts[i];
		unsigned n;
		const uint8_t(*list)[6] = macs_of(macs, front_ifindex(f), &n);

		if (f->handover)
			wants[n_wants++] = (struct nic_want){
				.device = handover_nic(f->handover),
				.ifindex = handover_nic_ifindex(f->handover),
				.plain = true,
				.single = true,
				.macs = list,
				.n_macs = n,
				.keeps_macs = more,
			};
		else if (port_want_macs(&f->port, list, n, more) && !more)
			log_warn("interface %s: its port takes no frames for virtual MAC addresses",
				f->name);
	}
	return apply(s, wants, n_wants, more, e);
}

int shape_begin(struct shape *s, struct front *fronts, unsigned n, const char *dir, struct err *e)
{
	const struct macs none = { 0 };

	*s = (struct shape){ .dir = dir, .fronts = fronts, .n_fronts = n };
	return tell_devices(s, &none, true, e);
}

/* The addresses are those of `next`, or of `now`. */
static int follow(struct shape *s, const struct macs *macs, bool next, struct err *e)
{
	if (s->settled && (!next || macs_same(macs, &s->macs)))
		return 0;
	s->settled = false;
	return tell_devices(s, macs, next, e);
}

void shape_follow(struct shape *s, const struct sealed *now, const struct sealed *next)
{
	const struct sealed *wanted = next ? next : now;
	struct macs macs;
	struct err e;
	int rc = macs_read(&macs, wanted->image, wanted->lines);

	if (rc)
		err_set(&e, rc, "virtual MAC addresses of the generation cannot be read: %s",
			strerror(-rc));
	else
		rc = follow(s, &macs, next != NULL, &e);
	if (rc)
		log_error("%s", e.text);
	if (rc || next) {
		macs_free(&macs);
		return;
	}
	macs_free(&s->macs);
	s->macs = macs;
	s->settled = true;
}

bool shape_change(const struct shape *s, uint32_t i, struct protocol_change *out)
{
	if (i >= s->n_changes)
		return false;
	*out = s->changes[i];
	return true;
}

void shape_end(struct shape *s)
{
	macs_free(&s->macs);
	free(s->changes);
	*s = (struct shape){ 0 };
}
