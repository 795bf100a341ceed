/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/health/target.h"
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_strings(struct conf_health *c)
{
	free((char *)c->name);
	free((char *)c->path);
	free((char *)c->host);
	free((char *)c->body);
}

/* Strings that a check of its type does not use may be NULL. */
static const char *copy_string(const char *s, bool *failed)
{
	char *copy = strdup(s ? s : "");

	*failed |= !copy;
	return copy;
}

static bool copy_conf(const struct conf_health *from, struct conf_health *to)
{
	bool failed = false;

	*to = *from;
	to->name = copy_string(from->name, &failed);
	to->path = copy_string(from->path, &failed);
	to->host = copy_string(from->host, &failed);
	to->body = copy_string(from->body, &failed);
	return !failed;
}

struct target *target_new(struct health *h, const struct health_target *from)
{
	struct target *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->health = h;
	t->addr = from->addr;
	t->port = from->port;
	target_set_label(t, from->label);
	if (!copy_conf(from->check, &t->conf)) {
		target_free(t);
		return NULL;
	}
	t->rules = (struct check_rules){
		.interval_ms = from->check->interval_ms,
		.timeout_ms = from->check->timeout_ms,
		.rise = from->check->rise,
		.fall = from->check->fall,
		.jitter_percent = from->check->jitter_percent,
	};
	t->check.state = from->initial;
	t->report.id = from->id;
	snprintf(t->report.last_reason, sizeof t->report.last_reason, "not probed yet");
	return t;
}

void target_free(struct target *t)
{
	if (!t)
		return;
	if (t->timer)
		event_free(t->timer);
	free_strings(&t->conf);
	free(t);
}

static bool same_string(const char *a, const char *b)
{
	return !strcmp(a, b ? b : "");
}

bool target_is(const struct target *t, const struct health_target *other)
{
	const struct conf_health *a = &t->conf, *b = other->check;

	return addr_equal(&t->addr, &other->addr) && t->port == other->port && a->type == b->type &&
	       a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms &&
	       a->rise == b->rise && a->fall == b->fall && a->jitter_percent == b->jitter_percent &&
	       a->status_min == b->status_min && a->status_max == b->status_max &&
	       a->method == b->method && same_string(a->path, b->path) &&
	       same_string(a->host, b->host) && same_string(a->body, b->body);
}

void target_set_label(struct target *t, const char *label)
{
	snprintf(t->label, sizeof t->label, "%s", label);
}
