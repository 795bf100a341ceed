/* SPDX-License-Identifier: BSD-2-Clause */
/* Offloads of a device, by the names that ethtool -k shows. */
#pragma once
#include <stdbool.h>

/* Whether it is on. Returns 1: it is on; 0: it is off, or the device has no such; or a negative errno. */
int offload_get(const char *device, const char *feature);

/* Turns it on or off. Returns 0; -EOPNOTSUPP: the device does not let itself be told; or another negative errno. */
int offload_set(const char *device, const char *feature, bool on);
