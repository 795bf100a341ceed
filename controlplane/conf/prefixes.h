/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes of sources, as an operator writes them: in brackets in the configuration, or in a file of their own. */
#pragma once
#include "controlplane/conf/conf.h"
#include "controlplane/conf/memory.h"

/* Reads an address, or a prefix. Returns 0 or -EINVAL. */
int conf_prefix_parse(const char *text, struct conf_prefix *out);

/* The first things wrong in a file of prefixes, each a sentence that begins with the number of its line. */
enum { CONF_PREFIX_FAULTS = 10 };

struct conf_prefix_faults {
	char text[CONF_PREFIX_FAULTS][256];
	unsigned n; /* how many there are; the first of them have a text */
};

/* Reads a file's text, which is changed and put back: one prefix on each line, blank lines and what follows a # left out.
 * Returns 0; -EINVAL when any line is wrong; or -ENOMEM. */
int conf_prefixes_parse(char *text, bool allow, struct conf_memory *m, struct conf_prefixes *out,
	struct conf_prefix_faults *faults);

/* A number for what the prefixes are, in their order. */
uint64_t conf_prefixes_digest(uint64_t seed, const struct conf_prefix *list, uint32_t n);
