/* SPDX-License-Identifier: BSD-2-Clause */
/* A tap device: what the host sends by it is read from a file descriptor, what is written there the host takes in. */
#pragma once
#include <stdbool.h>

/* Attaches to the tap of a name, or makes it where there is none: without packet information, non-blocking, of frames as a wire
 * has them, with their checksums, and such that it outlives the process. Returns the descriptor; -ENOENT: the kernel has no taps; -EBUSY: another process has it; -EINVAL: the
 * device is no tap; or another negative errno. */
int tap_open(const char *name);

/* Whether the kernel has taps. Returns 0 or a negative errno. */
int tap_check(void);

/* Tells the tap whether it has a carrier. Returns 0 or a negative errno. */
int tap_carrier(int fd, bool on);
