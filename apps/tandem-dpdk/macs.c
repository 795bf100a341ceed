/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/macs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/snapshot/read.h"

struct entry {
	uint32_t ifindex;
	uint8_t mac[6];
};

struct entries {
	struct entry *list;
	size_t n, room;
	bool failed;
};

static void keep(void *arg, uint32_t ifindex, const uint8_t mac[6])
{
	struct entries *l = arg;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct entry *list = reallocarray(l->list, room, sizeof *list);

		l->failed |= !list;
		if (!list)
			return;
		l->list = list;
		l->room = room;
	}
	l->list[l->n].ifindex = ifindex;
	memcpy(l->list[l->n++].mac, mac, sizeof l->list->mac);
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->ifindex != y->ifindex ? (x->ifindex > y->ifindex ? 1 : -1)
					: memcmp(x->mac, y->mac, sizeof x->mac);
}

static int take(struct macs *m, const struct entries *l)
{
	m->ifindexes = calloc(l->n + 1, sizeof *m->ifindexes);
	m->list = calloc(l->n + 1, sizeof *m->list);
	if (!m->ifindexes || !m->list)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++) {
		if (i && !compare(&l->list[i - 1], &l->list[i]))
			continue;
		m->ifindexes[m->n] = l->list[i].ifindex;
		memcpy(m->list[m->n++], l->list[i].mac, sizeof l->list[i].mac);
	}
	return 0;
}

int macs_read(struct macs *out, const struct l4_line *image, uint32_t lines)
{
	struct entries l = { 0 };
	int rc = snapshot_read_macs(image, lines, keep, &l);

	*out = (struct macs){ 0 };
	if (!rc && l.failed)
		rc = -ENOMEM;
	if (l.n)
		qsort(l.list, l.n, sizeof *l.list, compare);
	if (!rc)
		rc = take(out, &l);
	if (rc)
		macs_free(out);
	free(l.list);
	return rc;
}

void macs_free(struct macs *m)
{
	free(m->ifindexes);
	free(m->list);
	*m = (struct macs){ 0 };
}

bool macs_same(const struct macs *a, const struct macs *b)
{
	return a->n == b->n &&
	       (!a->n || (!memcmp(a->ifindexes, b->ifindexes, a->n * sizeof *a->ifindexes) &&
				 !memcmp(a->list, b->list, a->n * sizeof *a->list)));
}

const uint8_t (*macs_of(const struct macs *m, uint32_t ifindex, unsigned *n))[6]
{
	unsigned first = 0;

	while (first < m->n && m->ifindexes[first] != ifindex)
		first++;
	*n = 0;
	while (first + *n < m->n && m->ifindexes[first + *n] == ifindex)
		++*n;
	return (const uint8_t(*)[6])m->list + first;
}
