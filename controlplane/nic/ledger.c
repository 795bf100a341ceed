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

static const char *const words[] = {
	[LEDGER_FEATURE] = "feature",
	[LEDGER_GROUP] = "group",
	[LEDGER_ADDRESS] = "address",
	[LEDGER_UNICAST] = "unicast",
	[LEDGER_PROMISC] = "promiscuous",
	[LEDGER_SETTING] = "setting",
};

enum { WORDS = sizeof words / sizeof *words };

void ledger_free(struct ledger *l)
{
	free(l->list);
	*l = (struct ledger){ 0 };
}

bool ledger_same(const struct ledger_entry *a, const struct ledger_entry *b)
{
	return a->kind == b->kind && a->ifindex == b->ifindex && !strcmp(a->device, b->device) &&
	       !strcmp(a->what, b->what);
}

bool ledger_has(const struct ledger *l, const struct ledger_entry *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (ledger_same(&l->list[i], e))
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

/* Cuts a word off that ends with a space, or the line's end; NULL where there is neither. */
static char *next_word(char **line)
{
	char *word = *line, *end = word + strcspn(word, " \n");

	if (!*end)
		return NULL;
	*end = '\0';
	*line = end + 1;
	return word;
}

static bool parse_kind(const char *word, enum ledger_kind *out)
{
	for (unsigned i = 0; i < WORDS; i++)
		if (!strcmp(word, words[i])) {
			*out = (enum ledger_kind)i;
			return true;
		}
	return false;
}

static bool parse(char *line, struct ledger_entry *e)
{
	char *kind = next_word(&line), *number = next_word(&line), *device = next_word(&line),
	     *what = next_word(&line), *end;
	unsigned long ifindex = number ? strtoul(number, &end, 10) : 0;

	*e = (struct ledger_entry){ 0 };
	if (!what || *line || *end || !ifindex || ifindex > INT32_MAX ||
		strlen(device) >= sizeof e->device || strlen(what) >= sizeof e->what)
		return false;
	e->ifindex = (uint32_t)ifindex;
	memcpy(e->device, device, strlen(device));
	memcpy(e->what, what, strlen(what));
	return parse_kind(kind, &e->kind);
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
