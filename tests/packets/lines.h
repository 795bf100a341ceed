/* SPDX-License-Identifier: BSD-2-Clause */
/* A text file line by line, and the one place that says where an error is. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/err.h"

struct lines {
	const char *path; /* the caller's */
	char *memory, *next;
	unsigned number; /* of the line last given, from 1 */
	unsigned total;
};

/* Reads the file. Returns 0, or a negative errno and a sentence. */
int lines_open(struct lines *l, const char *path, struct err *e);
void lines_close(struct lines *l);

/* The next line without its end, good until lines_close() and the reader's to change; NULL at the end. */
char *lines_next(struct lines *l);

/* "PATH:LINE: …"; returns -EINVAL. */
int lines_error(const struct lines *l, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Cuts text into words at blanks; what follows the last of max words stays in it. Returns how many. */
unsigned words_split(char *text, char **words, unsigned max);

/* The whole word as a decimal number up to max. */
bool words_number(const char *word, uint64_t max, uint64_t *out);
