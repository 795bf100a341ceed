/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/sealed.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct head {
	uint64_t magic; /* this and the version: memfd.h */
	uint32_t version;
	uint32_t lines;
	uint32_t guard_first, n_guard;
	uint32_t n_rings, n_chunks;
	uint64_t pad[4];
};

_Static_assert(sizeof(struct head) == sizeof(struct l4_line), "lines behind it are aligned");

static const struct memfd_kind kind = {
	.name = "tandem-generation",
	.magic = 0x6e6567646e746d65,
	.version = L4_TABLES_VERSION,
	.head = sizeof(struct head),
	.another = "is no generation of tables",
};

/* Where the parts of a file begin, and where it ends: the head's numbers are of 32 bits, so that nothing overflows. */
struct places {
	uint64_t image, guard, rings, chunks, end;
};

static struct places places_of(const struct head *h)
{
	struct places p = { .image = sizeof *h };

	p.guard = p.image + h->lines * (uint64_t)sizeof(struct l4_line);
	p.chunks = p.guard + h->n_guard * (uint64_t)sizeof(struct l4_line);
	p.rings = p.chunks + h->n_chunks * (uint64_t)sizeof(struct l4_chunk);
	p.end = p.rings + h->n_rings * (uint64_t)sizeof(struct sealed_ring);
	return p;
}

static void put_rings(uint8_t *file, const struct places *p, const struct snapshot *sn)
{
	struct sealed_ring *rings = (struct sealed_ring *)(file + p->rings);
	struct l4_chunk *chunks = (struct l4_chunk *)(file + p->chunks);

	for (uint32_t i = 0; i < sn->n_rings; i++) {
		const struct snapshot_ring *r = &sn->rings[i];

		rings[i] = (struct sealed_ring){ r->chunk, r->chunks };
		memcpy(chunks, r->slots, r->chunks * sizeof *chunks);
		chunks += r->chunks;
	}
}

int sealed_write(const struct snapshot *sn, const struct sealed_guard *guard)
{
	struct head h = {
		.magic = kind.magic,
		.version = kind.version,
		.lines = sn->lines,
		.guard_first = guard->first,
		.n_guard = guard->n,
		.n_rings = sn->n_rings,
	};
	struct places p;
	struct memfd m;
	uint8_t *file;
	int fd;

	for (uint32_t i = 0; i < sn->n_rings; i++)
		h.n_chunks += sn->rings[i].chunks;
	p = places_of(&h);
	fd = memfd_make(&m, &kind, p.end);
	if (fd < 0)
		return fd;
	file = m.map;
	memcpy(file, &h, sizeof h);
	memcpy(file + p.image, sn->image, sn->lines * sizeof *sn->image);
	if (guard->n)
		memcpy(file + p.guard, guard->lines, guard->n * sizeof *guard->lines);
	put_rings(file, &p, sn);
	return memfd_seal(&m, fd);
}

static int check_head(const struct head *h, const struct sealed *s, const struct places *p,
	const struct sealed_limits *l, const char **why)
{
	if (p->end != s->file.size)
		return memfd_refuse(-EMSGSIZE, "has another length than it says", why);
	if (h->lines < L4_LINE_FIRST)
		return memfd_refuse(-EINVAL, "has no root", why);
	if (h->lines > l->lines)
		return memfd_refuse(-ENOSPC, "has more lines than the engine has room for", why);
	if (h->n_rings > l->chunks || h->n_chunks > l->chunks)
		return memfd_refuse(-ENOSPC, "has more rings than the engine has room for", why);
	if (h->guard_first > l->guard || h->n_guard > l->guard - h->guard_first)
		return memfd_refuse(
			-ENOSPC, "has lists of sources outside the engine's table", why);
	return 0;
}

static int check_root(struct sealed *s, const char **why)
{
	struct l4_root root;

	memcpy(&root, s->image, sizeof root);
	if (root.magic != L4_TABLES_MAGIC || root.version != L4_TABLES_VERSION || !root.generation)
		return memfd_refuse(-EINVAL, "has no root", why);
	s->generation = root.generation;
	return 0;
}

/* Takes a copy of where rings lie, and looks at that. */
static int take_rings(struct sealed *s, const struct head *h, const void *from,
	const struct sealed_limits *l, const char **why)
{
	uint64_t sum = 0;

	s->rings = malloc((h->n_rings + 1ull) * sizeof *s->rings);
	if (!s->rings)
		return memfd_refuse(-ENOMEM, "has more rings than there is memory for", why);
	memcpy(s->rings, from, h->n_rings * sizeof *s->rings);
	s->n_rings = h->n_rings;
	for (uint32_t i = 0; i < h->n_rings; i++) {
		const struct sealed_ring *r = &s->rings[i];

		if (r->chunk > l->chunks || r->chunks > l->chunks - r->chunk)
			return memfd_refuse(-ENOSPC, "has a ring outside the engine's table", why);
		sum += r->chunks;
	}
	return sum == h->n_chunks ? 0 : memfd_refuse(-EINVAL, "has other rings than it says", why);
}

int sealed_read(struct sealed *out, int fd, const struct sealed_limits *limits, const char **why)
{
	struct places p;
	struct head h;
	int rc;

	*out = (struct sealed){ 0 };
	rc = memfd_open(&out->file, fd, &kind, why);
	if (rc)
		return rc;
	memcpy(&h, out->file.map, sizeof h);
	p = places_of(&h);
	rc = check_head(&h, out, &p, limits, why);
	if (!rc) {
		const uint8_t *file = out->file.map;

		out->image = (const struct l4_line *)(file + p.image);
		out->lines = h.lines;
		out->guard.lines = (const struct l4_line *)(file + p.guard);
		out->guard.first = h.guard_first;
		out->guard.n = h.n_guard;
		out->chunks = (const struct l4_chunk *)(file + p.chunks);
		rc = check_root(out, why);
		if (!rc)
			rc = take_rings(out, &h, file + p.rings, limits, why);
	}
	if (rc)
		sealed_free(out);
	return rc;
}

void sealed_free(struct sealed *s)
{
	memfd_free(&s->file);
	free(s->rings);
	*s = (struct sealed){ 0 };
}
