/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/lines.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lines_open(struct lines *l, const char *path, struct err *e)
{
	FILE *in = fopen(path, "re");
	size_t room = 0;
	ssize_t n;

	*l = (struct lines){ .path = path };
	if (!in)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	n = getdelim(&l->memory, &room, '\0', in);
	fclose(in);
	if (n < 0 || !l->memory) {
		lines_close(l);
		return err_set(e, -EINVAL, "%s: an empty file", path);
	}
	l->next = l->memory;
	for (const char *at = l->memory; *at; at++)
		l->total += *at == '\n';
	l->total++;
	return 0;
}

void lines_close(struct lines *l)
{
	free(l->memory);
	l->memory = l->next = NULL;
}

char *lines_next(struct lines *l)
{
	char *line = l->next;

	if (!line || !*line)
		return NULL;
	l->next = strchr(line, '\n');
	if (l->next)
		*l->next++ = '\0';
	l->number++;
	return line;
}

int lines_error(const struct lines *l, struct err *e, const char *fmt, ...)
{
	char sentence[sizeof e->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, ap);
	va_end(ap);
	return err_set(e, -EINVAL, "%s:%u: %s", l->path, l->number, sentence);
}

unsigned words_split(char *text, char **words, unsigned max)
{
	unsigned n = 0;

	while (n < max) {
		while (isblank((unsigned char)*text))
			text++;
		if (!*text)
			break;
		words[n++] = text;
		if (n == max)
			break;
		while (*text && !isblank((unsigned char)*text))
			text++;
		if (*text)
			*text++ = '\0';
	}
	return n;
}

bool words_number(const char *word, uint64_t max, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	*out = strtoull(word, &end, 10);
	return !*end && !errno && *out <= max;
}
