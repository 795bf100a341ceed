/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways to lists of sources (dataplane/l4/sources.h) of a body that needs none besides the functions themselves. */
#pragma once
#include "dataplane/l4/sources.h"

static bool l4_tables_fine(
	const struct l4_tables *t, const struct l4_guard *g, uint64_t first, uint32_t stem)
{
	return l4_filter_fine(t, g, first, stem);
}

static uint32_t l4_tables_list4_count(const struct l4_tables *t, uint32_t line, uint32_t address)
{
	return l4_list4_count(t, line, address);
}

static uint32_t l4_tables_list6_count(
	const struct l4_tables *t, uint32_t line, uint64_t high, uint64_t low)
{
	return l4_list6_count(t, line, high, low);
}
