/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/prefixes.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "controlplane/conf/words.h"

#define BLANKS " \t\r\v\f"

int conf_prefix_parse(const char *text, struct conf_prefix *out)
{
	struct conf_prefix p = { .allow = out->allow };
	int rc;

	if (strchr(text, '/')) {
		rc = addr_parse_prefix(text, &p.address, &p.plen);
	} else {
		rc = addr_parse(text, &p.address);
		p.plen = (uint8_t)(8 * addr_size(&p.address));
	}
	if (!rc)
		*out = p;
	return rc;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	while ((text = strchr(text, '\n'))) {
		n++;
		text++;
	}
	return n;
}

/* The line without its comment and the blanks around. */
static char *trim(char *line)
{
	size_t n;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANKS);
	n = strlen(line);
	while (n && strchr(BLANKS, line[n - 1]))
		line[--n] = '\0';
	return line;
}

static void add_fault(struct conf_prefix_faults *f, size_t number, const char *word)
{
	char quoted[CONF_QUOTED];

	if (f->n < CONF_PREFIX_FAULTS)
		snprintf(f->text[f->n], sizeof f->text[f->n],
			"%zu: %s is neither an address nor a prefix such as 203.0.113.0/24 or "
			"2001:db8::/32",
			number, conf_quote(word, quoted));
	f->n++;
}

int conf_prefixes_parse(char *text, bool allow, struct conf_memory *m, struct conf_prefixes *out,
	struct conf_prefix_faults *faults)
{
	struct conf_prefix *list = conf_memory_take(m, count_lines(text), sizeof *list);
	size_t number = 0;
	uint32_t n = 0;

	faults->n = 0;
	if (!list)
		return -ENOMEM;
	for (char *next, *line = text; line; line = next) {
		char *word;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		word = trim(line);
		list[n].allow = allow;
		if (!*word)
			continue;
		if (conf_prefix_parse(word, &list[n]))
			add_fault(faults, number, word);
		else
			n++;
	}
	*out = (struct conf_prefixes){ .list = list, .n = n, .given = true };
	return faults->n ? -EINVAL : 0;
}

/* Multiplication by an odd number and a shift, 8 bytes after the other: an operator's list is nobody's attack. */
uint64_t conf_prefixes_digest(uint64_t seed, const struct conf_prefix *list, uint32_t n)
{
	const uint8_t *at = (const uint8_t *)list;
	size_t left = n * sizeof *list;
	uint64_t h = seed ^ n;

	for (; left; at += 8) {
		size_t size = left < 8 ? left : 8;
		uint64_t word = 0;

		memcpy(&word, at, size);
		h = (h ^ word) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
		left -= size;
		if (!left)
			break;
	}
	return h;
}
