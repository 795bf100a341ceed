/* SPDX-License-Identifier: BSD-2-Clause */
/* Words in messages: quoting what the operator wrote, and guessing what was meant. */
#pragma once
#include <stddef.h>

#define CONF_QUOTED 128 /* bytes that conf_quote() needs at most */

/* Writes text in double quotes into buf: long ones cut short with "...", control characters and bytes
 * that are not UTF-8 as \xNN, so that it can be printed and be put into JSON. Returns buf. */
const char *conf_quote(const char *text, char buf[CONF_QUOTED]);

/* How many bytes the UTF-8 character at p takes (1 to 4; RFC 3629, section 4), 0 when it is none. Reads
 * no further than end. */
size_t conf_utf8(const char *p, const char *end);

/* The least number of characters to insert, delete, replace, or to swap with their neighbour (each
 * character in one such step only) that makes b from a; letters of either case count as the same.
 * Texts that are longer than 63 bytes are far from everything: 64. */
unsigned conf_distance(const char *a, const char *b);

/* A search for the candidate next to a word that was mistyped. */
struct conf_guess {
	const char *word; /* what was written */
	const char *best; /* the nearest candidate so far that is near enough to name, or NULL */
	unsigned distance;
};

void conf_guess_start(struct conf_guess *g, const char *word);
void conf_guess_offer(struct conf_guess *g, const char *candidate);
