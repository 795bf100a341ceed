/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/shape.h"
#include <errno.h>
#include <stdarg.h>
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

static void list_own_device(struct shape *s, const struct front *f, const struct ledger *changes)
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

static bool is_listed(const struct shape *s, const struct front *f, const char *offload)
{
	for (uint32_t i = 0; i < s->n_changes; i++)
		if (s->changes[i].kind == PROTOCOL_OFFLOAD &&
			s->changes[i].ifindex == front_ifindex(f) &&
			!strcmp(s->changes[i].what, offload))
			return true;
	return false;
}

/* An offload that is off at several devices of an interface is listed once. */
static void list_lower(struct shape *s, const struct lower *l, const struct ledger *changes)
{
	const struct front *f = &s->fronts[l->front];

	for (size_t i = 0; i < changes->n; i++) {
		const struct ledger_entry *e = &changes->list[i];

		if (e->ifindex == l->ifindex && e->kind == LEDGER_FEATURE &&
			!is_listed(s, f, e->what))
			add_change(s, f, PROTOCOL_OFFLOAD, e->what);
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
			list_own_device(s, f, changes);
		else
			list_port(s, f);
		add_change(s, f, PROTOCOL_ALL_GROUPS, "");
	}
	for (unsigned i = 0; i < s->lowers.n; i++)
		list_lower(s, &s->lowers.list[i], changes);
}

__attribute__((format(printf, 2, 3))) static void fault(struct shape *s, const char *fmt, ...)
{
	va_list ap;

	if (s->found.n == SHAPE_FAULTS)
		return;
	va_start(ap, fmt);
	vsnprintf(s->found.list[s->found.n].text, sizeof s->found.list[0].text, fmt, ap);
	va_end(ap);
	s->found.n++;
}

static bool was_told(const struct shape *s, const struct err *e)
{
	for (unsigned i = 0; i < s->told.n; i++)
		if (!strcmp(s->told.list[i].text, e->text))
			return true;
	return false;
}

/* Each once, as long as it is so. */
static void tell_faults(struct shape *s)
{
	for (unsigned i = 0; i < s->found.n; i++)
		if (!was_told(s, &s->found.list[i]))
			log_warn("%s", s->found.list[i].text);
	s->told = s->found;
}

static void tell_error(struct shape *s, int rc, const struct err *e)
{
	if (rc && strcmp(s->error.text, e->text) != 0)
		log_error("%s", e->text);
	s->error = rc ? *e : (struct err){ "" };
}

/* Those that DPDK has a driver for. */
static int tell_ports(struct shape *s, const struct macs *macs, bool more, struct err *e)
{
	for (unsigned i = 0; i < s->n_fronts; i++) {
		struct front *f = &s->fronts[i];
		unsigned n;
		const uint8_t(*list)[6] = macs_of(macs, front_ifindex(f), &n);
		int rc = f->handover ? 0 : port_want_macs(&f->port, list, n, more);

		if (rc == -ENOMEM)
			return err_set(e, rc, "interface %s: out of memory", f->name);
		if (rc)
			fault(s,
				"interface %s: its port takes no frames for virtual MAC addresses: %s",
				f->name, strerror(-rc));
	}
	return 0;
}

/* A device's own wants come before those of the devices below it, which may have some offloads only if it has them. Returns how many. */
static unsigned plan(
	const struct shape *s, const struct macs *macs, bool more, struct nic_want *wants)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n_fronts; i++) {
		const struct front *f = &s->fronts[i];
		struct nic_want *w = &wants[n];

		if (!f->handover)
			continue;
		n++;
		*w = (struct nic_want){ .device = handover_nic(f->handover),
			.ifindex = handover_nic_ifindex(f->handover),
			.plain = true,
			.single = true,
			.keeps_macs = more };
		w->macs = macs_of(macs, front_ifindex(f), &w->n_macs);
	}
	for (unsigned i = 0; i < s->lowers.n; i++)
		wants[n++] = (struct nic_want){ .device = s->lowers.list[i].name,
			.ifindex = s->lowers.list[i].ifindex,
			.plain = true,
			.single = true };
	return n;
}

static int apply(struct shape *s, const struct nic_want *wants, unsigned n, struct err *e)
{
	struct nic *nic;
	int rc = nic_new(&nic, s->dir, e);

	if (rc)
		return rc;
	rc = nic_apply(nic, wants, n, e);
	for (size_t i = 0; !rc && nic_fault(nic, i); i++)
		fault(s, "%s", nic_fault(nic, i));
	list_changes(s, nic_changes(nic));
	nic_free(nic);
	return rc;
}

/* The kernel's. */
static int tell_kernel(struct shape *s, const struct macs *macs, bool more, struct err *e)
{
	struct nic_want *wants;
	struct lowers lowers;
	int rc = lowers_find(&lowers, s->fronts, s->n_fronts, e);

	if (rc)
		return rc;
	lowers_free(&s->lowers);
	s->lowers = lowers;
	wants = calloc(s->n_fronts + lowers.n + 1u, sizeof *wants);
	rc = wants ? apply(s, wants, plan(s, macs, more, wants), e)
		   : err_set(e, -ENOMEM, "out of memory");
	free(wants);
	return rc;
}

/* Of all interfaces; more: what devices have been told before stays, and what they refuse is told later, when addresses are settled. */
static int tell_devices(struct shape *s, const struct macs *macs, bool more, struct err *e)
{
	int rc;

	s->found.n = 0;
	rc = tell_ports(s, macs, more, e);
	if (!rc)
		rc = tell_kernel(s, macs, more, e);
	if (!rc && !more)
		tell_faults(s);
	return rc;
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
	if (s->settled && !s->told.n && (!next || macs_same(macs, &s->macs)))
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
	tell_error(s, rc, &e);
	if (rc || next) {
		macs_free(&macs);
		return;
	}
	macs_free(&s->macs);
	s->macs = macs;
	s->settled = true;
}

void shape_look(struct shape *s)
{
	struct lowers now;
	struct err e;
	bool same;
	int rc;

	if (!s->lowers.may_change)
		return;
	rc = lowers_find(&now, s->fronts, s->n_fronts, &e);
	same = !rc && !*s->error.text && lowers_same(&now, &s->lowers);
	lowers_free(&now);
	if (same)
		return;
	if (!rc)
		rc = tell_devices(s, &s->macs, !s->settled, &e);
	tell_error(s, rc, &e);
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
	lowers_free(&s->lowers);
	free(s->changes);
	*s = (struct shape){ 0 };
}
