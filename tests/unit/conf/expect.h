/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of configurations and of all that reading them says. */
#pragma once
#include <stddef.h>
#include "controlplane/conf/conf.h"

/* The least that a file must hold, in one line. */
#define BASE "node = \"n\"; interfaces: { i: {}; };\n"

struct expectation {
	const char *about; /* what the case is there for */
	const char *text;
	/* "LINE:COLUMN: LEVEL: MESSAGE\n" for every entry, in order; line 0: the file as a whole. */
	const char *says;
};

/* Reads every text and fails on the first that says anything else, or whose result does not go with the
 * errors that were named. */
void expect_all(const struct expectation *list, size_t n);

/* What d holds, in that form; to be freed. */
char *diags_text(const struct diags *d);

/* A configuration that must be without errors; to be freed with conf_free(). */
struct conf *parse_good(const char *text);
