/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/xdp/lists.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bpf/bench.bpf.h"
#include "tests/packets/random.h"

enum { FLOWS = 1 << 20 };

/* The number that makes 1 of an odd one, modulo 2^32: each step doubles the bits that are right. */
static uint32_t inverse(uint32_t odd)
{
	uint32_t x = odd;

	for (int i = 0; i < 5; i++)
		x *= 2 - odd * x;
	return x;
}

static bool holds_a_source(uint32_t first, uint32_t n)
{
	static uint32_t back;

	if (!back)
		back = inverse(BENCH_SOURCE4_FACTOR);
	for (uint32_t i = 0; i < n; i++)
		if ((first + i) * back < FLOWS)
			return true;
	return false;
}

/* As blocklists are: most are hosts, some are networks. */
static void put_prefix4(FILE *out, uint64_t *state)
{
	static const uint8_t lengths[] = { 32, 32, 32, 32, 32, 32, 31, 29, 27, 24 };
	uint8_t plen = lengths[random_below(state, sizeof lengths)];
	uint32_t n = 1u << (32 - plen), first;

	do {
		first = (uint32_t)random_draw(state) & ~(n - 1);
	} while (holds_a_source(first, n));
	fprintf(out, "%u.%u.%u.%u/%u\n", first >> 24, first >> 16 & 255, first >> 8 & 255,
		first & 255, plen);
}

/* A source among them would be a very rare hit, and be noticed: its packets would be denied. */
static void put_prefix6(FILE *out, uint64_t *state)
{
	static const uint8_t lengths[] = { 128, 128, 128, 64, 64, 64, 64, 56, 48, 48 };
	uint8_t plen = lengths[random_below(state, sizeof lengths)];
	uint64_t high = random_draw(state) >> 3 | 0x2000000000000000;

	fprintf(out, "%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64 "::1/%u\n", high >> 48,
		high >> 32 & 0xffff, high >> 16 & 0xffff, high & 0xffff, plen);
}

static int make_list(void *arg, const char *path, char **text, struct err *e)
{
	bool is6 = !strcmp(path, LISTS_FILE6);
	uint64_t state = 1;
	size_t size;
	FILE *out = open_memstream(text, &size);

	(void)arg;
	for (uint32_t i = 0; out && i < LISTS_PREFIXES; i++)
		(is6 ? put_prefix6 : put_prefix4)(out, &state);
	return out && !fclose(out) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

const struct conf_files lists_files = { .read = make_list };
