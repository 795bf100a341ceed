/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools by themselves and against the pools that they fall back on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "controlplane/conf/check.h"
#include "controlplane/conf/diag.h"

/* `"a" (line 3) -> "b" (line 7) -> `: the pools of a circle, from `first` on; of a long one the beginning. */
static const char *circle_text(const struct conf *c, unsigned first, char *buf, size_t size)
{
	unsigned p = first;
	size_t used = 0;

	do {
		int n = snprintf(buf + used, size - used, "\"%.63s\" (line %d) -> ",
			c->pools[p].name, c->pools[p].line);
		if (n < 0 || (size_t)n >= size - used - sizeof "... -> ") {
			snprintf(buf + used, size - used, "... -> ");
			break;
		}
		used += (size_t)n;
		p = (unsigned)conf_pool_fallback(c, p);
	} while (p != first);
	return buf;
}

static void tell_circle(struct conf_tree *t, unsigned first)
{
	const struct conf *c = t->conf;
	const struct conf_spot *at = conf_tree_spot(t, CONF_POOL, first, "when_empty");
	char circle[512];

	if ((unsigned)conf_pool_fallback(c, first) == first)
		diags_add(t->diags, DIAG_ERROR, t->text, at,
			"pool \"%.63s\" cannot fall back on itself", c->pools[first].name);
	else
		diags_add(t->diags, DIAG_ERROR, t->text, at,
			"pools fall back on each other in a circle (when_empty): %s\"%.63s\"",
			circle_text(c, first, circle, sizeof circle), c->pools[first].name);
}

/* Finds every circle once and opens it, so that all that follow a pool's fall-backs come to an end. */
static int check_circles(struct conf_tree *t)
{
	struct conf *c = t->conf;
	unsigned *walk = conf_memory_take(t->memory, c->n_pools, sizeof *walk);

	if (!walk)
		return -ENOMEM;
	for (unsigned i = 0; i < c->n_pools; i++) {
		int p = (int)i;

		while (p >= 0 && !walk[p]) {
			walk[p] = i + 1;
			p = conf_pool_fallback(c, (unsigned)p);
		}
		if (p < 0 || walk[p] != i + 1)
			continue;
		tell_circle(t, (unsigned)p);
		c->pools[p].when_empty = CONF_EMPTY_DROP;
	}
	return 0;
}

static void check_chain(struct conf_tree *t, unsigned pool)
{
	struct conf *c = t->conf;
	unsigned last = pool;

	for (int n = 1; n < CONF_CHAIN_MAX && conf_pool_fallback(c, last) >= 0; n++)
		last = (unsigned)conf_pool_fallback(c, last);
	if (conf_pool_fallback(c, last) < 0)
		return;
	diags_add(t->diags, DIAG_ERROR, t->text, conf_tree_spot(t, CONF_POOL, pool, "when_empty"),
		"pool \"%.63s\" falls back on a pool that falls back, and so on: at most %d pools "
		"can follow each other",
		c->pools[pool].name, CONF_CHAIN_MAX);
	c->pools[last].when_empty = CONF_EMPTY_DROP;
}

/* A word stands before a pool of that name. */
static void check_word(struct conf_tree *t, uint32_t value, const char *word)
{
	const struct conf *c = t->conf;
	int other = conf_find_pool(c, word);

	for (unsigned i = 0; i < c->n_pools && other >= 0; i++)
		if (c->pools[i].when_empty == value &&
			conf_tree_sure(t, CONF_POOL, i, "when_empty"))
			diags_add(t->diags, DIAG_WARNING, t->text,
				conf_tree_spot(t, CONF_POOL, i, "when_empty"),
				"\"%s\" is not the pool of that name (line %d) here; give that "
				"another name to fall back on it",
				word, c->pools[other].line);
}

static void check_min_up(struct conf_tree *t, unsigned pool)
{
	const struct conf_pool *p = &t->conf->pools[pool];

	if (p->min_up <= p->n_servers || !p->n_servers)
		return;
	diags_add(t->diags, DIAG_WARNING, t->text, conf_tree_spot(t, CONF_POOL, pool, "min_up"),
		"min_up of pool \"%.63s\" is %u, more than the %u servers that it has: those that "
		"fail their checks are used all the time",
		p->name, p->min_up, p->n_servers);
}

int conf_check_pools(struct conf_tree *t)
{
	int rc;

	check_word(t, CONF_EMPTY_DROP, "drop");
	check_word(t, CONF_EMPTY_RESET, "reset");
	rc = check_circles(t);

	for (unsigned i = 0; i < t->conf->n_pools && !rc; i++) {
		check_chain(t, i);
		check_min_up(t, i);
	}
	return rc;
}
