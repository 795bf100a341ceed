/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/nic/ledger.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEDGER_MAX = 65536, LEDGER_LINE = 128 };

static const char *const words[] = { [LEDGER_FEATURE] = "feature", [LEDGER_GROUP] = "group" };

void ledger_free(struct ledger *l)
{
	free(l->list);
	*l = (struct ledger){ 0 };
}

static bool same(const struct ledger_entry *a, const struct ledger_entry *b)
{
	return a->kind == b->kind && a->ifindex == b->ifindex && !strcmp(a->device, b->device) &&
	       !strcmp(a->what, b->what);
}

bool ledger_has(const struct ledger *l, const struct ledger_entry *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (same(&l->list[i], e))
			return true;
	return false;
}

int ledger_add(struct ledger *l, const struct ledger_entry *e)
{
	if (ledger_has(l, e))
		return 0;
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct ledger_entry *list = realloc(l->list, room * sizeof *list);

		if (!list)
			return -ENOMEM;
		l->list = list;
		l->room = room;
	}
	l->list[l->n++] = *e;
	return 0;
}

void ledger_remove(struct ledger *l, size_t i)
{
	l->n--;
	memmove(&l->list[i], &l->list[i + 1], (l->n - i) * sizeof *l->list);
}

static bool parse(const char *line, struct ledger_entry *e)
{
	char word[16];
	int end = 0;

	*e = (struct ledger_entry){ 0 };
	_Static_assert(IF_NAMESIZE == 16 && LEDGER_NAME == 32, "the widths below");
	if (sscanf(line, "%15s %" SCNu32 " %15s %31s%n", word, &e->ifindex, e->device, e->what,
		    &end) != 4 ||
		strcmp(line + end, "\n") != 0)
		return false;
	e->kind = strcmp(word, words[LEDGER_GROUP]) ? LEDGER_FEATURE : LEDGER_GROUP;
	return !strcmp(word, words[e->kind]);
}

int ledger_load(struct ledger *l, const char *run_dir)
{
	char path[PATH_MAX], line[LEDGER_LINE];
	FILE *in;
	int rc = 0;

	if ((size_t)snprintf(path, sizeof path, "%s/nic", run_dir) >= sizeof path)
		return -ENAMETOOLONG;
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT ? 0 : -errno;
	while (fgets(line, sizeof line, in) && rc != -ENOMEM) {
		struct ledger_entry e;

		if (l->n == LEDGER_MAX || !parse(line, &e))
			rc = -EBADMSG;
		else if (ledger_add(l, &e))
			rc = -ENOMEM;
	}
	fclose(in);
	return rc;
}

int ledger_save(const struct ledger *l, const char *run_dir)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	bool good = true;
	FILE *out;

	if ((size_t)snprintf(path, sizeof path, "%s/nic", run_dir) >= sizeof path ||
		(size_t)snprintf(fresh, sizeof fresh, "%s/nic.new", run_dir) >= sizeof fresh)
		return -ENAMETOOLONG;
	if (!l->n)
		return unlink(path) && errno != ENOENT ? -errno : 0;
	out = fopen(fresh, "we");
	if (!out)
		return -errno;
	for (size_t i = 0; i < l->n && good; i++)
		good = fprintf(out, "%s %" PRIu32 " %s %s\n", words[l->list[i].kind],
			       l->list[i].ifindex, l->list[i].device, l->list[i].what) > 0;
	if (fclose(out) || !good)
		return -EIO;
	return rename(fresh, path) ? -errno : 0;
}
