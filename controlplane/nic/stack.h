/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of this host's own TCP stack, in the network namespace of the process. */
#pragma once
#include <stdint.h>

/* By sysctl's name, such as "net.ipv4.tcp_syncookies"; a number of several, counted from 0. Return 0, or a negative errno:
 * -ENOENT: the kernel has no such; -EBADMSG: it is no number. */
int stack_get(const char *name, unsigned nth, long *out);
int stack_set(const char *name, long value);

/* The scale that the stack gives to windows of connections whose sockets have no buffer size of their own
 * (tcp_select_initial_window() of Linux). */
uint8_t stack_window_scale(void);
