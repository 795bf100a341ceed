/* SPDX-License-Identifier: BSD-2-Clause */
/* An array of rows of one size, kept in order: look-ups are binary searches, walks are in order,
 * and two tables are compared by one pass over both. */
#pragma once
#include <stddef.h>

/* Returns <0, 0 or >0. */
typedef int (*host_compare_fn)(const void *a, const void *b);

struct host_table {
	unsigned char *rows;
	size_t n, room; /* in rows */
	size_t row_size;
	host_compare_fn compare;
};

void host_table_init(struct host_table *t, size_t row_size, host_compare_fn compare);
void host_table_fini(struct host_table *t);

/* The row at place i < n. Pointers into the table are good until it changes. */
void *host_table_row(const struct host_table *t, size_t i);

/* The place of the first row that is not below key (a row of which only the compared members
 * count); n when there is none. */
size_t host_table_lower(const struct host_table *t, const void *key);

/* The row that equals key, or NULL. */
void *host_table_find(const struct host_table *t, const void *key);

/* Copies row in at its place, over a row that equals it. Returns 0 or -ENOMEM. */
int host_table_put(struct host_table *t, const void *row);

/* Removes the row at place i < n. */
void host_table_remove(struct host_table *t, size_t i);

/* For loading many rows: appended in any order, then sorted once, before the table is used. Of
 * equal rows one is kept. Append returns 0 or -ENOMEM. */
int host_table_append(struct host_table *t, const void *row);
void host_table_sort(struct host_table *t);
