/* SPDX-License-Identifier: BSD-2-Clause */
/* The program by which libxdp has a device's frames go to XDP sockets. */
#pragma once
#include <stdint.h>

/* Detaches it where it is: libxdp attaches it so that it stays behind when the process is killed. Other programs stay. Returns 0 or a
 * negative errno. */
int xsk_detach(uint32_t ifindex);
