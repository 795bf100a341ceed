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

/* Who asks for a configuration. */
struct source_reader {
	uid_t uid;
	gid_t gid;
};

/* conf_files.read, arg being a struct source_reader: files that a configuration names are read with the same rights. */
int source_read_list(void *arg, const char *path, char **text, struct err *e);
