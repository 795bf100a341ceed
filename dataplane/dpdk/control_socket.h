/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's side of protocol.h: answers what the control plane asks, and tells it what workers want. All by the thread that the core
 * belongs to. */
#pragma once
#include "dataplane/dpdk/core.h"

struct control_socket;

/* Listens at the socket in the directory, in the place of one that a dead process left there. Returns 0; -EADDRINUSE (another engine
 * answers there); another negative errno. */
int control_socket_open(struct control_socket **out, struct core *c, const char *dir);
void control_socket_close(struct control_socket *t);

/* Serves what has come, and waits for at most so long until something does. Returns 0 or a negative errno. */
int control_socket_turn(struct control_socket *t, int ms);
