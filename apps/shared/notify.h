/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Tells the service manager a state, "READY=1" or "STOPPING=1", as sd_notify(3) does; without one, nothing
 * happens. */
void notify(const char *state);
