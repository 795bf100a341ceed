/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/ports.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_addresses(const struct ports_range *a, const struct ports_range *b)
{
	return a->af != b->af ? a->af - b->af : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static int compare(const void *pa, const void *pb)
{
	const struct ports_range *a = pa, *b = pb;
	int order = compare_addresses(a, b);

	return order ? order : (a->from > b->from) - (a->from < b->from);
}

void ports_sort(struct ports_range *ranges, uint32_t n)
{
	qsort(ranges, n, sizeof *ranges, compare);
}

uint32_t ports_same(const struct ports_range *ranges, uint32_t n)
{
	uint32_t same = 0;

	while (same < n && !compare_addresses(&ranges[0], &ranges[same]))
		same++;
	return same;
}

/* Each range begins and ends. */
uint32_t ports_lines(uint32_t ranges)
{
	enum { ENTRIES = sizeof(struct l4_line) / sizeof(((struct l4_ports *)0)->entries[0]) };

	return (2 * ranges + ENTRIES - 1) / ENTRIES;
}

int ports_fill(const struct ports_range *ranges, uint32_t n, struct l4_ports *table)
{
	int used = 0;

	if (n > L4_PORTS_RANGES)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		const struct ports_range *r = &ranges[i], *next = i + 1 < n ? r + 1 : NULL;

		if (r->to < r->from || (next && next->from <= r->to))
			return -EINVAL;
		table->entries[used].from = r->from;
		table->entries[used++].line = r->line;
		if (!next || next->from != r->to + 1) {
			table->entries[used].from = r->to + 1;
			table->entries[used++].line = 0;
		}
	}
	return used;
}
