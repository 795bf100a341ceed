/* SPDX-License-Identifier: BSD-2-Clause */
/* A sysfs of a test's own. */
#pragma once

/* Makes a new one, empty, and returns its root, which lasts until sysfs_remove(). */
const char *sysfs_make(void);

/* Writes a file below the root, and the folders that it is in. */
void sysfs_write(const char *path, const char *text);

void sysfs_remove(void);
