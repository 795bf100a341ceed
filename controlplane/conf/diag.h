/* SPDX-License-Identifier: BSD-2-Clause */
/* Collecting what reading a file has to say. Where memory is short an entry is lost, but counted. */
#pragma once
#include "controlplane/conf/conf.h"
#include "controlplane/conf/text.h"

#define CONF_DIAGS_MAX 1000 /* entries that are kept; further ones are counted */

/* Makes *d empty, whatever it held. */
void diags_start(struct diags *d, const char *file);

/* Adds one entry. `at` may be NULL: the file as a whole. */
void diags_add(struct diags *d, enum diag_level level, const struct conf_text *t,
	const struct conf_spot *at, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Puts the entries in the order of the file, and a last one that counts those which were not kept. */
void diags_finish(struct diags *d);
