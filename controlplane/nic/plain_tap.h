/* SPDX-License-Identifier: BSD-2-Clause */
/* A tap for an interface whose device the kernel does not have, since an engine drives it. It outlives the process, with the addresses
 * and routes that an operator has given it. */
#pragma once
#include <stdint.h>
#include "controlplane/base/err.h"

struct plain_tap {
	int fd; /* a frame for each read() and write(), non-blocking; -1: none */
	uint32_t ifindex, mtu;
};

/* Attaches to the tap of a name, or makes it and brings it up; gives it the MAC address. Returns 0, or a negative errno and a
 * sentence: -EBUSY (another process has it, or a device of that name is no tap); -ENOENT (the kernel has no taps); another. */
int plain_tap_open(struct plain_tap *out, const char *name, const uint8_t mac[6], struct err *e);

/* As handover_lend_tap(). name: the tap's. */
int plain_tap_lend(
	struct plain_tap *t, const char *name, int (*other)(void *arg), void *arg, struct err *e);

/* The host sends nothing by it from now on. */
void plain_tap_close(struct plain_tap *t);
