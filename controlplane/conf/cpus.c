/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/cpus.h"
#include <errno.h>
#include <string.h>

#define BLANK " \t"

/* Reads decimal digits and moves *text behind them; what is too large becomes CONF_CPU_MAX + 1. */
static int read_cpu(const char **text, unsigned *out)
{
	const char *p = *text;
	unsigned n = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		n = n > CONF_CPU_MAX ? n : n * 10 + (unsigned)(*p - '0');
	*text = p;
	*out = n > CONF_CPU_MAX ? CONF_CPU_MAX + 1 : n;
	return 0;
}

/* One CPU or range, with blanks around it. */
static int read_range(const char **text, unsigned *first, unsigned *last)
{
	int rc;

	*text += strspn(*text, BLANK);
	rc = read_cpu(text, first);
	*last = *first;
	if (!rc && **text == '-') {
		++*text;
		rc = read_cpu(text, last);
	}
	*text += strspn(*text, BLANK);
	return rc;
}

static bool has(const struct conf_dpdk *d, unsigned cpu)
{
	for (unsigned i = 0; i < d->n_cpus; i++)
		if (d->cpus[i] == cpu)
			return true;
	return false;
}

static int add(struct conf_dpdk *d, unsigned first, unsigned last)
{
	if (last > CONF_CPU_MAX || first > last)
		return -ERANGE;
	for (unsigned cpu = first; cpu <= last; cpu++) {
		if (d->n_cpus == CONF_CPUS_MAX || has(d, cpu))
			return -ERANGE;
		d->cpus[d->n_cpus++] = (uint16_t)cpu;
	}
	return 0;
}

int conf_cpus_parse(const char *text, struct conf_dpdk *out)
{
	struct conf_dpdk cpus = { .n_cpus = 0 };
	int worst = 0;

	for (const char *p = text;; p++) {
		unsigned first = 0, last = 0;

		if (read_range(&p, &first, &last) || (*p && *p != ','))
			return -EINVAL;
		if (add(&cpus, first, last))
			worst = -ERANGE;
		if (!*p)
			break;
	}
	if (worst)
		return worst;
	memcpy(out->cpus, cpus.cpus, sizeof out->cpus);
	out->n_cpus = cpus.n_cpus;
	return 0;
}
