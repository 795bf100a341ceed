/* SPDX-License-Identifier: BSD-2-Clause */
/* Looks routes up in a table of them (dataplane/snapshot/routes.h), without a branch that depends on the address. Every number that a table
 * names is checked when it is used: whoever made it, no address leads out of it. */
#pragma once
#include "dataplane/snapshot/routes.h"

static inline uint32_t routes_least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The node below the last of so many keys of a level; below the first where there are none, all of whose keys are above the
 * address too. */
static inline uint32_t routes_node(const struct routes_tree *t, uint32_t level, uint32_t count)
{
	return routes_least(count - (count > 0), t->levels[level].last);
}

static inline uint32_t routes_node_count4(const struct l4_list4_node *node, uint32_t address)
{
	uint32_t n = 0;

	for (int i = 0; i < L4_LIST4_KEYS; i++)
		n += node->keys[i] <= address;
	return n;
}

static inline uint32_t routes_node_count6(
	const struct l4_list6_node *node, uint64_t high, uint64_t low)
{
	uint32_t n = 0;

	for (int i = 0; i < L4_LIST6_KEYS; i++)
		n += (node->high[i] < high) | ((node->high[i] == high) & (node->low[i] <= low));
	return n;
}

/* What holds from the last of so many changes on. */
static inline const struct l4_route *routes_answer(
	const struct route_table *t, const struct routes_tree *tree, uint32_t count)
{
	uint32_t number = tree->answers[routes_least(count, tree->n)];

	return number - 1 < t->n_routes ? &t->routes[number - 1] : NULL;
}

/* The route to an address, in host order; NULL: there is none. */
static inline const struct l4_route *routes_find4(const struct route_table *t, uint32_t address)
{
	const struct routes_tree *tree = &t->trees[0];
	uint32_t n = 0;

	for (uint32_t i = 0; i < tree->n_levels; i++) {
		uint32_t at = routes_node(tree, i, n);
		const struct l4_list4_node *node =
			(const struct l4_list4_node *)tree->levels[i].lines + at;

		n = at * L4_LIST4_KEYS + routes_node_count4(node, address);
	}
	return routes_answer(t, tree, n);
}

/* high: the first eight bytes of the address. */
static inline const struct l4_route *routes_find6(
	const struct route_table *t, uint64_t high, uint64_t low)
{
	const struct routes_tree *tree = &t->trees[1];
	uint32_t n = 0;

	for (uint32_t i = 0; i < tree->n_levels; i++) {
		uint32_t at = routes_node(tree, i, n);
		const struct l4_list6_node *node =
			(const struct l4_list6_node *)tree->levels[i].lines + at;

		n = at * L4_LIST6_KEYS + routes_node_count6(node, high, low);
	}
	return routes_answer(t, tree, n);
}
