/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of sources that the benchmark's configuration names: a million prefixes that hold none of the sources which
 * packets come from. */
#pragma once
#include "controlplane/conf/conf.h"

#define LISTS_FILE4 "/ipv4"
#define LISTS_FILE6 "/ipv6"

enum { LISTS_PREFIXES = 1000000 };

/* Makes them up. */
extern const struct conf_files lists_files;
