/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/memory.h"
#include <stdlib.h>
#include <string.h>

/* Blocks form a list; a block's bytes follow its head, aligned for any type. */
struct block {
	struct block *next;
	max_align_t bytes[];
};

struct conf_memory {
	struct block *blocks;
};

struct conf_memory *conf_memory_new(void)
{
	return calloc(1, sizeof(struct conf_memory));
}

void conf_memory_free(struct conf_memory *m)
{
	struct block *next;

	if (!m)
		return;
	for (struct block *b = m->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(m);
}

void *conf_memory_take(struct conf_memory *m, size_t n, size_t size)
{
	struct block *b;
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) ||
		__builtin_add_overflow(bytes, sizeof *b, &bytes))
		return NULL;
	b = calloc(1, bytes);
	if (!b)
		return NULL;
	b->next = m->blocks;
	m->blocks = b;
	return b->bytes;
}

char *conf_memory_copy(struct conf_memory *m, const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = conf_memory_take(m, n, 1);

	return copy ? memcpy(copy, text, n) : NULL;
}
