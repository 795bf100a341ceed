/* SPDX-License-Identifier: BSD-2-Clause */
/* What reading a configuration had to say, as JSON: the API's entries {"file", "line", "column", "level",
 * "message", "source"}, which `config check` makes itself. */
#pragma once
#include <jansson.h>
#include <stdio.h>
#include "controlplane/conf/conf.h"

/* A new array with an entry for each of d's. Bytes that are no UTF-8 are escaped. */
json_t *diagnostics_json(const struct diags *d);

/* Prints an array of entries in the compilers' manner, control characters escaped. Anything else than an
 * array prints nothing. */
void diagnostics_print(const json_t *list, FILE *out);
