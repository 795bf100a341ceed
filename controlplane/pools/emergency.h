/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools that do without their own healthy servers: below min_up, or by a fall-back. */
#pragma once
#include "controlplane/pools/build.h"
#include "controlplane/pools/live.h"

/* Logs what begins, changes or ends between two published inputs; `was` is NULL before the first. */
void emergency_tell(const struct live *l, const struct build *was, const struct build *is);

/* The index of the pool that takes the flows of `pool` in its place, or -1: itself does, or none. */
int emergency_fallen_back(const struct live *l, const struct build *b, unsigned pool);
