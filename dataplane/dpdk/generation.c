/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/generation.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* In a file, so that a control plane that starts anew can read the rings, and nobody else can write them. Slots are read all over it:
 * it lies in huge pages where there are enough. */
static int map_area(struct generation_area *a)
{
	enum { HUGE_PAGE = 2 << 20 };
	static const unsigned flags[] = { MFD_HUGETLB, 0 };

	a->map_size = (a->map_size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
		a->fd = memfd_create("tandem-rings", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags[i]);
		if (a->fd < 0)
			continue;
		a->map = ftruncate(a->fd, (off_t)a->map_size)
				 ? MAP_FAILED
				 : mmap(NULL, a->map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
					   a->fd, 0);
		if (a->map != MAP_FAILED &&
			!fcntl(a->fd, F_ADD_SEALS,
				F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL))
			return 0;
		if (a->map != MAP_FAILED)
			munmap(a->map, a->map_size);
		close(a->fd);
	}
	return -ENOMEM;
}

static struct generation_area *area_new(const struct sealed_limits *limits)
{
	struct generation_area *a = calloc(1, sizeof *a);
	size_t chunks = limits->chunks * sizeof *a->chunks;

	if (!a)
		return NULL;
	a->map_size = chunks + limits->guard * sizeof *a->guard;
	if (map_area(a)) {
		free(a);
		return NULL;
	}
	a->chunks = a->map;
	a->guard = (struct l4_line *)((uint8_t *)a->map + chunks);
	a->n_chunks = limits->chunks;
	a->n_guard = limits->guard;
	return a;
}

static void area_put(struct generation_area *a)
{
	if (--a->users)
		return;
	munmap(a->map, a->map_size);
	close(a->fd);
	free(a);
}

static void fill(struct generation_area *a, const struct sealed *s)
{
	const struct l4_chunk *from = s->chunks;

	for (uint32_t i = 0; i < s->n_rings; i++) {
		memcpy(&a->chunks[s->rings[i].chunk], from, s->rings[i].chunks * sizeof *from);
		from += s->rings[i].chunks;
	}
	if (s->guard.n)
		memcpy(&a->guard[s->guard.first], s->guard.lines,
			s->guard.n * sizeof *s->guard.lines);
}

/* The area of a generation that has been read. */
static struct generation_area *area_for(const struct sealed *s, uint64_t after,
	const struct generation *before, const struct sealed_limits *limits)
{
	struct generation_area *a = after ? before->area : area_new(limits);

	if (!a)
		return NULL;
	a->users++;
	fill(a, s);
	return a;
}

int generation_take(struct generation **out, int fd, uint64_t after,
	const struct generation *before, const struct sealed_limits *limits, const char **why)
{
	struct generation *g = calloc(1, sizeof *g);
	int rc;

	*why = "is more than there is memory for";
	if (!g)
		return -ENOMEM;
	rc = sealed_read(&g->sealed, fd, limits, why);
	if (!rc && after && (!before || before->sealed.generation != after)) {
		*why = "goes on from another generation than the engine has";
		rc = -ESTALE;
	}
	if (!rc) {
		g->area = area_for(&g->sealed, after, before, limits);
		rc = g->area ? 0 : -ENOMEM;
	}
	if (rc) {
		sealed_free(&g->sealed);
		free(g);
		return rc;
	}
	*out = g;
	return 0;
}

void generation_free(struct generation *g)
{
	if (!g)
		return;
	area_put(g->area);
	sealed_free(&g->sealed);
	free(g);
}
