/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/cookies.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/nic/stack.h"

/* Who has turned time stamps off keeps them off: then cookies say less. */
static const struct setting {
	const char *name;
	long least, to; /* is changed where it is this or more, but not `to` */
} settings[] = {
	{ "net.ipv4.tcp_syncookies", 0, 2 },
	{ "net.ipv4.tcp_timestamps", 1, 2 },
};

enum { SETTINGS = sizeof settings / sizeof *settings, COOKIES = 0, TIMES = 1 };

/* The setting that an entry is of, and what it was; NULL: none of ours. */
static const struct setting *find(const char *entry, long *was)
{
	for (unsigned i = 0; i < SETTINGS; i++) {
		size_t n = strlen(settings[i].name);
		char *end;

		if (strncmp(entry, settings[i].name, n) != 0 || entry[n] != '=')
			continue;
		*was = strtol(entry + n + 1, &end, 10);
		return end > entry + n + 1 && !*end ? &settings[i] : NULL;
	}
	return NULL;
}

static bool is_listed(const struct ledger *l, const struct setting *s)
{
	long was;

	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].kind == LEDGER_SETTING && find(l->list[i].what, &was) == s)
			return true;
	return false;
}

int cookies_plan(struct ledger *l)
{
	struct ledger_entry e = { .kind = LEDGER_SETTING, .ifindex = 1, .device = "lo" };
	long is;
	int rc = 0;

	for (unsigned i = 0; i < SETTINGS && !rc; i++) {
		const struct setting *s = &settings[i];

		if (is_listed(l, s))
			continue;
		rc = stack_get(s->name, 0, &is);
		if (rc || is < s->least || is == s->to)
			continue;
		snprintf(e.what, sizeof e.what, "%s=%ld", s->name, is);
		rc = ledger_add(l, &e);
	}
	return rc;
}

int cookies_set(const char *entry)
{
	long was;
	const struct setting *s = find(entry, &was);

	return s ? stack_set(s->name, s->to) : -EBADMSG;
}

int cookies_put_back(const char *entry)
{
	long was, is;
	const struct setting *s = find(entry, &was);
	int rc = s ? stack_get(s->name, 0, &is) : -EBADMSG;

	return rc || is != s->to ? rc : stack_set(s->name, was);
}

bool cookies_is_needed(const struct ledger_entry *e)
{
	long was;

	return e->kind == LEDGER_SETTING && find(e->what, &was) == &settings[COOKIES];
}

bool cookies_have_times(void)
{
	long is;

	return !stack_get(settings[TIMES].name, 0, &is) && is == settings[TIMES].to;
}
