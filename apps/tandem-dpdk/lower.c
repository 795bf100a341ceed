/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/lower.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/nic/netdevs.h"

/* below has room for all devices that there are. */
static int add(struct lowers *l, unsigned front, uint32_t ifindex, const struct netdevs *all,
	const struct netdev **below)
{
	size_t n = netdevs_below(all, ifindex, below);
	const struct netdev *own = netdevs_find(all, ifindex);
	struct lower *list = reallocarray(l->list, l->n + n + 1, sizeof *list);

	if (!list)
		return -ENOMEM;
	l->list = list;
	l->may_change |= own && *own->kind;
	for (size_t i = 0; i < n; i++) {
		struct lower *one = &list[l->n++];

		*one = (struct lower){ .front = front, .ifindex = below[i]->ifindex };
		memcpy(one->name, below[i]->name, sizeof one->name);
	}
	return 0;
}

static int find(struct lowers *l, const struct front *fronts, unsigned n, const struct netdevs *all)
{
	const struct netdev **below = calloc(all->n + 1, sizeof *below);
	int rc = below ? 0 : -ENOMEM;

	for (unsigned i = 0; i < n && !rc; i++)
		if (fronts[i].handover)
			rc = add(l, i, handover_nic_ifindex(fronts[i].handover), all, below);
	free(below);
	return rc;
}

int lowers_find(struct lowers *l, const struct front *fronts, unsigned n, struct err *e)
{
	struct netdevs all = { 0 };
	int rc = netdevs_read(&all);

	*l = (struct lowers){ 0 };
	if (!rc)
		rc = find(l, fronts, n, &all);
	netdevs_free(&all);
	if (!rc)
		return 0;
	lowers_free(l);
	return err_set(
		e, rc, "cannot find out which devices interfaces stand on: %s", strerror(-rc));
}

bool lowers_same(const struct lowers *a, const struct lowers *b)
{
	bool same = a->n == b->n;

	for (unsigned i = 0; i < a->n && same; i++)
		same = a->list[i].front == b->list[i].front &&
		       a->list[i].ifindex == b->list[i].ifindex &&
		       !strcmp(a->list[i].name, b->list[i].name);
	return same;
}

void lowers_free(struct lowers *l)
{
	free(l->list);
	*l = (struct lowers){ 0 };
}
