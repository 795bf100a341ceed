/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_FIRST_ROOM = 64 };

void host_table_init(struct host_table *t, size_t row_size, host_compare_fn compare)
{
	*t = (struct host_table){ .row_size = row_size, .compare = compare };
}

void host_table_fini(struct host_table *t)
{
	free(t->rows);
	t->rows = NULL;
	t->n = t->room = 0;
}

void *host_table_row(const struct host_table *t, size_t i)
{
	return t->rows + i * t->row_size;
}

size_t host_table_lower(const struct host_table *t, const void *key)
{
	size_t first = 0, n = t->n;

	while (n) {
		size_t half = n / 2;

		if (t->compare(host_table_row(t, first + half), key) < 0) {
			first += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return first;
}

void *host_table_find(const struct host_table *t, const void *key)
{
	size_t i = host_table_lower(t, key);

	if (i == t->n || t->compare(host_table_row(t, i), key))
		return NULL;
	return host_table_row(t, i);
}

static int table_grow(struct host_table *t)
{
	size_t room = t->room ? 2 * t->room : TABLE_FIRST_ROOM;
	unsigned char *rows;

	if (t->n < t->room)
		return 0;
	rows = reallocarray(t->rows, room, t->row_size);
	if (!rows)
		return -ENOMEM;
	t->rows = rows;
	t->room = room;
	return 0;
}

int host_table_put(struct host_table *t, const void *row)
{
	size_t i = host_table_lower(t, row);
	unsigned char *place;

	if (i == t->n || t->compare(host_table_row(t, i), row)) {
		if (table_grow(t))
			return -ENOMEM;
		place = host_table_row(t, i);
		memmove(place + t->row_size, place, (t->n - i) * t->row_size);
		t->n++;
	}
	memcpy(host_table_row(t, i), row, t->row_size);
	return 0;
}

void host_table_remove(struct host_table *t, size_t i)
{
	unsigned char *place = host_table_row(t, i);

	t->n--;
	memmove(place, place + t->row_size, (t->n - i) * t->row_size);
}

int host_table_append(struct host_table *t, const void *row)
{
	if (table_grow(t))
		return -ENOMEM;
	memcpy(host_table_row(t, t->n++), row, t->row_size);
	return 0;
}

void host_table_sort(struct host_table *t)
{
	size_t kept = 0;

	if (!t->n)
		return;
	qsort(t->rows, t->n, t->row_size, t->compare);
	for (size_t i = 1; i < t->n; i++) {
		if (t->compare(host_table_row(t, kept), host_table_row(t, i)) && ++kept != i)
			memcpy(host_table_row(t, kept), host_table_row(t, i), t->row_size);
	}
	t->n = kept + 1;
}
