/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/words.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 63 /* bytes of a word that is worth a guess: the longest name */
#define FAR	(LONGEST + 1)

size_t conf_utf8(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = u[0] < 0x80	 ? 1
		   : u[0] < 0xc2 ? 0
		   : u[0] < 0xe0 ? 2
		   : u[0] < 0xf0 ? 3
		   : u[0] < 0xf5 ? 4
				 : 0;

	if (n > (size_t)(end - p))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies above U+10FFFF. */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
		(u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return n;
}

const char *conf_quote(const char *text, char buf[CONF_QUOTED])
{
	const char *end = text + strlen(text);
	size_t used = 0;

	buf[used++] = '"';
	while (text < end) {
		size_t n = conf_utf8(text, end);
		/* Room for the longest step, the dots, the quote and the NUL. */
		if (used + 4 + 3 + 2 > CONF_QUOTED) {
			used += (size_t)sprintf(buf + used, "...");
			break;
		}
		if (n == 0 || (unsigned char)*text < 0x20 || *text == 0x7f) {
			used += (size_t)sprintf(buf + used, "\\x%02x", (unsigned char)*text);
			text++;
			continue;
		}
		memcpy(buf + used, text, n);
		used += n;
		text += n;
	}
	buf[used++] = '"';
	buf[used] = '\0';
	return buf;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned conf_distance(const char *a, const char *b)
{
	/* The last three rows of the matrix suffice: a swap looks two rows back. */
	unsigned rows[3][LONGEST + 1], *before = rows[0], *last = rows[1], *now = rows[2];
	size_t na = strlen(a), nb = strlen(b);

	if (na > LONGEST || nb > LONGEST)
		return FAR;
	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *spare = before;
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			int ca = tolower((unsigned char)a[i - 1]),
			    cb = tolower((unsigned char)b[j - 1]);
			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
				cb == tolower((unsigned char)a[i - 2]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

void conf_guess_start(struct conf_guess *g, const char *word)
{
	size_t n = strlen(word);

	/* A third of the word may be wrong, and one character of a short one. */
	*g = (struct conf_guess){ .word = word, .distance = (unsigned)(n < 6 ? 2 : n / 3 + 1) };
}

void conf_guess_offer(struct conf_guess *g, const char *candidate)
{
	size_t n = strlen(g->word), m = strlen(candidate);
	unsigned d;

	if ((n > m ? n - m : m - n) >= g->distance)
		return;
	d = conf_distance(g->word, candidate);
	if (d >= g->distance || d >= n || d >= m)
		return;
	g->distance = d;
	g->best = candidate;
}
