/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/screen.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "apps/tandemctl/text.h"

void screen_init(struct screen *s, time_t now)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO);

	*s = (struct screen){
		.out = stdout,
		.terminal = terminal,
		.colour = terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0,
		.now = now,
	};
}

void screen_raw(const struct screen *s, const char *bytes, size_t n)
{
	const char *end = bytes + n;

	if (!s->terminal) {
		fwrite(bytes, 1, n, s->out);
		return;
	}
	while (bytes < end) {
		uint32_t c;
		size_t length = text_decode(bytes, (size_t)(end - bytes), &c);

		if (c == '\n' || c == '\t' || !text_is_control(c))
			fwrite(bytes, 1, length, s->out);
		else
			fprintf(s->out, "\\u%04x", c);
		bytes += length;
	}
}
