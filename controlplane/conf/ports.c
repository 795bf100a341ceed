/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/ports.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY   "any"
#define BLANK " \t"

/* Reads decimal digits and moves *text behind them. */
static int read_port(const char **text, uint16_t *out)
{
	const char *p = *text;
	uint32_t n = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		n = n > UINT16_MAX ? n : n * 10 + (uint32_t)(*p - '0');
	*text = p;
	*out = (uint16_t)n;
	return n > 0 && n <= UINT16_MAX ? 0 : -ERANGE;
}

/* One port or range, with blanks around it. */
static int read_range(const char **text, struct conf_range *out)
{
	int rc, rc_last = 0;

	*text += strspn(*text, BLANK);
	rc = read_port(text, &out->first);
	out->last = out->first;
	if (rc != -EINVAL && **text == '-') {
		++*text;
		rc_last = read_port(text, &out->last);
	}
	*text += strspn(*text, BLANK);
	if (rc == -EINVAL || rc_last == -EINVAL)
		return -EINVAL;
	return rc || rc_last || out->first > out->last ? -ERANGE : 0;
}

static int compare(const void *pa, const void *pb)
{
	const struct conf_range *a = pa, *b = pb;

	return a->first - b->first;
}

static bool overlap(const struct conf_ports *p)
{
	for (uint32_t i = 1; i < p->n; i++)
		if (p->list[i].first <= p->list[i - 1].last)
			return true;
	return false;
}

static int take(
	const struct conf_range *list, uint32_t n, struct conf_memory *m, struct conf_ports *out)
{
	struct conf_range *copy = conf_memory_take(m, n, sizeof *copy);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, list, n * sizeof *copy);
	*out = (struct conf_ports){ copy, n };
	return 0;
}

int conf_ports_parse(const char *text, struct conf_memory *m, struct conf_ports *out)
{
	struct conf_range list[CONF_PORTS_MAX + 1] = { { 1, UINT16_MAX } };
	struct conf_ports ports = { list, 0 };
	int worst = 0;

	if (!strcmp(text, ANY))
		return take(list, 1, m, out);
	for (const char *p = text;; p++) {
		int rc = read_range(&p, &list[ports.n]);

		if (rc == -EINVAL || (*p && *p != ','))
			return -EINVAL;
		if (rc || ports.n == CONF_PORTS_MAX)
			worst = -ERANGE;
		else
			ports.n++;
		if (!*p)
			break;
	}
	qsort(list, ports.n, sizeof *list, compare);
	if (worst || overlap(&ports))
		return -ERANGE;
	return take(list, ports.n, m, out);
}

int conf_ports_one(uint16_t port, struct conf_memory *m, struct conf_ports *out)
{
	return take(&(struct conf_range){ port, port }, 1, m, out);
}

const char *conf_ports_text(const struct conf_ports *p, char buf[CONF_PORTS_TEXT])
{
	size_t used = 0;

	buf[0] = '\0';
	if (p->n == 1 && p->list[0].first == 1 && p->list[0].last == UINT16_MAX) {
		snprintf(buf, CONF_PORTS_TEXT, "%s", ANY);
		return buf;
	}
	for (uint32_t i = 0; i < p->n; i++) {
		const struct conf_range *r = &p->list[i];

		used += (size_t)snprintf(
			buf + used, CONF_PORTS_TEXT - used, "%s%u", i ? "," : "", r->first);
		if (r->last != r->first)
			used += (size_t)snprintf(
				buf + used, CONF_PORTS_TEXT - used, "-%u", r->last);
	}
	return buf;
}
