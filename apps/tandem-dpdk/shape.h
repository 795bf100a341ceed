/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices do, and do not do, for the engine's sake: those of the kernel's, and those below them, give frames one by one, and all take
 * frames for the virtual MAC addresses of the generation that packets go by. What was before about devices of the kernel's is kept in the
 * directory. */
#pragma once
#include "apps/tandem-dpdk/front.h"
#include "apps/tandem-dpdk/lower.h"
#include "apps/tandem-dpdk/macs.h"
#include "controlplane/base/err.h"
#include "dataplane/dpdk/protocol.h"
#include "dataplane/snapshot/sealed.h"

enum { SHAPE_FAULTS = 32 };

/* What devices refuse. */
struct shape_faults {
	struct err list[SHAPE_FAULTS];
	unsigned n;
};

struct shape {
	const char *dir;
	struct front *fronts;
	unsigned n_fronts;
	struct lowers lowers;		 /* that have been told */
	struct macs macs;		 /* that devices have been told of */
	bool settled;			 /* and of no others */
	struct shape_faults found, told; /* just now; when addresses were settled last */
	struct err error;		 /* that was logged last, and is so still; or "" */
	struct protocol_change *changes;
	uint32_t n_changes;
};

/* Interfaces are there, and no generation: virtual MAC addresses that somebody has told devices of before stay, since they may be in use.
 * Returns 0, or a negative errno and a sentence. shape_end() follows an error too. */
int shape_begin(struct shape *s, struct front *fronts, unsigned n, const char *dir, struct err *e);

/* As core_follower: devices learn of addresses that are new before packets go by the generation, and forget others after that. What
 * fails, or is refused, is logged once, and tried again with each generation that comes. */
void shape_follow(struct shape *s, const struct sealed *now, const struct sealed *next);

/* Devices below interfaces may be others now, as the parts of a bond: to be called from time to time. What fails is tried again with
 * the next call. */
void shape_look(struct shape *s);

/* Change i that there is; false: there are no more. */
bool shape_change(const struct shape *s, uint32_t i, struct protocol_change *out);

/* The interfaces are gone, or about to go; devices stay as they are. */
void shape_end(struct shape *s);
