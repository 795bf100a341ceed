/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/tree.h"

uint32_t tree_keys(uint8_t af)
{
	return af == 6 ? L4_LIST6_KEYS : L4_LIST4_KEYS;
}

uint32_t tree_node_lines(uint8_t af)
{
	return af == 6 ? sizeof(struct l4_list6_node) / sizeof(struct l4_line) : 1;
}

/* How many nodes a level needs whose keys are each the first of `step` leaves. */
static uint32_t level_nodes(uint32_t n, uint64_t step, uint32_t keys)
{
	return (uint32_t)((n + step * keys - 1) / (step * keys));
}

struct tree_shape tree_shape(uint32_t n, uint8_t af)
{
	uint32_t keys = tree_keys(af);
	struct tree_shape s = { .n_levels = n > 0 };
	uint64_t step = 1;

	for (; level_nodes(n, step, keys) > 1; s.n_levels++)
		step *= keys;
	for (uint32_t i = 0; i < s.n_levels; i++, step /= keys) {
		s.levels[i].first = s.lines;
		s.levels[i].nodes = level_nodes(n, step, keys);
		s.lines += s.levels[i].nodes * tree_node_lines(af);
	}
	return s;
}

struct tree {
	const address_number *at;
	uint32_t n;
	uint8_t af;
};

/* Key number i of a level, of which each is the first of `step` leaves. */
static address_number key_of(const struct tree *t, uint64_t i, uint64_t step)
{
	if (i * step < t->n)
		return t->at[i * step];
	return t->af == 6 ? ~(address_number)0 : UINT32_MAX;
}

static void put_node(struct l4_line *line, const struct tree *t, uint64_t node, uint64_t step)
{
	struct l4_list4_node *four = (struct l4_list4_node *)line;
	struct l4_list6_node *six = (struct l4_list6_node *)line;

	for (uint32_t i = 0; t->af == 4 && i < L4_LIST4_KEYS; i++)
		four->keys[i] = (uint32_t)key_of(t, node * L4_LIST4_KEYS + i, step);
	for (uint32_t i = 0; t->af == 6 && i < L4_LIST6_KEYS; i++) {
		address_number key = key_of(t, node * L4_LIST6_KEYS + i, step);

		six->high[i] = (uint64_t)(key >> 64);
		six->low[i] = (uint64_t)key;
	}
}

void tree_put(struct l4_line *lines, const struct tree_shape *shape, const address_number *at,
	uint32_t n, uint8_t af)
{
	struct tree t = { at, n, af };
	uint64_t step = 1;

	for (uint32_t i = shape->n_levels; i--; step *= tree_keys(af))
		for (uint32_t k = 0; k < shape->levels[i].nodes; k++)
			put_node(&lines[shape->levels[i].first + k * tree_node_lines(af)], &t, k,
				step);
}
