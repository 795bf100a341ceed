/* SPDX-License-Identifier: BSD-2-Clause */
/* A body behind a pipe, for models in other languages. */
#pragma once
#include <stdio.h>
#include "tests/packets/world.h"

/* Reads "INTERFACE HEX" line by line ("-": an empty frame) and answers each with "VERDICT INTERFACE HEX",
 * the interface "-" unless the frame is sent; or "- - -" for a frame that the body cannot be given.
 * Returns 0 at the end of input, or a negative errno and a sentence. */
int oracle_run(const struct body_ops *ops, const struct world_file *world, FILE *in, FILE *out,
	struct err *e);
