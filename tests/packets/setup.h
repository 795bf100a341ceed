/* SPDX-License-Identifier: BSD-2-Clause */
/* From a world to what engines are given, the way that the control plane does it. */
#pragma once
#include "controlplane/pools/build.h"
#include "tests/packets/body.h"

/* Fills *out for build_free(). Returns 0 or -ENOMEM. */
int setup_build(const struct world *w, struct build **out);

/* What the engine is told of a link. */
void setup_port(const struct world *w, unsigned link, struct snapshot_port *p);
/* Where frames of a link come in. */
uint32_t setup_device(const struct world *w, unsigned link);

/* The route that a kernel would take to dst, or NULL. */
const struct host_route *setup_route(const struct world *w, const struct addr *dst);

/* Whether a frame that is not sent is as it came; but of a passed one the destination may have been a virtual MAC address, and
 * a dropped one may have been rewritten by SYN cookies' stage before. */
bool setup_stays(
	const struct conf *c, const uint8_t *frame, size_t len, const struct body_result *r);
