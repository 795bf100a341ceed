/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/text.h"
#include <string.h>
#include "controlplane/conf/words.h"

int conf_text_column(const struct conf_text *t, const struct conf_spot *at)
{
	const char *p, *to;
	int column = 1;

	if (!at->line || at->offset == CONF_NO_COLUMN || at->offset - at->start > CONF_LINE_SHOWN)
		return 0;
	p = t->bytes + at->start;
	to = t->bytes + at->offset;
	while (p < to) {
		size_t n = conf_utf8(p, t->bytes + t->size);
		p += n ? n : 1;
		column++;
	}
	return column;
}

char *conf_text_line(const struct conf_text *t, const struct conf_spot *at)
{
	const char *from = t->bytes + at->start, *end = t->bytes + t->size, *to;

	if (!at->line)
		return NULL;
	to = memchr(from, '\n', (size_t)(end - from));
	if (!to)
		to = end;
	if (to > from && to[-1] == '\r')
		to--;
	if (to - from > CONF_LINE_SHOWN)
		return NULL;
	for (const char *p = from; p < to;) {
		size_t n = conf_utf8(p, to);
		if (!n || ((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return NULL;
		p += n;
	}
	return strndup(from, (size_t)(to - from));
}
