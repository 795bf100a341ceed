/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/guard.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/filter.h"
#include "dataplane/snapshot/changes.h"
#include "dataplane/snapshot/fuse.h"
#include "dataplane/snapshot/tree.h"

enum {
	SHORT_LINES = (1 << L4_SHORT_BITS) / L4_FILTER_LINE_BITS,
	FINE_PREFIXES = 32, /* a line, at most, on average: 16 bits each */
	SPARE_LINES = 1024, /* for what lists have besides their keys */
};

struct half {
	struct guard_filters filters;
	uint32_t first, used;	  /* lines */
	struct fuse_keys keys[2]; /* of IPv4's coarse filter, and IPv6's */
	struct guard_place *places;
	uint64_t *digests; /* of the lists that it holds */
	uint32_t n_lists;
};

struct guard_store {
	struct l4_line *lines;
	uint32_t prefixes, half_lines, filter_lines;
	struct half halves[2];
	unsigned live;	/* which half the published generation uses */
	unsigned taken; /* which one has the lists that were taken last */
};

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = 1;

	while (n < at_least)
		n *= 2;
	return n;
}

static uint32_t fine_lines(uint32_t prefixes)
{
	return 2 * power_of_two(prefixes / (2 * FINE_PREFIXES)); /* two, at least, for shift_to() */
}

/* The short ones of each family, and the fine table. */
static uint32_t filter_lines(uint32_t prefixes)
{
	return 2 * SHORT_LINES + fine_lines(prefixes);
}

/* A prefix gives two keys at most. Those of IPv6 are the dearer: eight to two lines, and a seventh of that once more for
 * the levels above, which is less than 5/8 of a line for a prefix. */
static uint32_t half_lines(uint32_t prefixes)
{
	return filter_lines(prefixes) + SPARE_LINES + prefixes / 8 * 5;
}

uint32_t guard_store_lines(uint32_t prefixes)
{
	return prefixes ? 2 * half_lines(prefixes) : 0;
}

uint32_t guard_store_image_lines(uint32_t prefixes)
{
	return 2 * L4_SHORTEST_LINES + fuse_lines(prefixes);
}

/* Where filters begin for which guard lines are set aside. */
static struct guard_filters filters_at(uint32_t line)
{
	return (struct guard_filters){
		.families = { { .shorts = line }, { .shorts = line + SHORT_LINES } },
		.fine = line + 2 * SHORT_LINES,
	};
}

struct guard_store *guard_store_new(struct l4_line *lines, uint32_t prefixes)
{
	struct guard_store *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->lines = lines;
	s->prefixes = prefixes;
	s->half_lines = prefixes ? half_lines(prefixes) : 0;
	s->filter_lines = prefixes ? filter_lines(prefixes) : 0;
	for (unsigned i = 0; i < 2; i++) {
		struct half *h = &s->halves[i];

		h->first = h->used = i * s->half_lines;
		h->filters = filters_at(h->first);
	}
	return s;
}

static void half_forget(struct half *h)
{
	for (int i = 0; i < 2; i++) {
		fuse_keys_free(&h->keys[i]);
		fuse_free(&h->filters.families[i].coarse);
	}
	free(h->places);
	free(h->digests);
	h->places = NULL;
	h->digests = NULL;
	h->n_lists = 0;
}

void guard_store_free(struct guard_store *s)
{
	if (!s)
		return;
	half_forget(&s->halves[0]);
	half_forget(&s->halves[1]);
	free(s);
}

/* Takes n zeroed lines of a half; 0 when it is full. */
static uint32_t half_take(const struct guard_store *s, struct half *h, uint32_t n)
{
	uint32_t line = h->used;

	if (n > h->first + s->half_lines - h->used)
		return 0;
	h->used += n;
	memset(&s->lines[line], 0, n * sizeof *s->lines);
	return line;
}

static void set_bits(struct l4_line *lines, uint32_t first, uint32_t last)
{
	for (uint32_t bit = first; bit <= last; bit++) {
		uint64_t *word = &lines[bit / L4_FILTER_LINE_BITS].words[bit / 64 % 8];

		if (bit % 64 == 0 && last - bit >= 63) {
			*word = UINT64_MAX;
			bit += 63;
		} else {
			*word |= 1ull << bit % 64;
		}
	}
}

/* In the fine table: the prefix, by so many of its bits, under its stem. */
static void set_fine(const struct guard_store *s, const struct guard_filters *f, uint64_t first,
	uint32_t stem_bits, uint32_t bits)
{
	uint64_t stem = l4_stem_hash(first, stem_bits), hash = l4_prefix_hash(first, bits);
	struct l4_line *line = &s->lines[f->fine + (uint32_t)(stem >> f->fine_shift)];

	for (int i = 0; i < L4_FILTER_WORDS; i++)
		line->words[l4_filter_word(hash, i)] |= l4_filter_bits(hash, i);
}

/* What a family's coarse filter is to say of a stem. */
static void add_coarse(struct half *h, int is6, uint64_t first, uint32_t stem_bits, uint32_t kept)
{
	struct fuse_keys *k = &h->keys[is6];

	k->at[k->n++] = (struct fuse_key){ first >> (64 - stem_bits), (uint8_t)kept };
}

static void set_short(
	const struct guard_store *s, struct guard_family *f, uint64_t first, uint64_t last)
{
	set_bits(f->shortest, (uint32_t)(first >> (64 - L4_SHORTEST_BITS)),
		(uint32_t)(last >> (64 - L4_SHORTEST_BITS)));
	set_bits(&s->lines[f->shorts], (uint32_t)(first >> (64 - L4_SHORT_BITS)),
		(uint32_t)(last >> (64 - L4_SHORT_BITS)));
}

static enum l4_prefix_class class_of(const struct snapshot_prefix *p)
{
	if (p->plen < (p->af == 6 ? L4_STEM6_BITS : L4_STEM4_BITS))
		return L4_CLASS_SHORT;
	return p->plen < (p->af == 6 ? L4_STEM6_LONG_BITS : L4_STEM4_LONG_BITS) ? L4_CLASS_STEM
										: L4_CLASS_LONG;
}

/* An IPv4 prefix with a stem has the same one at any length; a long IPv6 one has a longer one. */
static void half_filter4(const struct guard_store *s, struct half *h,
	const struct snapshot_prefix *p, uint64_t first)
{
	uint32_t kept = class_of(p) == L4_CLASS_LONG ? l4_coarse_rest4(first) : L4_COARSE_ANY;

	add_coarse(h, 0, first, L4_STEM4_BITS, kept);
	set_fine(s, &h->filters, first, L4_STEM4_BITS, p->plen & ~1u);
}

static void half_filter6(const struct guard_store *s, struct half *h,
	const struct snapshot_prefix *p, uint64_t first)
{
	uint32_t stem = class_of(p) == L4_CLASS_LONG ? L4_STEM6_LONG_BITS : L4_STEM6_BITS;

	add_coarse(h, 1, first, stem, L4_COARSE_ANY);
	set_fine(s, &h->filters, first, stem, p->plen > 64 ? 64 : p->plen & ~7u);
}

/* A prefix of no bits says what holds for sources that no other prefix names. */
static void half_filter(
	const struct guard_store *s, struct half *h, const struct snapshot_prefix *p)
{
	struct guard_family *family = &h->filters.families[p->af == 6];
	struct span span = span_of(p->af, p->bytes, p->plen, 0);
	unsigned shift = p->af == 6 ? 64 : 0;
	uint64_t first = (uint64_t)(span.first >> shift);
	uint64_t last = (uint64_t)(span_last(&span, p->af) >> shift);

	if (!p->plen)
		return;
	if (p->af == 4) {
		first <<= 32;
		last <<= 32;
	}
	family->classes |= class_of(p);
	if (class_of(p) == L4_CLASS_SHORT)
		set_short(s, family, first, last);
	else if (p->af == 4)
		half_filter4(s, h, p, first);
	else
		half_filter6(s, h, p, first);
}

static int half_tree(const struct guard_store *s, struct half *h, const struct changes *c,
	uint8_t af, uint32_t *line)
{
	struct tree_shape shape = tree_shape(c->n, af);
	struct l4_list *list;

	*line = half_take(s, h, 1 + shape.lines);
	if (!*line)
		return -ENOSPC;
	list = (struct l4_list *)&s->lines[*line];
	list->n = c->n;
	list->n_levels = shape.n_levels;
	for (uint32_t i = 0; i < shape.n_levels; i++)
		list->levels[i] = *line + 1 + shape.levels[i].first;
	tree_put(&s->lines[*line + 1], &shape, c->at, c->n, af);
	return 0;
}

static int half_list(const struct guard_store *s, struct half *h, const struct snapshot_list *list,
	uint8_t af, uint32_t *line, bool *denies)
{
	struct changes c;
	int rc = changes_of_list(&c, af, list);

	if (rc)
		return rc;
	*denies = c.otherwise;
	*line = 0;
	if (c.n)
		rc = half_tree(s, h, &c, af, line);
	changes_free(&c);
	return rc;
}

static bool lists_are_same(const struct snapshot_list *a, const struct snapshot_list *b)
{
	if (a->digest != b->digest || a->n != b->n || a->only != b->only)
		return false;
	return a->prefixes == b->prefixes ||
	       !memcmp(a->prefixes, b->prefixes, a->n * sizeof *a->prefixes);
}

/* Services often share a file: their lists are the same, and lie there once. */
static int half_place(
	const struct guard_store *s, struct half *h, const struct snapshot_input *in, uint32_t i)
{
	const struct snapshot_list *list = &in->lists[i];
	struct guard_place *place = &h->places[i];
	int rc;

	for (uint32_t k = 0; k < i; k++)
		if (lists_are_same(&in->lists[k], list)) {
			*place = h->places[k];
			return 0;
		}
	if (fuse_keys_expect(&h->keys[0], list->n) || fuse_keys_expect(&h->keys[1], list->n))
		return -ENOMEM;
	for (uint32_t k = 0; k < list->n; k++)
		half_filter(s, h, &list->prefixes[k]);
	rc = half_list(s, h, list, 4, &place->list4, &place->denies4);
	return rc ? rc : half_list(s, h, list, 6, &place->list6, &place->denies6);
}

static bool half_holds(const struct half *h, const struct snapshot_input *in)
{
	if (h->n_lists != in->n_lists)
		return false;
	for (uint32_t i = 0; i < in->n_lists; i++)
		if (h->digests[i] != in->lists[i].digest)
			return false;
	return true;
}

uint32_t guard_filters_lines(const struct guard_filters *f)
{
	return 2 * L4_SHORTEST_LINES + f->families[0].coarse.n_lines +
	       f->families[1].coarse.n_lines;
}

/* From a hash to so many numbers, a power of two. */
static uint32_t shift_to(uint32_t n)
{
	return 64 - (uint32_t)__builtin_ctz(n);
}

/* Empties the filters, and makes the fine one as large as the prefixes want it. Lists that are the same are counted twice. */
static void half_fit(const struct guard_store *s, struct half *h, const struct snapshot_input *in)
{
	struct guard_family *f = h->filters.families;
	uint32_t n = 0;

	for (uint32_t i = 0; i < in->n_lists && n < s->prefixes; i++)
		n += in->lists[i].n < s->prefixes - n ? in->lists[i].n : s->prefixes - n;
	h->filters.fine_shift = shift_to(fine_lines(n));
	for (int i = 0; i < 2; i++) {
		f[i].classes = 0;
		memset(f[i].shortest, 0, sizeof f[i].shortest);
	}
}

static int half_fuse(struct half *h, const struct snapshot_input *in)
{
	uint64_t secret;
	int rc = 0;

	memcpy(&secret, in->key, sizeof secret);
	for (int i = 0; i < 2 && !rc; i++)
		rc = fuse_new(&h->filters.families[i].coarse, h->keys[i].at, h->keys[i].n, secret);
	fuse_keys_free(&h->keys[0]);
	fuse_keys_free(&h->keys[1]);
	return rc;
}

static bool has_prefixes(const struct snapshot_input *in)
{
	for (uint32_t i = 0; i < in->n_lists; i++)
		if (in->lists[i].n)
			return true;
	return false;
}

static int half_fill(const struct guard_store *s, struct half *h, const struct snapshot_input *in)
{
	int rc = 0;

	half_forget(h);
	h->used = h->first;
	h->places = calloc(in->n_lists + 1u, sizeof *h->places);
	h->digests = calloc(in->n_lists + 1u, sizeof *h->digests);
	if (!h->places || !h->digests)
		return -ENOMEM;
	if (has_prefixes(in) && !s->half_lines)
		return -ENOSPC;
	if (s->half_lines)
		half_take(s, h, s->filter_lines);
	half_fit(s, h, in);
	for (uint32_t i = 0; i < in->n_lists && !rc; i++) {
		h->digests[i] = in->lists[i].digest;
		rc = half_place(s, h, in, i);
	}
	h->n_lists = in->n_lists;
	return rc ? rc : half_fuse(h, in);
}

int guard_store_take(struct guard_store *s, const struct snapshot_input *in)
{
	struct half *next = &s->halves[!s->live];
	int rc = 0;

	s->taken = s->live;
	if (half_holds(&s->halves[s->live], in))
		return 0;
	rc = half_fill(s, next, in);
	if (rc)
		half_forget(next);
	else
		s->taken = !s->live;
	return rc;
}

void guard_store_commit(struct guard_store *s)
{
	s->live = s->taken;
}

void guard_store_abort(struct guard_store *s)
{
	if (s->taken != s->live)
		half_forget(&s->halves[s->taken]);
	s->taken = s->live;
}

static struct guard_span half_span(const struct half *h)
{
	return (struct guard_span){ h->first, h->used - h->first };
}

struct guard_span guard_store_fresh(const struct guard_store *s)
{
	return s->taken == s->live ? (struct guard_span){ 0, 0 } : half_span(&s->halves[s->taken]);
}

struct guard_span guard_store_live(const struct guard_store *s)
{
	return half_span(&s->halves[s->live]);
}

const struct guard_place *guard_store_place(const struct guard_store *s, uint32_t list)
{
	return &s->halves[s->taken].places[list];
}

const struct guard_filters *guard_store_filters(const struct guard_store *s)
{
	return &s->halves[s->taken].filters;
}
