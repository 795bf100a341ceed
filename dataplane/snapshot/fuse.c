/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/fuse.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/filter.h"

/* With one seed of ten or so it fails. */
enum { SEEDS = 64 };

/* While keys are taken away: how often an entry is named by one that is still there, and the exclusive or of their numbers. */
struct entry {
	uint32_t named, keys;
};

struct peel {
	const struct fuse *fuse;
	const struct fuse_key *keys;
	uint32_t n;
	struct entry *entries;
	uint32_t *alone; /* entries that one key names: once for each key */
	uint32_t n_alone;
};

/* Wider windows can be filled closer, while there are many of them. */
static uint32_t window_of(uint32_t stems)
{
	uint32_t n = 4;

	while ((uint64_t)n * n < 16ull * stems)
		n *= 2;
	return n;
}

static uint32_t entries_of(uint32_t stems, uint32_t windows)
{
	return stems + stems / 8 + stems / 32 + windows * window_of(stems);
}

static uint32_t lines_of(uint32_t entries)
{
	return entries / sizeof(struct l4_line) + 1;
}

uint32_t fuse_lines(uint32_t stems)
{
	return lines_of(entries_of(stems, 6)) + 1;
}

int fuse_keys_expect(struct fuse_keys *k, uint32_t n)
{
	struct fuse_key *at = realloc(k->at, ((size_t)k->n + n + 1) * sizeof *at);

	if (!at)
		return -ENOMEM;
	k->at = at;
	return 0;
}

void fuse_keys_free(struct fuse_keys *k)
{
	free(k->at);
	*k = (struct fuse_keys){ 0 };
}

static int compare_keys(const void *x, const void *y)
{
	const struct fuse_key *a = x, *b = y;

	return a->stem < b->stem ? -1 : a->stem > b->stem;
}

/* One key for each stem. */
static uint32_t merge(struct fuse_key *keys, uint32_t n)
{
	uint32_t n_stems = 0;

	if (n)
		qsort(keys, n, sizeof *keys, compare_keys);
	for (uint32_t i = 0; i < n; i++) {
		if (!n_stems || keys[n_stems - 1].stem != keys[i].stem)
			keys[n_stems++] = keys[i];
		else if (keys[n_stems - 1].kept != keys[i].kept)
			keys[n_stems - 1].kept = L4_COARSE_ANY;
	}
	return n_stems;
}

static struct l4_coarse_place place_of(const struct peel *p, uint32_t key)
{
	return l4_coarse_place(p->keys[key].stem, p->fuse->seed, p->fuse->starts, p->fuse->window);
}

static void put(struct peel *p, uint32_t entry, uint32_t key)
{
	p->entries[entry].named++;
	p->entries[entry].keys ^= key;
}

static void take(struct peel *p, uint32_t entry, uint32_t key)
{
	p->entries[entry].keys ^= key;
	if (--p->entries[entry].named == 1)
		p->alone[p->n_alone++] = entry;
}

/* Takes away keys that have an entry of their own, until none is left. Returns how many that were; their entries are the
 * first ones of p->alone, and p->entries says whose they are. */
static uint32_t peel(struct peel *p, uint32_t n_entries)
{
	uint32_t taken = 0;

	p->n_alone = 0;
	for (uint32_t i = 0; i < p->n; i++) {
		struct l4_coarse_place at = place_of(p, i);

		put(p, at.first, i);
		put(p, at.second, i);
		put(p, at.third, i);
	}
	for (uint32_t i = 0; i < n_entries; i++)
		if (p->entries[i].named == 1)
			p->alone[p->n_alone++] = i;
	for (uint32_t i = 0; i < p->n_alone; i++) {
		uint32_t entry = p->alone[i], key = p->entries[entry].keys;
		struct l4_coarse_place at;

		if (p->entries[entry].named != 1)
			continue;
		at = place_of(p, key);
		take(p, at.first, key);
		take(p, at.second, key);
		take(p, at.third, key);
		p->entries[entry].keys = key;
		p->alone[taken++] = entry;
	}
	return taken;
}

/* The last one that was taken has entries that no other one needs: it comes first. */
static void fill(const struct peel *p)
{
	uint8_t *bytes = (uint8_t *)p->fuse->lines;

	for (uint32_t i = p->n; i--;) {
		uint32_t entry = p->alone[i], key = p->entries[entry].keys;
		struct l4_coarse_place at = place_of(p, key);

		bytes[entry] = (uint8_t)(bytes[at.first] ^ bytes[at.second] ^ bytes[at.third] ^
					 at.check ^ p->keys[key].kept);
	}
}

static int build(struct fuse *f, struct peel *p, uint32_t n_entries, uint64_t secret)
{
	for (uint32_t i = 0; i < SEEDS; i++) {
		f->seed = (uint32_t)(l4_prefix_hash(secret + i, 64) >> 32);
		memset(p->entries, 0, n_entries * sizeof *p->entries);
		if (peel(p, n_entries) == p->n) {
			fill(p);
			return 0;
		}
	}
	return -EAGAIN;
}

int fuse_new(struct fuse *f, struct fuse_key *keys, uint32_t n, uint64_t secret)
{
	struct peel p = { .fuse = f, .keys = keys, .n = merge(keys, n) };
	uint32_t n_entries = entries_of(p.n, 3);
	int rc = -ENOMEM;

	f->n_lines = lines_of(n_entries);
	f->window = (uint16_t)(window_of(p.n) - 1);
	f->starts = n_entries - 2 * f->window;
	f->lines = calloc(f->n_lines, sizeof *f->lines);
	p.entries = malloc(n_entries * sizeof *p.entries);
	p.alone = malloc(n_entries * sizeof *p.alone);
	if (f->lines && p.entries && p.alone)
		rc = build(f, &p, n_entries, secret);
	free(p.entries);
	free(p.alone);
	if (rc)
		fuse_free(f);
	return rc;
}

void fuse_free(struct fuse *f)
{
	free(f->lines);
	*f = (struct fuse){ 0 };
}
