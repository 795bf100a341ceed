/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a configuration file, read with the rights of whoever asks for it. */
#pragma once
#include <sys/types.h>
#include "controlplane/base/err.h"

enum { SOURCE_BYTES_MAX = 16 << 20 };

/* Reads a regular file as user `uid` of group `gid` could, so that the daemon shows nobody a file that is
 * closed to them (supplementary groups do not count). *text, NUL-terminated, is to be freed with free().
 * Returns 0 or a negative errno and a sentence. */
int source_read(const char *path, uid_t uid, gid_t gid, char **text, struct err *e);
