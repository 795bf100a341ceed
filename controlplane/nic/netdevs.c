/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/netdevs.h"
#include <errno.h>
#include <stdlib.h>

struct reading {
	struct netdevs *all;
	bool failed;
};

static bool keep(void *arg, const struct netdev *d)
{
	struct reading *r = arg;
	struct netdevs *all = r->all;

	if (all->n == all->room) {
		size_t room = all->room ? all->room * 2 : 16;
		struct netdev *list = reallocarray(all->list, room, sizeof *list);

		r->failed = !list;
		if (!list)
			return false;
		all->list = list;
		all->room = room;
	}
	all->list[all->n++] = *d;
	return true;
}

int netdevs_read(struct netdevs *all)
{
	struct reading r = { .all = all };
	int rc = netdev_each(keep, &r);

	return r.failed ? -ENOMEM : rc;
}

void netdevs_free(struct netdevs *all)
{
	free(all->list);
	*all = (struct netdevs){ 0 };
}

const struct netdev *netdevs_find(const struct netdevs *all, uint32_t ifindex)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].ifindex == ifindex)
			return &all->list[i];
	return NULL;
}

static bool is_among(const struct netdev *d, const struct netdev *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == d)
			return true;
	return false;
}

static bool carries(const struct netdev *d, const struct netdev *upper)
{
	return d->master == upper->ifindex || d->ifindex == netdev_lower(upper);
}

size_t netdevs_below(const struct netdevs *all, uint32_t ifindex, const struct netdev **below)
{
	const struct netdev *upper = netdevs_find(all, ifindex);
	size_t n = 0;

	for (size_t next = 0; upper; upper = next < n ? below[next++] : NULL)
		for (size_t i = 0; i < all->n; i++) {
			const struct netdev *d = &all->list[i];

			if (carries(d, upper) && d->ifindex != ifindex && !is_among(d, below, n))
				below[n++] = d;
		}
	return n;
}
