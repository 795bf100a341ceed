/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/pools/ids.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ids_free(struct ids *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free(t->list[i].name);
	free(t->list);
	*t = (struct ids){ 0 };
}

static int ids_reserve(struct ids *t, uint32_t n)
{
	struct ids_entry *list;
	uint32_t cap = t->cap ? t->cap : 16;

	while (cap < n)
		cap *= 2;
	if (cap == t->cap)
		return 0;
	list = reallocarray(t->list, cap, sizeof *list);
	if (!list)
		return -ENOMEM;
	t->list = list;
	t->cap = cap;
	return 0;
}

/* The place of a name, or where it would be inserted. */
static uint32_t ids_place(const struct ids *t, const char *name)
{
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(t->list[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct ids_entry *ids_entry(const struct ids *t, const char *name)
{
	uint32_t i = ids_place(t, name);

	return i < t->n && !strcmp(t->list[i].name, name) ? &t->list[i] : NULL;
}

const struct ids_entry *ids_find(const struct ids *t, const char *name)
{
	return ids_entry(t, name);
}

int ids_add(struct ids *t, const char *name, uint32_t id, uint64_t gone)
{
	uint32_t i = ids_place(t, name);
	char *copy;

	if (i < t->n && !strcmp(t->list[i].name, name))
		return -EEXIST;
	copy = strdup(name);
	if (!copy || ids_reserve(t, t->n + 1)) {
		free(copy);
		return -ENOMEM;
	}
	memmove(&t->list[i + 1], &t->list[i], (t->n - i) * sizeof *t->list);
	t->list[i] = (struct ids_entry){ .name = copy, .id = id, .gone = gone };
	t->n++;
	return 0;
}

int ids_copy(struct ids *out, const struct ids *t)
{
	*out = (struct ids){ 0 };
	if (ids_reserve(out, t->n))
		return -ENOMEM;
	for (; out->n < t->n; out->n++) {
		out->list[out->n] = t->list[out->n];
		out->list[out->n].name = strdup(t->list[out->n].name);
		if (!out->list[out->n].name) {
			ids_free(out);
			return -ENOMEM;
		}
	}
	return 0;
}

static void ids_remove(struct ids *t, struct ids_entry *e)
{
	free(e->name);
	t->n--;
	memmove(e, e + 1, (size_t)(&t->list[t->n] - e) * sizeof *e);
}

/* Marks what is not among the names (whose entries, where they exist, become in use). */
static void ids_mark(struct ids *t, const char *const *names, uint32_t n, uint64_t round)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (!t->list[i].gone)
			t->list[i].gone = round;
	for (uint32_t i = 0; i < n; i++) {
		struct ids_entry *e = ids_entry(t, names[i]);

		if (e)
			e->gone = 0;
	}
}

static void ids_drop_above(struct ids *t, uint32_t limit)
{
	for (uint32_t i = t->n; i-- > 0;)
		if (t->list[i].id > limit)
			ids_remove(t, &t->list[i]);
}

static int compare_gone(const void *a, const void *b)
{
	const struct ids_entry *x = a, *y = b;

	if (x->gone != y->gone)
		return x->gone < y->gone ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Numbers to give, in the order in which they are to be given: those nobody ever had, then those of names
 * that are gone, the longest gone first, unless they are held. `list` has room for `limit`. Returns how many. */
static uint32_t ids_vacant(const struct ids *t, uint32_t limit, const struct ids_held *held,
	struct ids_entry *list, bool *taken)
{
	uint32_t n = 0, first_gone;

	for (uint32_t i = 0; i < t->n; i++)
		taken[t->list[i].id] = true;
	for (uint32_t id = 1; id <= limit; id++)
		if (!taken[id])
			list[n++] = (struct ids_entry){ .id = id };
	first_gone = n;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->list[i].gone && !(held && held->test(held->arg, &t->list[i])))
			list[n++] = t->list[i];
	qsort(list + first_gone, n - first_gone, sizeof *list, compare_gone);
	return n;
}

/* Gives the number v to a name; the name that had it, if any, is forgotten. */
static int ids_give(struct ids *t, const char *name, const struct ids_entry *v)
{
	struct ids_entry *former = v->name ? ids_entry(t, v->name) : NULL;

	if (former)
		ids_remove(t, former);
	return ids_add(t, name, v->id, 0);
}

/* Vacant numbers for the names that have none. */
static int ids_bind_new(struct ids *t, const char *const *names, uint32_t n, uint32_t limit,
	const struct ids_held *held, bool *fresh)
{
	struct ids_entry *vacant = calloc((size_t)limit + 1, sizeof *vacant);
	bool *taken = calloc((size_t)limit + 1, sizeof *taken);
	uint32_t n_vacant, next = 0;
	int err = -ENOMEM;

	if (!vacant || !taken || ids_reserve(t, limit))
		goto out;
	n_vacant = ids_vacant(t, limit, held, vacant, taken);
	err = 0;
	for (uint32_t i = 0; i < n && !err; i++) {
		if (ids_entry(t, names[i]))
			continue;
		if (next == n_vacant) {
			err = -EAGAIN; /* as many names as numbers there are: some are held */
			break;
		}
		if (fresh)
			fresh[vacant[next].id] = true;
		err = ids_give(t, names[i], &vacant[next++]);
	}
out:
	free(taken);
	free(vacant);
	return err;
}

int ids_bind(struct ids *t, const char *const *names, uint32_t n, uint32_t limit, uint64_t round,
	const struct ids_held *held, uint32_t *out, bool *fresh)
{
	int err;

	if (n > limit)
		return -ENOSPC;
	ids_mark(t, names, n, round);
	ids_drop_above(t, limit);
	err = ids_bind_new(t, names, n, limit, held, fresh);
	for (uint32_t i = 0; i < n && !err; i++)
		out[i] = ids_entry(t, names[i])->id;
	return err;
}
