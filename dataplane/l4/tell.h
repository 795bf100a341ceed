/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How stages tell what a traced packet comes by. The body defines, before it includes this file:
 *
 *   struct l4_way *l4_tables_way(const struct l4_tables *t);
 *       what a traced packet tells, or NULL: it is not traced
 */
#pragma once
#include "dataplane/l4/trace.h"

L4_INLINE void l4_tell(const struct l4_tables *t, enum l4_step_kind kind, uint64_t a, uint64_t b)
{
	struct l4_way *way = l4_tables_way(t);

	if (way)
		l4_way_add(way, kind, a, b);
}
