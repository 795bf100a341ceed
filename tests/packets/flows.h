/* SPDX-License-Identifier: BSD-2-Clause */
/* What cases say of slots, records and time, done to a body; and the records that it then holds.
 *
 * Records are written and read by the layout that dataplane/l4/record.h describes, and not by its functions. */
#pragma once
#include <stdio.h>
#include "tests/packets/case.h"

struct flows;

/* The arguments outlive it. Returns 0 or -ENOMEM. */
int flows_new(struct flows **out, const struct world_file *world, const struct body_ops *ops,
	struct body *b);
void flows_free(struct flows *f);

/* Does a step that is no frame. Returns 0 or a negative errno and a sentence. */
int flows_step(struct flows *f, const struct case_step *s, struct err *e);

/* Publishes what steps have said of slots. To be called before a frame. */
int flows_publish(struct flows *f, struct err *e);

/* Prints a line for every record that is missing, unexpected or otherwise, where out is not NULL; returns how
 * many there are. */
unsigned flows_print_diff(const struct flows *f, FILE *out, const struct packet_case *c);

/* As it was before the first case: no records, slots as Maglev hashing gives them, time 0. */
int flows_reset(struct flows *f, struct err *e);
