/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings that the host's stack has for each device: what sysctl shows below net.ipv4.conf, net.ipv6.conf and both
 * neigh. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "controlplane/base/err.h"

struct settings {
	char *text; /* lines "FOLDER NAME VALUE"; NULL where there are none */
	size_t n;   /* bytes, the last of which is a NUL */
};

/* Reads what can be written of a device into an empty list. Returns 0 or a negative errno. */
int settings_read(struct settings *s, const char *device);

/* Makes those of a device equal, but for how IPv6 link-local addresses are made (addr_gen_mode). Goes on behind what is refused.
 * Returns 0, or the first negative errno and a sentence. */
int settings_put(const struct settings *s, const char *device, struct err *e);

/* One of the list, if it is there and a number. */
bool settings_number(const struct settings *s, const char *folder, const char *name, long *out);

/* Sets one of a device. Returns 0; -ENOENT: there is none; or another negative errno. */
int settings_set(const char *device, const char *folder, const char *name, const char *value);

void settings_free(struct settings *s);
