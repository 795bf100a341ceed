/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/paths.h"
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/build.h"

struct path {
	struct addr to;
	uint16_t mtu;
	uint64_t until;
};

struct paths {
	struct path *list; /* in the order of their addresses */
	unsigned n;
};

struct paths *paths_new(void)
{
	return calloc(1, sizeof(struct paths));
}

void paths_free(struct paths *p)
{
	if (p)
		free(p->list);
	free(p);
}

static bool is_source(const struct snapshot_member *m, const struct addr *from)
{
	struct addr source = { .af = m->af };
	uint8_t plen = (uint8_t)(addr_size(from) * 8 - m->source_bits);

	memcpy(source.bytes, m->source, sizeof source.bytes);
	return addr_is_unicast(&source) && addr_in_prefix(from, &source, plen);
}

bool paths_are_ours(
	const struct build *b, const struct addr *from, const struct addr *to, uint16_t port)
{
	for (uint32_t i = 0; b && i < b->input.n_members; i++) {
		const struct snapshot_member *m = &b->members[i];

		if (m->af == to->af && m->af == from->af && m->gue_port == port &&
			!memcmp(m->bytes, to->bytes, addr_size(to)) && is_source(m, from))
			return true;
	}
	return false;
}

/* The place of the first that is not before it. */
static unsigned place(const struct paths *p, const struct addr *to)
{
	unsigned first = 0, n = p->n;

	while (n) {
		unsigned half = n / 2;

		if (addr_compare(&p->list[first + half].to, to) < 0) {
			first += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return first;
}

static struct path *find(const struct paths *p, const struct addr *to)
{
	unsigned at = place(p, to);

	return at < p->n && addr_equal(&p->list[at].to, to) ? &p->list[at] : NULL;
}

static struct path *add(struct paths *p, const struct addr *to)
{
	struct path *list = realloc(p->list, (p->n + 1) * sizeof *list);
	unsigned at;

	if (!list)
		return NULL;
	p->list = list;
	at = place(p, to);
	memmove(&list[at + 1], &list[at], (p->n - at) * sizeof *list);
	p->n++;
	list[at] = (struct path){ .to = *to, .mtu = UINT16_MAX };
	return &list[at];
}

/* Routers from before RFC 1191 say 0, and liars anything. */
static uint16_t believed(const struct addr *to, uint32_t mtu)
{
	uint16_t least = to->af == 6 ? PATHS_MIN6 : PATHS_MIN4;

	return mtu < least ? least : mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
}

bool paths_told(struct paths *p, const struct addr *to, uint32_t mtu, uint64_t now)
{
	uint16_t fits = believed(to, mtu);
	struct path *path = find(p, to);
	bool narrower;

	if (!path)
		path = add(p, to);
	if (!path || fits > path->mtu)
		return false;
	narrower = fits < path->mtu;
	path->mtu = fits;
	path->until = now + PATHS_AGE_MS;
	return narrower;
}

uint16_t paths_mtu(const struct paths *p, const struct addr *to)
{
	const struct path *path = find(p, to);

	return path ? path->mtu : 0;
}

bool paths_expire(struct paths *p, uint64_t now)
{
	unsigned kept = 0, n = p->n;

	for (unsigned i = 0; i < n; i++)
		if (p->list[i].until > now)
			p->list[kept++] = p->list[i];
	p->n = kept;
	return kept < n;
}

uint64_t paths_next(const struct paths *p)
{
	uint64_t next = 0;

	for (unsigned i = 0; i < p->n; i++)
		if (!next || p->list[i].until < next)
			next = p->list[i].until;
	return next;
}
