/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device of the kernel's must be like for XDP sockets, which are at one of its queues each, and send by no other. */
#pragma once
#include "controlplane/base/err.h"

/* `name` is what sentences call the device. Returns 0; or a negative errno and a sentence: -EOPNOTSUPP, such a device has no queues of its own;
 * -ENOSPC, it cannot have one for each worker; -ECHRNG, it has more or fewer: frames of others nobody would read. */
int xsk_device_check(const char *device, const char *name, unsigned workers, struct err *e);
