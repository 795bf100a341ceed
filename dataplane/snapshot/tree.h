/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorted addresses as a static tree in lines, in nodes of L4_LIST4_KEYS or L4_LIST6_KEYS (dataplane/l4/tables.h). Where its
 * levels lie and how many nodes they have follows from the number of addresses. */
#pragma once
#include "dataplane/snapshot/changes.h"

enum { TREE_LEVELS = 8, TREE_ADDRESSES = 1 << 24 /* at most */ };

_Static_assert((int)TREE_LEVELS >= (int)L4_LIST4_LEVELS && (int)TREE_LEVELS >= (int)L4_LIST6_LEVELS,
	"room for the levels of both");

struct tree_shape {
	uint32_t n_levels; /* 0: no addresses */
	uint32_t lines;	   /* of the whole tree */
	struct {
		uint32_t first; /* line, counted from the tree's first */
		uint32_t nodes;
	} levels[TREE_LEVELS]; /* the root's first */
};

/* How many keys a node has, and how many lines it takes. */
uint32_t tree_keys(uint8_t af);
uint32_t tree_node_lines(uint8_t af);

/* n: TREE_ADDRESSES at most. */
struct tree_shape tree_shape(uint32_t n, uint8_t af);

/* Writes a tree of so many sorted addresses, and of this shape. */
void tree_put(struct l4_line *lines, const struct tree_shape *shape, const address_number *at,
	uint32_t n, uint8_t af);
