/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's huge pages. */
#pragma once
#include <stdint.h>

enum { PAGES_SIZES = 8 };

struct pages {
	struct {
		uint64_t kib;
		uint64_t all;
		uint64_t free; /* and promised to nobody */
	} sizes[PAGES_SIZES];
	unsigned n;
};

/* Reads what ROOT/sys/kernel/mm/hugepages says; a kernel without huge pages has none of any size. root: "" but in
 * tests. */
void pages_read(const char *root, struct pages *out);

/* How many MiB lie in free pages of all sizes together. */
uint64_t pages_free_mib(const struct pages *p);
