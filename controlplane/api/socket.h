/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "controlplane/base/err.h"

/* Makes a listening Unix socket of mode 0660 and of a group ("": as it comes), which at no moment has wider
 * rights; a socket that is there already is replaced. Returns the descriptor, or a negative errno and a
 * sentence. */
int socket_listen(const char *path, const char *group, struct err *e);
