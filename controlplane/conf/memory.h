/* SPDX-License-Identifier: BSD-2-Clause */
/* The one owner of everything a configuration points at. */
#pragma once
#include <stddef.h>

struct conf_memory;

/* Returns an empty owner, or NULL when memory is short. */
struct conf_memory *conf_memory_new(void);

/* Frees everything that was taken from m; NULL is allowed. */
void conf_memory_free(struct conf_memory *m);

/* Returns n elements of `size` bytes, all zero, owned by m; NULL when memory is short. n may be 0: the
 * pointer is then valid, but not for reading. */
void *conf_memory_take(struct conf_memory *m, size_t n, size_t size);

/* Returns a copy of text owned by m, or NULL when memory is short. */
char *conf_memory_copy(struct conf_memory *m, const char *text);
