/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON objects shown to people: a table of fields says what of an object is shown, and how. */
#pragma once
#include <jansson.h>
#include "apps/tandemctl/screen.h"

enum {
	FIELD_RIGHT = 1,    /* numbers: aligned at the right in a table */
	FIELD_STATE = 2,    /* a word that may have a colour: up, drain, … */
	FIELD_OPTIONAL = 4, /* not shown when no object has it */
};

struct field {
	const char *title;
	const char *key; /* NULL: print gets the whole object */
	/* Writes the value's text, which need not be escaped. NULL: field_plain. */
	void (*print)(FILE *out, const json_t *value, time_t now);
	unsigned flags;
};

/* Ready-made print functions. Each takes what the API documents, and writes "-" for null, for what is
 * missing and for what has another type. */
void field_plain(
	FILE *out, const json_t *value, time_t now);	    /* strings, numbers, yes or no, lists */
void field_age(FILE *out, const json_t *value, time_t now); /* time -> "2h 5m" */
void field_time(FILE *out, const json_t *value, time_t now); /* time -> "2024-05-01 10:00:00" UTC */
void field_endpoint(FILE *out, const json_t *object, time_t now); /* address, port -> ADDR:PORT */
void field_sum(FILE *out, const json_t *value, time_t now);	  /* {"a": 1, "b": 2} -> 3 */
void field_milliseconds(
	FILE *out, const json_t *value, time_t now); /* microseconds -> "1.234 ms" */

/* Prints an array of objects as a table with a line of titles; columns are as wide as they need to be. */
void fields_table(const struct screen *s, const json_t *rows, const struct field *fields, size_t n);

/* Prints one object, a line per field. */
void fields_record(
	const struct screen *s, const json_t *object, const struct field *fields, size_t n);

#define FIELDS(array) array, (sizeof(array) / sizeof(array)[0])
