/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/step.h"

void (*step_hook)(const char *what);
