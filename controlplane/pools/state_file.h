/* SPDX-License-Identifier: BSD-2-Clause */
/* The state's files, one for each part: one owner at a time, and none ever half written. */
#pragma once
#include "controlplane/base/err.h"
#include "controlplane/pools/state.h"

struct state_file;

/* Makes the directory where it is missing (0700) and takes it for this process, until state_file_free().
 * Returns 0; -EBUSY when another process has it; or another negative errno and a sentence. */
int state_file_new(struct state_file **out, const char *dir, struct err *e);
void state_file_free(struct state_file *f);

/* Reads the state; a part that has no file is empty. Without the numbers nothing else counts; old ones, which have all
 * parts, are read alone. Returns 0 or a negative errno and a sentence. */
int state_file_load(struct state_file *f, struct state **out, struct err *e);

/* Replaces the files of some parts (enum state_part, or'ed); when this returns 0 these survive a crash of the machine.
 * After an error each file is the old one or the new one. */
int state_file_save(struct state_file *f, const struct state *st, unsigned parts, struct err *e);
