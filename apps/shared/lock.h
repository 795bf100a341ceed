/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "controlplane/base/err.h"

/* Makes the run directory where it is missing, and takes it for this process until the descriptor that is
 * returned is closed. Returns a negative errno and a sentence; where another tandemd has it, -EBUSY, and the
 * sentence names its pid and ends in the advice. */
int lock_take(const char *run_dir, const char *advice, struct err *e);
