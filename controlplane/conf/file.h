/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration file's bytes. */
#pragma once
#include <stddef.h>
#include "controlplane/conf/conf.h"

/* Reads a regular file of at most `most` bytes, and one more if there are more. Never waits: pipes and devices are refused
 * before a byte is read. Returns 0 and the bytes, to be freed; or a negative errno and an error in d
 * (-ENOMEM: without one). */
int conf_file_read(const char *path, size_t most, char **bytes, size_t *size, struct diags *d);

/* A file of prefixes: conf_files.read with the rights of this process. */
int conf_file_read_list(void *arg, const char *path, char **text, struct err *e);

/* As conf_parse(), of bytes that may hold anything, NULs too. */
int conf_parse_bytes(
	const char *bytes, size_t size, const char *name, struct conf **out, struct diags *d);
