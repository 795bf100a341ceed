/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/changes.h"
#include <errno.h>
#include <stdlib.h>

/* A prefix inside of another is longer, or the same one that denies. */
enum { DEPTH_MAX = 2 * 129 };

struct span {
	address_number first, last;
	uint8_t plen;
	bool denies;
};

static unsigned address_bits(uint8_t af)
{
	return af == 6 ? 128 : 32;
}

/* As many ones as the prefix leaves open. */
static address_number prefix_rest(const struct snapshot_prefix *p)
{
	unsigned open = address_bits(p->af) - p->plen;

	return open == 128 ? ~(address_number)0 : ((address_number)1 << open) - 1;
}

address_number prefix_first(const struct snapshot_prefix *p)
{
	address_number a = 0;

	for (unsigned i = 0; i < address_bits(p->af) / 8; i++)
		a = a << 8 | p->bytes[i];
	return a & ~prefix_rest(p);
}

address_number prefix_last(const struct snapshot_prefix *p)
{
	return prefix_first(p) | prefix_rest(p);
}

/* The wider first; of two that are the same the one that decides last. */
static int compare_spans(const void *x, const void *y)
{
	const struct span *a = x, *b = y;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->plen != b->plen)
		return a->plen - b->plen;
	return a->denies - b->denies;
}

/* The family's prefixes, but for those that hold every address: they say what holds without the others. */
static uint32_t collect(
	struct span *spans, const struct snapshot_list *list, uint8_t af, bool *denies)
{
	bool all_allowed = false, all_denied = false;
	uint32_t n = 0;

	for (uint32_t i = 0; i < list->n; i++) {
		const struct snapshot_prefix *p = &list->prefixes[i];

		if (p->af != af)
			continue;
		if (p->plen)
			spans[n++] = (struct span){ prefix_first(p), prefix_last(p), p->plen,
				!p->allow };
		else if (p->allow)
			all_allowed = true;
		else
			all_denied = true;
	}
	*denies = all_denied || (list->only && !all_allowed);
	return n;
}

/* From this address on the answer is `denies`. */
static void change(struct changes *c, address_number at, bool denies)
{
	if (c->n && c->at[c->n - 1] == at)
		c->n--;
	if (denies != (c->denies ^ (c->n & 1)))
		c->at[c->n++] = at;
}

static void sweep(struct changes *c, const struct span *spans, uint32_t n, address_number highest)
{
	const struct span *open[DEPTH_MAX] = { NULL };
	unsigned depth = 0;

	for (uint32_t i = 0; i <= n; i++) {
		while (depth && (i == n || open[depth - 1]->last < spans[i].first)) {
			address_number last = open[--depth]->last;

			if (last != highest)
				change(c, last + 1, depth ? open[depth - 1]->denies : c->denies);
		}
		if (i == n)
			break;
		open[depth++] = &spans[i];
		change(c, spans[i].first, spans[i].denies);
	}
}

/* The same prefix twice would lie in itself once more each time. */
static uint32_t drop_twins(struct span *spans, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!kept || compare_spans(&spans[kept - 1], &spans[i]))
			spans[kept++] = spans[i];
	return kept;
}

int changes_new(struct changes *c, const struct snapshot_list *list, uint8_t af)
{
	struct span *spans = malloc((list->n + 1u) * sizeof *spans);
	uint32_t n;

	*c = (struct changes){ .at = malloc((2 * (size_t)list->n + 1) * sizeof *c->at) };
	if (!spans || !c->at) {
		free(spans);
		changes_free(c);
		return -ENOMEM;
	}
	n = collect(spans, list, af, &c->denies);
	qsort(spans, n, sizeof *spans, compare_spans);
	n = drop_twins(spans, n);
	sweep(c, spans, n, af == 6 ? ~(address_number)0 : UINT32_MAX);
	free(spans);
	return 0;
}

void changes_free(struct changes *c)
{
	free(c->at);
	c->at = NULL;
}
