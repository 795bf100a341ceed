/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked with a daemon: the process is killed before the step (controlplane/nic/step.h) that the file DIES_AT has a line about: "NAME N",
 * the Nth of that name, or "* N", the Nth of all; they are counted from when the file has been written. Behind that may stand the
 * numbers of up to two processes that are killed in its place. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/nic/step.h"

/* What the line says that is to be killed: at most two, and this process where nothing is said. */
static unsigned is_wanted(const char *what, int pids[2])
{
	static char last[64];
	static unsigned seen;
	char line[64] = "", name[64];
	FILE *f = fopen(getenv("DIES_AT"), "r");
	unsigned n;
	int words;

	if (f && !fgets(line, sizeof line, f))
		*line = '\0';
	if (f)
		fclose(f);
	if (strcmp(line, last) != 0)
		seen = 0;
	memcpy(last, line, sizeof last);
	words = sscanf(line, "%63s %u %d %d", name, &n, &pids[0], &pids[1]);
	if (words < 2 || (strcmp(name, "*") != 0 && strcmp(name, what) != 0) || ++seen != n)
		return 0;
	if (words == 2)
		pids[0] = getpid();
	return words == 2 ? 1 : (unsigned)words - 2;
}

static void die_at(const char *what)
{
	int pids[2];
	unsigned n = is_wanted(what, pids);

	for (unsigned i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
}

__attribute__((constructor)) static void hook(void)
{
	if (getenv("DIES_AT"))
		step_hook = die_at;
}
