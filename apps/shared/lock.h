/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "controlplane/base/err.h"

/* Makes the run directory where it is missing, and takes it for this process of a program until the descriptor that is
 * returned is closed; RUN_DIR/PROGRAM.lock is the file. Returns a negative errno and a sentence; where another process of that
 * program has it, -EBUSY, and the sentence names its pid and ends in the advice. */
int lock_take(const char *run_dir, const char *program, const char *advice, struct err *e);
