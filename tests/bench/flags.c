/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/flags.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(const struct flags *f)
{
	fprintf(stderr,
		"usage: %s [--json] [--quick|--check]%s [--case NAME]...\ncases:", f->program,
		f->has_flows ? " [--flows N]" : "");
	for (unsigned i = 0; i < f->n; i++)
		fprintf(stderr, "%s \"%s\"", i ? "," : "", f->name(i));
	fputc('\n', stderr);
	return 2;
}

static bool take_case(struct flags *f, const char *name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (!strcmp(f->name(i), name))
			return f->wanted[i] = true;
	return false;
}

static bool take_flows(struct flags *f, const char *text)
{
	f->flows = strtoull(text, NULL, 10);
	return f->has_flows && __builtin_popcountll(f->flows) == 1 && f->flows <= 1ull << 32;
}

/* What is said alone. */
static bool take_word(struct flags *f, const char *word)
{
	bool *said = !strcmp(word, "--json")	? &f->json
		     : !strcmp(word, "--quick") ? &f->quick
		     : !strcmp(word, "--check") ? &f->check
						: NULL;

	if (said)
		*said = true;
	return said;
}

int flags_read(struct flags *f, int argc, char **argv)
{
	bool some = false;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (take_word(f, argv[i]))
			continue;
		if (!strcmp(argv[i], "--case") && take_case(f, value))
			some = true;
		else if (strcmp(argv[i], "--flows") != 0 || !take_flows(f, value))
			return usage(f);
		i++;
	}
	for (unsigned i = 0; i < f->n && !some; i++)
		f->wanted[i] = true;
	return 0;
}
