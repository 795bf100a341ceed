/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration file's bytes. */
#pragma once
#include <stddef.h>
#include "controlplane/conf/conf.h"

/* Reads a regular file of at most CONF_TEXT_MAX bytes. Never waits: pipes and devices are refused
 * before a byte is read. Returns 0 and the bytes, to be freed; or a negative errno and an error in d
 * (-ENOMEM: without one). */
int conf_file_read(const char *path, char **bytes, size_t *size, struct diags *d);

/* As conf_parse(), of bytes that may hold anything, NULs too. */
int conf_parse_bytes(
	const char *bytes, size_t size, const char *name, struct conf **out, struct diags *d);
