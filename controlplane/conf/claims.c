/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/claims.h"
#include <stdlib.h>
#include <string.h>

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Two claims to the same thing compare as 0. */
static int compare_things(const struct conf_claim *a, const struct conf_claim *b)
{
	int order = compare_numbers(a->scope, b->scope);

	if (!order && a->word && b->word)
		order = strcmp(a->word, b->word);
	if (!order)
		order = addr_compare(&a->address, &b->address);
	if (!order)
		order = compare_numbers(a->port, b->port);
	return order ? order : compare_numbers(a->protocol, b->protocol);
}

static uint32_t offset_of(const struct conf_tree *t, const struct conf_claim *c)
{
	return conf_tree_object_spot(t, c->kind, c->object)->offset;
}

static int compare(const void *pa, const void *pb, void *tree)
{
	const struct conf_claim *a = pa, *b = pb;
	const struct conf_tree *t = tree;
	int order = compare_things(a, b);

	if (!order)
		order = compare_numbers(offset_of(t, a), offset_of(t, b));
	return order ? order : compare_numbers(a->service, b->service);
}

void conf_claims_clashes(
	const struct conf_tree *t, struct conf_claim *list, size_t n, conf_clash_fn fn, void *arg)
{
	size_t first = 0;

	qsort_r(list, n, sizeof *list, compare, (void *)t);
	for (size_t i = 1; i < n; i++) {
		if (compare_things(&list[first], &list[i]))
			first = i;
		else
			fn(arg, &list[first], &list[i]);
	}
}

static int compare_to_address(const void *address, const void *claim)
{
	return addr_compare(address, &((const struct conf_claim *)claim)->address);
}

const struct conf_claim *conf_claims_find(
	const struct conf_claim *list, size_t n, const struct addr *address)
{
	return bsearch(address, list, n, sizeof *list, compare_to_address);
}
