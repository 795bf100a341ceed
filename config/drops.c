/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes tandem-drops(7): drops TEMPLATE. A line of the template that reads @PASS@, @SEND@ or @DROP@ becomes the verdicts
 * with that action, as dataplane/l4/verdict.h has them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "dataplane/l4/verdict.h"

static const struct verdict {
	const char *name, *help;
	enum l4_action action;
} verdicts[] = {
#define X(symbol, verdict_name, verdict_action, verdict_help) \
	{ .name = verdict_name, .help = verdict_help, .action = verdict_action },
	L4_VERDICTS(X)
#undef X
};

/* Text as mdoc input: a backslash would begin an escape. */
static void print_text(const char *text)
{
	for (; *text; text++)
		if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
}

/* "\&": a line that begins with a dot or a quote would be a request. */
static void print_verdicts(enum l4_action action)
{
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
		const struct verdict *v = &verdicts[i];

		if (v->action != action)
			continue;
		printf(".It Li %s\n\\&%c", v->name, toupper((unsigned char)v->help[0]));
		print_text(v->help + 1);
		puts(".");
	}
	puts(".El");
}

static void print_line(const char *line)
{
	if (!strcmp(line, "@PASS@\n"))
		print_verdicts(L4_PASS);
	else if (!strcmp(line, "@SEND@\n"))
		print_verdicts(L4_SEND);
	else if (!strcmp(line, "@DROP@\n"))
		print_verdicts(L4_DROP);
	else
		fputs(line, stdout);
}

int main(int argc, char **argv)
{
	FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
	char line[512];
	int bad;

	if (!f) {
		fputs("usage: drops TEMPLATE\n", stderr);
		return 2;
	}
	while (fgets(line, sizeof line, f))
		print_line(line);
	bad = ferror(f);
	fclose(f);
	return bad || fflush(stdout) ? 1 : 0;
}
