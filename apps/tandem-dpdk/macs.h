/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual MAC addresses that a generation wants, by interface. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "dataplane/l4/tables.h"

struct macs {
	uint32_t *ifindexes; /* in ascending order, each as often as it has addresses */
	uint8_t (*list)[6];
	unsigned n;
};

/* Those of an image, each once. Returns 0, or a negative errno: there are none in *out. To be freed with macs_free(). */
int macs_read(struct macs *out, const struct l4_line *image, uint32_t lines);
void macs_free(struct macs *m);

bool macs_same(const struct macs *a, const struct macs *b);
/* Those of an interface. */
const uint8_t (*macs_of(const struct macs *m, uint32_t ifindex, unsigned *n))[6];
