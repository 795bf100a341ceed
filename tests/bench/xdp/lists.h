/* SPDX-License-Identifier: BSD-2-Clause */
/* The lists of sources that the benchmark's configuration names: a million prefixes that hold none of the sources which
 * packets come from. */
#pragma once
#include "controlplane/conf/conf.h"

#define SITE_GUARD4 "deny_file = \"/ipv4\"; "
#define SITE_GUARD6 "deny_file = \"/ipv6\"; "

enum { LISTS_PREFIXES = 1000000, LISTS_LIMIT = 2 * LISTS_PREFIXES };

/* Makes them up. */
extern const struct conf_files lists_files;
