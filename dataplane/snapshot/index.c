/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/snapshot/index.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	INDEX_ROWS_PER_BUCKET = 1, /* at most, on average; a bucket holds L4_BUCKET_ENTRIES */
	INDEX_FILTER_BITS = 16,	   /* a row, at least */
	INDEX_TRIES = 64,
};

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = 1;

	while (n < at_least)
		n *= 2;
	return n;
}

uint32_t index_filter_lines(uint32_t n)
{
	return power_of_two(
		(n * INDEX_FILTER_BITS + L4_FILTER_LINE_BITS - 1) / L4_FILTER_LINE_BITS + 7);
}

uint32_t index_bucket_lines(uint32_t n)
{
	return power_of_two((n + INDEX_ROWS_PER_BUCKET - 1) / INDEX_ROWS_PER_BUCKET + 1);
}

/* Keys of one try: SipHash of the try's number, so that a build can be repeated. */
static void index_keys(struct l4_keys *keys, uint32_t attempt)
{
	static const uint64_t key[2] = { 0x696e6465782d6b65, 0 };

	for (uint32_t i = 0; i < L4_ML_KEYS; i++) {
		struct l4_sip s = l4_sip_init(key);

		l4_sip_word(&s, (uint64_t)attempt << 32 | i);
		l4_sip_word(&s, 8ull << 56);
		keys->k[i] = l4_sip_end(&s);
	}
}

static bool index_is6(const struct l4_key *k)
{
	return k->kind & L4_KIND_IS6;
}

/* False when the row's bucket is full or its hash is another row's too. */
static bool index_enter(struct l4_line *image, const uint64_t *keys, uint32_t row)
{
	const struct l4_root *root = (const struct l4_root *)&image[L4_LINE_ROOT];
	const struct l4_key *k = (const struct l4_key *)&image[row];
	uint64_t sum = l4_ml_address(keys, index_is6(k), k->address);
	uint32_t tag = l4_ml_end(keys, sum, l4_key_tail(k->port, k->protocol, k->kind));
	uint32_t bit = (uint32_t)(sum >> 32) & root->filter_mask;
	struct l4_bucket *b =
		(struct l4_bucket *)&image[root->bucket_base + (tag & root->bucket_mask)];

	image[root->filter_base + bit / L4_FILTER_LINE_BITS].words[bit / 64 % 8] |= 1ull
										    << bit % 64;
	for (int i = 0; i < L4_BUCKET_ENTRIES; i++) {
		if (b->entries[i].tag == tag)
			return false;
		if (b->entries[i].tag)
			continue;
		b->entries[i].tag = tag;
		b->entries[i].line = row;
		return true;
	}
	return false;
}

static bool index_try(struct l4_line *image, const uint32_t *rows, uint32_t n, uint32_t attempt)
{
	const struct l4_root *root = (const struct l4_root *)&image[L4_LINE_ROOT];
	struct l4_keys *keys = (struct l4_keys *)&image[L4_LINE_KEYS];

	memset(&image[root->filter_base], 0,
		(root->filter_mask + 1) / L4_FILTER_LINE_BITS * sizeof *image);
	memset(&image[root->bucket_base], 0, (root->bucket_mask + 1) * sizeof *image);
	index_keys(keys, attempt);
	for (uint32_t i = 0; i < n; i++)
		if (!index_enter(image, keys->k, rows[i]))
			return false;
	return true;
}

static int index_compare_keys(const void *a, const void *b, void *arg)
{
	const struct l4_line *image = arg;

	return memcmp(
		&image[*(const uint32_t *)a], &image[*(const uint32_t *)b], sizeof(struct l4_key));
}

static bool index_has_twins(struct l4_line *image, const uint32_t *rows, uint32_t n)
{
	uint32_t *sorted = malloc((n ? n : 1) * sizeof *sorted);
	bool twins = false;

	if (!sorted)
		return true;
	memcpy(sorted, rows, n * sizeof *sorted);
	qsort_r(sorted, n, sizeof *sorted, index_compare_keys, image);
	for (uint32_t i = 1; i < n && !twins; i++)
		twins = !index_compare_keys(&sorted[i - 1], &sorted[i], image);
	free(sorted);
	return twins;
}

/* With one row a bucket on average about one bucket in a million overflows (Poisson), and two of 20,000 rows
 * share a 32-bit hash in one try of twenty: few tries are ever needed. */
int index_fill(struct l4_line *image, const uint32_t *rows, uint32_t n)
{
	if (index_has_twins(image, rows, n))
		return -EINVAL;
	for (uint32_t attempt = 0; attempt < INDEX_TRIES; attempt++)
		if (index_try(image, rows, n, attempt))
			return 0;
	return -EINVAL;
}
