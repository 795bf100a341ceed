/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/cpulist.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int read_cpu(const char **text, unsigned long *out)
{
	char *end;

	if (**text < '0' || **text > '9')
		return -EINVAL;
	*out = strtoul(*text, &end, 10);
	*text = end;
	return *out < CPU_SETSIZE ? 0 : -EINVAL;
}

static int read_range(const char **text, cpu_set_t *set)
{
	unsigned long first, last;

	if (read_cpu(text, &first))
		return -EINVAL;
	last = first;
	if (**text == '-') {
		++*text;
		if (read_cpu(text, &last))
			return -EINVAL;
	}
	for (unsigned long cpu = first; cpu <= last; cpu++)
		CPU_SET(cpu, set);
	return first <= last ? 0 : -EINVAL;
}

int cpulist_parse(const char *text, cpu_set_t *out)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	while (*text && *text != '\n') {
		if (read_range(&text, &set))
			return -EINVAL;
		if (*text == ',' && text[1] && text[1] != '\n')
			text++;
		else if (*text && *text != '\n')
			return -EINVAL;
	}
	*out = set;
	return 0;
}

const char *cpulist_text(const cpu_set_t *set, char buf[CPULIST_TEXT])
{
	size_t used = 0;

	buf[0] = '\0';
	for (int first = 0; first < CPU_SETSIZE; first++) {
		int last = first;

		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		used += (size_t)snprintf(
			buf + used, CPULIST_TEXT - used, "%s%d", used ? "," : "", first);
		if (last > first)
			used += (size_t)snprintf(buf + used, CPULIST_TEXT - used, "-%d", last);
		first = last;
	}
	return buf;
}
