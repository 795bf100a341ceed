/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a configuration file, and places in it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define CONF_TEXT_MAX (16u << 20) /* bytes; a file that is larger was not written by an operator */

struct conf_text {
	const char *name;  /* of the file, for messages */
	const char *bytes; /* the last is a newline, behind it stands a NUL */
	size_t size;
};

/* One character of the text. line 0 is the file as a whole. */
struct conf_spot {
	uint32_t offset; /* or CONF_NO_COLUMN: somewhere in the line */
	uint32_t start;	 /* offset of the first character of the line */
	uint32_t line;	 /* counted from 1 */
};

#define CONF_NO_COLUMN UINT32_MAX

/* Lines that are longer than this are not shown and have no columns. */
#define CONF_LINE_SHOWN 512

/* The column of a spot, counted in characters (not bytes) from 1; 0 where it cannot be said. */
int conf_text_column(const struct conf_text *t, const struct conf_spot *at);

/* A copy of the line that the spot is in, without its end, to be freed; NULL where there is none to show
 * (too long, not UTF-8, control characters that would act on a terminal, or memory is short). */
char *conf_text_line(const struct conf_text *t, const struct conf_spot *at);
