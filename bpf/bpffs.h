/* SPDX-License-Identifier: BSD-2-Clause */
/* The BPF file system that holds the pins: one of the project's own, at RUN_DIR/bpf. */
#pragma once

#include <stdbool.h>

/* Makes sure that a bpffs is mounted at `path`, creating the directory. Returns 0 or a negative errno. */
int bpffs_mount(const char *path);

/* Whether there are directories in it. Also true where that cannot be told. */
bool bpffs_has_directories(const char *path);

/* Unmounts and removes it. Pins do not keep it: what only they held is gone then. Returns 0, also where nothing is
 * mounted, or a negative errno. */
int bpffs_unmount(const char *path);

/* Removes a directory of pins and the pins in it, which must be no directories. Returns how many there
 * were, 0 where the directory does not exist, or a negative errno. */
int bpffs_remove(const char *dir);
