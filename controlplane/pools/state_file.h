/* SPDX-License-Identifier: BSD-2-Clause */
/* The state's file: one owner at a time, and never half written. */
#pragma once
#include "controlplane/base/err.h"
#include "controlplane/pools/state.h"

struct state_file;

/* Makes the directory where it is missing (0700) and takes it for this process, until state_file_free().
 * Returns 0; -EBUSY when another process has it; or another negative errno and a sentence. */
int state_file_new(struct state_file **out, const char *dir, struct err *e);
void state_file_free(struct state_file *f);

/* Reads the state; where there is no file, *out is an empty state. Returns 0 or a negative errno and a
 * sentence. */
int state_file_load(struct state_file *f, struct state **out, struct err *e);

/* Replaces the file; when this returns 0 the state survives a crash of the machine. */
int state_file_save(struct state_file *f, const struct state *st, struct err *e);
