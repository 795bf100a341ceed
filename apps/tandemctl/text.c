/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/text.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandemctl/ctl.h"
#include "controlplane/conf/words.h"

static void *text_must(void *memory)
{
	if (memory)
		return memory;
	fputs("tandemctl: out of memory\n", stderr);
	exit(CTL_NEGATIVE);
}

void *text_zalloc(size_t n, size_t size)
{
	return text_must(calloc(n ? n : 1, size));
}

char *text_printf(const char *fmt, ...)
{
	char *out = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&out, fmt, ap) < 0)
		out = NULL;
	va_end(ap);
	return text_must(out);
}

FILE *text_stream(char **out, size_t *size)
{
	return text_must(open_memstream(out, size));
}

size_t text_decode(const char *s, size_t n, uint32_t *out)
{
	size_t length = conf_utf8(s, s + n);
	unsigned char first = (unsigned char)*s;
	uint32_t c;

	if (!length) {
		*out = TEXT_INVALID + first;
		return 1;
	}
	c = length == 1 ? first : first & (0x7fu >> length);
	for (size_t i = 1; i < length; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	*out = c;
	return length;
}

bool text_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c >= TEXT_INVALID;
}

char *text_escape(const char *s)
{
	size_t n = strlen(s), length;
	char *out = text_zalloc(6 * n + 1, 1),
	     *p = out; /* the longest escape, \uNNNN, has 6 bytes */
	uint32_t c;

	for (; n; s += length, n -= length) {
		length = text_decode(s, n, &c);
		if (!text_is_control(c)) {
			memcpy(p, s, length);
			p += length;
		} else if (length == 1) {
			p += sprintf(p, "\\x%02x", c & 0xff);
		} else {
			p += sprintf(p, "\\u%04x", c);
		}
	}
	*p = '\0';
	return out;
}

size_t text_width(const char *s)
{
	size_t width = 0, n = strlen(s), length;
	uint32_t c;

	for (; n; s += length, n -= length) {
		length = text_decode(s, n, &c);
		width++;
	}
	return width;
}

bool text_parse_time(const char *s, time_t *out)
{
	struct tm tm = { 0 };
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest)
		return false;
	if (*rest == '.')
		for (rest++; isdigit((unsigned char)*rest); rest++)
			;
	if (strcmp(rest, "Z") != 0)
		return false;
	*out = timegm(&tm);
	return true;
}
