/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane's end of dataplane/dpdk/protocol.h: a connection to the engine's process, on which one question is asked and
 * its answer awaited at a time. An answer that does not come, or is none, ends the connection: whoever asks next may not take it for
 * his. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "controlplane/base/err.h"
#include "dataplane/dpdk/protocol.h"

struct dpdk_link {
	int fd; /* -1: none, or lost */
};

/* What came beside an answer; descriptors are -1 where there are none. */
struct dpdk_files {
	int fd[PROTOCOL_FILES];
	unsigned n;
};

/* The path of the engine's directory, or of its socket. Returns 0 or -ENAMETOOLONG. */
int dpdk_link_path(char *out, size_t size, const char *run_dir, const char *name);

/* Connects, and waits so long at most for this and for each answer. Returns 0; -ENOENT and -ECONNREFUSED where nobody listens;
 * another negative errno; always with a sentence. */
int dpdk_link_open(struct dpdk_link *l, const char *run_dir, unsigned wait_ms, struct err *e);
void dpdk_link_close(struct dpdk_link *l);

/* Asks, with a file beside unless it is -1, which stays the caller's; ask->version is filled in. files: NULL when the question has
 * none, and those that come anyway are closed. Returns 0; what the engine answered, with its sentence; -ENOTCONN (there is no connection),
 * -ETIMEDOUT, -EPROTO (no answer of this version) or another error of a socket, with a sentence: then the connection is over. */
int dpdk_link_ask(struct dpdk_link *l, struct protocol_ask *ask, int file,
	struct protocol_answer *answer, struct dpdk_files *files, struct err *e);

void dpdk_files_close(struct dpdk_files *f);
