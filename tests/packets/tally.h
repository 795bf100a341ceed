/* SPDX-License-Identifier: BSD-2-Clause */
/* All counters of a body at one moment, or how much they changed between two. */
#pragma once
#include <stdio.h>
#include "tests/packets/case.h"

struct tally {
	const struct world_file *world; /* the caller's */
	uint64_t verdicts[L4_V_COUNT];
	uint64_t places[L4_PLACE_COUNT];
	struct engine_counter *services, *servers;
	uint64_t (*vip_drops)[L4_V_COUNT]; /* VIPs, then gateways */
	uint64_t (*service_drops)[L4_V_COUNT];
};

/* All zero. Returns NULL when out of memory. */
struct tally *tally_new(const struct world_file *world);
void tally_free(struct tally *t);

/* Reads every counter of the body. Returns 0 or a negative errno. */
int tally_read(struct tally *t, const struct body_ops *ops, struct body *b);

/* after -= before */
void tally_subtract(struct tally *after, const struct tally *before);

/* What a case expects: a verdict for every step, and the counters that it lists. */
void tally_expect(struct tally *t, const struct packet_case *c);

/* Prints a line for every counter that differs, where out is not NULL, and returns how many do. */
unsigned tally_print_diff(
	FILE *out, const struct tally *want, const struct tally *got, const char *got_name);
