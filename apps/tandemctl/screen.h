/* SPDX-License-Identifier: BSD-2-Clause */
/* Where text for people goes, and how it may look there. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

struct screen {
	FILE *out;
	bool terminal; /* out is a terminal: control characters would act on it */
	bool colour;
	time_t now; /* for ages */
};

/* Fills *s for standard output at the time `now`. Colour is for terminals that want it: not when
 * NO_COLOR is set to anything or TERM is "dumb". */
void screen_init(struct screen *s, time_t now);

/* Writes bytes that are to stay as they are, JSON or a file's text. On a terminal, control characters
 * other than tab and newline are escaped; as \uXXXX, so that JSON stays the same JSON. */
void screen_raw(const struct screen *s, const char *bytes, size_t n);
