/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/base/err.h"
#include <stdio.h>
#include <string.h>

/* Takes off the part of a UTF-8 character that a cut left at the end: the text goes into JSON. */
static void trim(char *text)
{
	size_t n = strlen(text), tail = 0, wants;

	while (tail < 3 && tail < n && ((unsigned char)text[n - 1 - tail] & 0xc0) == 0x80)
		tail++;
	if (tail == n)
		return;
	wants = (unsigned char)text[n - 1 - tail] >= 0xf0   ? 3
		: (unsigned char)text[n - 1 - tail] >= 0xe0 ? 2
		: (unsigned char)text[n - 1 - tail] >= 0xc0 ? 1
							    : 0;
	if (tail < wants)
		text[n - 1 - tail] = '\0';
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	trim(e->text);
	return code;
}

int err_prefix(struct err *e, int code, const char *fmt, ...)
{
	char old[sizeof(struct err)];
	va_list ap;
	int n;

	if (!e)
		return code;
	memcpy(old, e->text, sizeof old);
	va_start(ap, fmt);
	n = vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof e->text)
		snprintf(e->text + n, sizeof e->text - (size_t)n, ": %.*s",
			(int)(sizeof e->text - (size_t)n) - 3, old);
	trim(e->text);
	return code;
}
