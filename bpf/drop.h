/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps what a device takes in from the host's stack (bpf/drop.bpf.c); packet sockets and XDP have it all the same. The filter
 * stays when the process is gone. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Puts the filter before all others of the device; to do so twice is the same as once. The qdisc that filters need (clsact) is
 * made where there is none. Returns 0; -EBUSY: there is another filter in its place; or another negative errno. */
int drop_attach(uint32_t ifindex);

/* Takes the filter away, and with it the qdisc if told so. Returns 0, also where there is none, or a negative errno. */
int drop_detach(uint32_t ifindex, bool with_qdisc);

/* Whether the filter is there. */
bool drop_is_attached(uint32_t ifindex);
