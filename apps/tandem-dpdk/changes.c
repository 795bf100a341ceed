/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/changes.h"
#include "apps/tandem-dpdk/lower.h"
#include "controlplane/nic/nic.h"

/* Those that several interfaces stand on are on one list after the first. */
static int hand_on_lowers(
	const struct front *fronts, unsigned n, const char *from, const char *to, struct err *e)
{
	struct lowers l;
	int rc = lowers_find(&l, fronts, n, e);

	for (unsigned i = 0; i < l.n && !rc; i++)
		rc = nic_hand_on(from, to, l.list[i].ifindex, l.list[i].name, e);
	lowers_free(&l);
	return rc;
}

int changes_adopt(
	const struct front *fronts, unsigned n, const char *from, const char *dir, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		if (fronts[i].handover)
			rc = nic_hand_on(from, dir, handover_nic_ifindex(fronts[i].handover),
				handover_nic(fronts[i].handover), e);
	return rc ? rc : hand_on_lowers(fronts, n, from, dir, e);
}

int changes_leave(
	const struct front *fronts, unsigned n, const char *dir, const char *to, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		if (fronts[i].handover)
			rc = nic_hand_on(dir, to, handover_nic_ifindex(fronts[i].handover),
				fronts[i].device, e);
	return rc ? rc : hand_on_lowers(fronts, n, dir, to, e);
}
