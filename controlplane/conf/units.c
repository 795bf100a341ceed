/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/units.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint32_t ms;
} durations[] = {
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

#define N_DURATIONS (sizeof durations / sizeof *durations)

/* Reads decimal digits and moves *text behind them. Digits only: strtoul() would take signs, blanks. */
static int digits(const char **text, uint32_t *out)
{
	const char *p = *text;
	uint64_t n = 0;
	bool fits = true;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > UINT32_MAX) {
			fits = false;
			n = UINT32_MAX;
		}
	}
	*text = p;
	*out = (uint32_t)n;
	return fits ? 0 : -ERANGE;
}

int conf_duration_parse(const char *text, uint32_t *out)
{
	uint32_t n, ms;
	int rc = digits(&text, &n);

	if (rc == -EINVAL)
		return rc;
	for (size_t i = 0; i < N_DURATIONS; i++) {
		if (strcmp(text, durations[i].name))
			continue;
		if (rc || __builtin_mul_overflow(n, durations[i].ms, &ms))
			return -ERANGE;
		*out = ms;
		return 0;
	}
	return -EINVAL;
}

int conf_percent_parse(const char *text, uint32_t *out)
{
	uint32_t n;
	int rc = digits(&text, &n);

	if (rc == -EINVAL || strcmp(text, "%"))
		return -EINVAL;
	if (!rc)
		*out = n;
	return rc;
}

int conf_status_parse(const char *text, uint16_t out[2])
{
	uint32_t from, to;
	int rc_from = digits(&text, &from), rc_to = rc_from;

	to = rc_from ? 0 : from;
	if (rc_from != -EINVAL && *text == '-') {
		text++;
		rc_to = digits(&text, &to);
	}
	if (rc_from == -EINVAL || rc_to == -EINVAL || *text)
		return -EINVAL;
	if (rc_from || rc_to || from > to || to > UINT16_MAX)
		return -ERANGE;
	out[0] = (uint16_t)from;
	out[1] = (uint16_t)to;
	return 0;
}

const char *conf_duration_text(uint32_t ms, char buf[CONF_DURATION_TEXT])
{
	size_t i = 0;

	while (ms ? ms % durations[i].ms : i + 1 < N_DURATIONS)
		i++;
	snprintf(buf, CONF_DURATION_TEXT, "%u%s", ms / durations[i].ms, durations[i].name);
	return buf;
}
