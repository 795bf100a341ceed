/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/changes.h"
#include <errno.h>
#include <stdlib.h>

/* A prefix inside of another is longer, or the same one that denies. */
enum { DEPTH_MAX = 2 * 129 };

static unsigned address_bits(uint8_t af)
{
	return af == 6 ? 128 : 32;
}

/* As many ones as the prefix leaves open. */
static address_number open_bits(uint8_t af, uint8_t plen)
{
	unsigned open = address_bits(af) - plen;

	return open == 128 ? ~(address_number)0 : ((address_number)1 << open) - 1;
}

struct span span_of(uint8_t af, const uint8_t bytes[16], uint8_t plen, uint32_t answer)
{
	address_number a = 0;

	for (unsigned i = 0; i < address_bits(af) / 8; i++)
		a = a << 8 | bytes[i];
	return (struct span){ a & ~open_bits(af, plen), answer, plen };
}

address_number span_last(const struct span *s, uint8_t af)
{
	return s->first | open_bits(af, s->plen);
}

static uint32_t last_answer(const struct changes *c)
{
	return c->n ? c->answers[c->n - 1] : c->otherwise;
}

static void change(struct changes *c, address_number at, uint32_t answer)
{
	if (c->n && c->at[c->n - 1] == at)
		c->n--;
	if (answer == last_answer(c))
		return;
	c->at[c->n] = at;
	c->answers[c->n++] = answer;
}

static void sweep(struct changes *c, uint8_t af, const struct span *spans, uint32_t n)
{
	const struct span *open[DEPTH_MAX] = { NULL };
	address_number highest = open_bits(af, 0);
	unsigned depth = 0;

	for (uint32_t i = 0; i <= n; i++) {
		while (depth && (i == n || span_last(open[depth - 1], af) < spans[i].first)) {
			address_number last = span_last(open[--depth], af);

			if (last != highest)
				change(c, last + 1, depth ? open[depth - 1]->answer : c->otherwise);
		}
		if (i == n)
			break;
		open[depth++] = &spans[i];
		change(c, spans[i].first, spans[i].answer);
	}
}

int changes_new(
	struct changes *c, uint8_t af, const struct span *spans, uint32_t n, uint32_t otherwise)
{
	size_t most = 2 * (size_t)n + 1;

	*c = (struct changes){ .otherwise = otherwise,
		.at = malloc(most * sizeof *c->at),
		.answers = malloc(most * sizeof *c->answers) };
	if (!c->at || !c->answers) {
		changes_free(c);
		return -ENOMEM;
	}
	sweep(c, af, spans, n);
	return 0;
}

void changes_free(struct changes *c)
{
	free(c->at);
	free(c->answers);
	c->at = NULL;
	c->answers = NULL;
}

/* The wider first; of two that are the same the one that decides last. */
static int compare_spans(const void *x, const void *y)
{
	const struct span *a = x, *b = y;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->plen != b->plen)
		return a->plen - b->plen;
	return (int)a->answer - (int)b->answer;
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
			spans[n++] = span_of(af, p->bytes, p->plen, !p->allow);
		else if (p->allow)
			all_allowed = true;
		else
			all_denied = true;
	}
	*denies = all_denied || (list->only && !all_allowed);
	return n;
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

int changes_of_list(struct changes *c, uint8_t af, const struct snapshot_list *list)
{
	struct span *spans = malloc((list->n + 1u) * sizeof *spans);
	bool denies;
	uint32_t n;
	int rc;

	*c = (struct changes){ 0 };
	if (!spans)
		return -ENOMEM;
	n = collect(spans, list, af, &denies);
	qsort(spans, n, sizeof *spans, compare_spans);
	n = drop_twins(spans, n);
	rc = changes_new(c, af, spans, n, denies);
	free(spans);
	return rc;
}
