/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter of sources that every packet asks first (dataplane/l4/filter.h says how), made of all its stems at once: a binary
 * fuse filter (Graf and Lemire, 2022), a byte for each entry, 1.16 entries for each stem. */
#pragma once
#include "dataplane/l4/tables.h"

struct fuse_key {
	uint64_t stem;
	uint8_t kept; /* what the filter is to say of the stem */
};

/* While they are collected. */
struct fuse_keys {
	struct fuse_key *at;
	uint32_t n;
};

struct fuse {
	struct l4_line *lines;
	uint32_t n_lines;
	uint32_t starts, seed; /* as l4_coarse_place() takes them */
	uint16_t window;
};

/* How many lines two filters take, at most, that have so many stems together. */
uint32_t fuse_lines(uint32_t stems);

/* Makes room for n more. Returns 0, or -ENOMEM. To be freed with fuse_keys_free(). */
int fuse_keys_expect(struct fuse_keys *k, uint32_t n);
void fuse_keys_free(struct fuse_keys *k);

/* Sorts the n keys. A stem that is there with different words is kept with L4_COARSE_ANY. secret: nobody else knows it, so that
 * nobody finds stems of which no filter can be made. Returns 0; -ENOMEM; or -EAGAIN when none could. To be freed with
 * fuse_free(). */
int fuse_new(struct fuse *f, struct fuse_key *keys, uint32_t n, uint64_t secret);
void fuse_free(struct fuse *f);
