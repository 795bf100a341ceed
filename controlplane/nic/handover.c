/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/handover.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/nic/handover_check.h"
#include "controlplane/nic/handover_steps.h"
#include "controlplane/nic/tap.h"

struct handover {
	char *run_dir;
	char name[IF_NAMESIZE];
	struct record record;
	int lock, tap; /* -1: none */
	uint32_t tap_ifindex;
	bool was_taken;
	bool is_lent;	/* somebody else is attached to the tap */
	int carrier;	/* that the tap has; -1: not known */
	uint8_t mac[6]; /* of the device, that the tap was given */
};

int handover_tap(const struct handover *h)
{
	return h->tap;
}

const char *handover_nic(const struct handover *h)
{
	return h->record.fixed.spare;
}

uint32_t handover_nic_ifindex(const struct handover *h)
{
	return h->record.fixed.ifindex;
}

uint32_t handover_tap_ifindex(const struct handover *h)
{
	return h->tap_ifindex;
}

bool handover_was_taken(const struct handover *h)
{
	return h->was_taken;
}

static void close_tap(struct handover *h)
{
	if (h->tap >= 0)
		close(h->tap);
	h->tap = -1;
}

void handover_leave(struct handover *h)
{
	if (!h)
		return;
	close_tap(h);
	if (h->lock >= 0)
		record_unlock(h->run_dir, h->name, h->lock);
	record_free(&h->record);
	free(h->run_dir);
	free(h);
}

/* From here on the interface is this process' to work on. NULL: it is not, for *rc and a sentence. */
static struct handover *open_handover(const char *run_dir, const char *name, int *rc, struct err *e)
{
	struct handover *h;

	if (!*name || strlen(name) >= sizeof h->name || strchr(name, '/')) {
		*rc = err_set(e, -ENODEV, "there is no device \"%s\"", name);
		return NULL;
	}
	h = calloc(1, sizeof *h);
	if (h) {
		*h = (struct handover){ .lock = -1, .tap = -1, .carrier = -1 };
		memcpy(h->name, name, strlen(name) + 1);
		h->run_dir = strdup(run_dir);
	}
	if (h && h->run_dir) {
		h->lock = record_lock(run_dir, name, e);
		if (h->lock >= 0)
			return h;
		*rc = h->lock;
	} else {
		*rc = err_set(e, -ENOMEM, "out of memory");
	}
	handover_leave(h);
	return NULL;
}

static int save_as(struct handover *h, enum record_stage stage, struct err *e)
{
	h->record.fixed.stage = stage;
	return record_save(&h->record, h->run_dir, e);
}

/* Takes down what the interface has now, of which `d` has the name. */
static int take_down(struct record *r, const struct netdev *d, struct err *e)
{
	struct settings settings = { 0 };
	struct holdings holdings = { 0 };
	int rc = holdings_read(&holdings, d->ifindex);

	if (!rc)
		rc = settings_read(&settings, d->name);
	if (rc) {
		holdings_free(&holdings);
		return err_set(e, rc, "cannot read what %s has: %s", d->name, strerror(-rc));
	}
	holdings_free(&r->holdings);
	settings_free(&r->settings);
	r->holdings = holdings;
	r->settings = settings;
	r->fixed.flags = d->flags & RECORD_FLAGS;
	r->fixed.mtu = d->mtu;
	return 0;
}

static void name_all(struct record_fixed *f, const struct netdev *nic)
{
	*f = (struct record_fixed){ .ifindex = nic->ifindex,
		.all_multi = !!(nic->flags & IFF_ALLMULTI) };
	memcpy(f->name, nic->name, sizeof f->name);
	memcpy(f->mac, nic->mac, sizeof f->mac);
	if (strlen(nic->name) + strlen("-nic") < sizeof f->spare) {
		memcpy(f->spare, nic->name, strlen(nic->name));
		memcpy(f->spare + strlen(nic->name), "-nic", sizeof "-nic");
	} else {
		snprintf(f->spare, sizeof f->spare, "nic%u", nic->ifindex);
	}
	snprintf(f->tap, sizeof f->tap, "tdm%u", nic->ifindex);
}

/* Reads all that there is to know, and changes nothing. */
static int prepare(struct handover *h, struct err *e)
{
	struct record *r = &h->record;
	struct netdev nic;
	int rc = netdev_by_name(h->name, &nic);

	if (rc == -ENODEV)
		return err_set(e, rc, "there is no device \"%s\"", h->name);
	if (rc)
		return err_set(e, rc, "cannot read the device %s: %s", h->name, strerror(-rc));
	name_all(&r->fixed, &nic);
	rc = handover_check(&nic, &r->fixed, h->run_dir, e);
	if (!rc)
		rc = take_down(r, &nic, e);
	if (!rc)
		rc = handover_check_holdings(&nic, &r->holdings, e);
	if (rc)
		return rc;
	rc = netdev_has_clsact(nic.ifindex);
	if (rc < 0)
		return err_set(e, rc, "cannot read the qdiscs of %s: %s", h->name, strerror(-rc));
	r->fixed.made_clsact = !rc;
	return 0;
}

/* Leaves the device as it was, as far as that can be. */
static void undo(struct handover *h, struct err *e)
{
	struct err also;
	bool stuck;

	close_tap(h);
	if (handover_back(&h->record, &stuck, &also)) {
		size_t n = strlen(e->text);

		snprintf(e->text + n, sizeof e->text - n, "; and then: %.200s", also.text);
	}
	if (!stuck)
		record_remove(h->run_dir, h->name, NULL);
}

/* Carries out what the record says, from wherever it stands. */
static int carry_out(struct handover *h, struct err *e)
{
	int rc = handover_forth(&h->record, &h->tap, e);

	if (!rc)
		rc = save_as(h, RECORD_TAKEN, e);
	if (rc)
		undo(h, e);
	return rc;
}

static int take_anew(struct handover *h, struct err *e)
{
	int rc = prepare(h, e);

	if (rc)
		return rc;
	rc = save_as(h, RECORD_TAKING, e);
	if (!rc)
		return carry_out(h, e);
	record_remove(h->run_dir, h->name, NULL);
	return rc;
}

/* Whether all stands as a former process has left it when it was done. */
static bool stands(const struct record *r, const struct netdev *nic, const struct netdev *tap)
{
	return r->fixed.stage == RECORD_TAKEN && !strcmp(nic->name, r->fixed.spare) &&
	       tap->ifindex && !strcmp(tap->name, r->fixed.name);
}

static int attach(struct handover *h, const char *tap, struct err *e)
{
	int rc = tap_open(tap);

	h->tap = rc < 0 ? -1 : rc;
	return rc < 0 ? err_set(e, rc, "cannot attach to the tap %s: %s", tap, strerror(-rc)) : 0;
}

static int attach_again(struct handover *h, const struct netdev *tap, struct err *e)
{
	int rc = handover_guard(&h->record, e);

	if (!rc)
		rc = attach(h, tap->name, e);
	if (rc)
		return rc;
	h->was_taken = true;
	return holdings_put_proxies(&h->record.holdings, e);
}

/* What was about to be given back is so first, since the record may have changed with it. */
static int finish_giving(struct handover *h, struct err *e)
{
	bool stuck;
	int rc = handover_back(&h->record, &stuck, e);

	if (stuck)
		return rc;
	rc = record_remove(h->run_dir, h->name, e);
	record_free(&h->record);
	return rc;
}

static int take_up(struct handover *h, struct err *e)
{
	struct netdev nic = { 0 }, tap = { 0 };
	int rc = handover_find_nic(&h->record, &nic);

	if (h->record.fixed.stage == RECORD_GIVING || rc == -ENODEV) {
		rc = finish_giving(h, e);
		return rc ? rc : take_anew(h, e);
	}
	if (!rc)
		rc = handover_find_tap(&h->record, &tap);
	if (rc && rc != -ENODEV)
		return err_set(e, rc, "cannot read the devices of %s: %s", h->name, strerror(-rc));
	return stands(&h->record, &nic, &tap) ? attach_again(h, &tap, e) : carry_out(h, e);
}

static int take(struct handover *h, struct err *e)
{
	struct netdev tap;
	int rc = record_load(&h->record, h->run_dir, h->name, e);

	if (rc && rc != -ENOENT)
		return rc;
	rc = rc ? take_anew(h, e) : take_up(h, e);
	if (rc)
		return rc;
	rc = netdev_by_name(h->name, &tap);
	if (rc)
		return err_set(e, rc, "the tap %s is gone: %s", h->name, strerror(-rc));
	h->tap_ifindex = tap.ifindex;
	memcpy(h->mac, h->record.fixed.mac, sizeof h->mac);
	handover_mirror(h);
	return 0;
}

int handover_take(struct handover **out, const char *run_dir, const char *name, struct err *e)
{
	struct err own;
	int rc;
	struct handover *h = open_handover(run_dir, name, &rc, e ? e : &own);

	if (!h)
		return rc;
	rc = take(h, e ? e : &own);
	if (rc)
		handover_leave(h);
	else
		*out = h;
	return rc;
}

int handover_lend_tap(struct handover *h, int (*other)(void *arg), void *arg, struct err *e)
{
	struct err own;
	int rc;

	close_tap(h);
	rc = other(arg);
	h->is_lent = !rc;
	if (rc && attach(h, h->name, &own)) {
		*e = own;
		return rc;
	}
	/* It has been without a carrier, and whoever attaches gives it one. */
	h->carrier = -1;
	holdings_put_proxies(&h->record.holdings, NULL);
	handover_mirror(h);
	return rc;
}

static int mirror_carrier(struct handover *h, bool carrier)
{
	int rc = h->carrier != carrier ? netdev_set_carrier(h->tap_ifindex, carrier) : 0;

	if (!rc)
		h->carrier = carrier;
	return rc;
}

/* One that an operator has given the tap stays until the device's changes. */
static int mirror_mac(struct handover *h, const uint8_t mac[6])
{
	int rc = memcmp(h->mac, mac, sizeof h->mac) ? netdev_set_mac(h->tap_ifindex, mac) : 0;

	if (!rc)
		memcpy(h->mac, mac, sizeof h->mac);
	return rc;
}

int handover_mirror(struct handover *h)
{
	struct netdev nic;
	int rc = netdev_by_index(h->record.fixed.ifindex, &nic);

	if (!rc)
		rc = mirror_carrier(h, nic.carrier);
	if (!rc)
		rc = mirror_mac(h, nic.mac);
	return rc ? rc : nic.carrier;
}

/* What the tap has now is what goes back; without one, what the device had. */
static int give_back(struct handover *h, struct err *e)
{
	struct record *r = &h->record;
	struct netdev tap = { 0 };
	size_t nexthops;
	bool stuck;
	int rc = handover_find_tap(r, &tap);

	if (rc && rc != -ENODEV)
		return err_set(e, rc, "cannot read the tap of %s: %s", h->name, strerror(-rc));
	if (r->fixed.stage == RECORD_TAKEN && !rc && !strcmp(tap.name, h->name)) {
		if (h->tap < 0 && !h->is_lent) /* it has been without a carrier */
			holdings_put_proxies(&r->holdings, NULL);
		rc = take_down(r, &tap, e);
		if (rc)
			return rc;
	}
	nexthops = r->holdings.nexthops;
	rc = save_as(h, RECORD_GIVING, e);
	if (rc)
		return rc;
	close_tap(h);
	rc = handover_back(r, &stuck, e);
	if (stuck)
		return rc;
	if (rc) {
		record_remove(h->run_dir, h->name, NULL);
		return rc;
	}
	rc = record_remove(h->run_dir, h->name, e);
	if (!rc && nexthops)
		return err_set(e, -EOPNOTSUPP,
			"%zu routes by %s were made of nexthop objects (ip nexthop), which cannot be moved: make them again",
			nexthops, h->name);
	return rc;
}

int handover_give_back(struct handover *h, struct err *e)
{
	int rc = give_back(h, e);

	handover_leave(h);
	return rc;
}

struct looking {
	const char *run_dir;
	struct err *e;
};

static int look_at_one(void *arg, const char *name)
{
	const struct looking *l = arg;
	int rc;
	struct handover *h = open_handover(l->run_dir, name, &rc, l->e);

	handover_leave(h);
	return h ? 0 : rc;
}

int handover_check_dead(const char *run_dir, struct err *e)
{
	struct looking l = { run_dir, e };

	return record_each(run_dir, look_at_one, &l, e);
}

struct giving {
	const char *run_dir;
	struct err *e;
	int n, rc;
};

static int give_one(void *arg, const char *name)
{
	struct giving *g = arg;
	struct err one;
	int rc;
	struct handover *h = open_handover(g->run_dir, name, &rc, &one);

	if (h) {
		rc = record_load(&h->record, g->run_dir, name, &one);
		if (rc)
			handover_leave(h);
		else
			rc = handover_give_back(h, &one);
	}
	if (rc == -ENOENT)
		return 0;
	if (!rc)
		g->n++;
	else if (!g->rc)
		g->rc = err_set(g->e, rc, "%s", one.text);
	return 0;
}

int handover_give_back_all(const char *run_dir, struct err *e)
{
	struct giving g = { .run_dir = run_dir, .e = e };
	int rc = record_each(run_dir, give_one, &g, e);

	return rc ? rc : g.rc ? g.rc : g.n;
}
