/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's side of protocol.h: answers what the control plane asks, and tells it what workers want. All by the thread that the core
 * belongs to. */
#pragma once
#include <poll.h>
#include "dataplane/dpdk/core.h"

struct control_socket;

/* Whoever has the ports and runs the workers: is told of PROTOCOL_TAKE, _GIVE, _PAUSE and _RESUME, the latter also when the connection
 * that asked for a pause has ended. Returns 0 or a negative errno and a sentence. And knows what was changed about devices: change()
 * fills in entry i of the list, or returns false behind the last. */
struct control_owner {
	int (*order)(void *arg, enum protocol_kind kind, char why[PROTOCOL_WHY]);
	bool (*change)(void *arg, uint32_t i, struct protocol_change *out);
	void *arg;
};

/* Listens at the socket in the directory, in the place of one that a dead process left there. Returns 0; -EADDRINUSE (another engine
 * answers there); another negative errno. owner: NULL: there is none, and such questions are refused; else it has both functions. */
int control_socket_open(struct control_socket **out, struct core *c, const char *dir,
	const struct control_owner *owner);
void control_socket_close(struct control_socket *t);

enum { CONTROL_SOCKET_PEERS = 8, CONTROL_SOCKET_FDS = CONTROL_SOCKET_PEERS + 1 };

/* What to wait for in poll(2), and then: serves what has come. */
void control_socket_fds(const struct control_socket *t, struct pollfd fds[CONTROL_SOCKET_FDS]);
void control_socket_serve(struct control_socket *t, const struct pollfd fds[CONTROL_SOCKET_FDS]);

/* Tells what workers have to tell, a bounded number of it. */
void control_socket_tell(struct control_socket *t);
/* Tells how workers spend their time. */
void control_socket_tell_workers(struct control_socket *t);
/* Whether there is something to be told. */
bool control_socket_has_news(const struct control_socket *t);
