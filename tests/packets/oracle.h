/* SPDX-License-Identifier: BSD-2-Clause */
/* A body behind a pipe, for models in other languages. */
#pragma once
#include <stdio.h>
#include "tests/packets/world.h"

/* Reads questions line by line and answers each with a line, until the end of input:
 *
 *   INTERFACE HEX               a frame ("-": an empty one): "VERDICT INTERFACE HEX", the interface "-" unless the frame
 *                               is sent; "- - -" for a frame that the body cannot be given
 *   now N                       coarse time from here on: "ok"
 *   slots POOL OWNER BASE       all slots of a pool, by its servers' names, "none", or for BASE "settled": "ok"
 *   slot POOL OWNER BASE HASH   the slot of flows with that hash (16 hex digits), behind `slots`: "ok"
 *   bucket N                    the records in a bucket: eight words of hex, `who` and `what` of each
 *   bucket N WORDS              they are replaced by these: "ok"
 *   proxied N [WORDS]           the same of connections that began with a SYN cookie: twenty words, `who`, `what`, `shift`,
 *                               `isn` and `idle` of each
 *
 * Returns 0, or a negative errno and a sentence. */
int oracle_run(const struct body_ops *ops, const struct world_file *world, FILE *in, FILE *out,
	struct err *e);
