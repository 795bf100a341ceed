/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash table that finds rows, and the filter in front of it. */
#pragma once
#include "dataplane/snapshot/snapshot.h"

/* Lines that the filter and the buckets of a table for n rows take. */
uint32_t index_filter_lines(uint32_t n);
uint32_t index_bucket_lines(uint32_t n);

/* Enters rows, each of which begins with its struct l4_key, into the buckets and the filter, whose places
 * and masks the root names and whose lines are zero; chooses the keys of the hash and writes them to line
 * L4_LINE_KEYS. A VIP's services and the VIP itself share a filter bit. Returns 0; -EINVAL when two rows have
 * one key. */
int index_fill(struct l4_line *image, const uint32_t *rows, uint32_t n);
