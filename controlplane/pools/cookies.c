/* SPDX-License-Identifier: BSD-2-Clause */
/* Floods of SYNs as they begin and end; this host's TCP stack, which has to take cookies as long as some that were given in its
 * name may come back; and the sweep over the connections that cookies began, in parts between which the loop does other things. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/clock.h"
#include "controlplane/pools/site_impl.h"

/* A part takes well below a millisecond. */
enum { COOKIES_PAUSE_MS = 1000, COOKIES_PART_MS = 5, COOKIES_PART = 65536 };

static void look_again(struct site *s, unsigned ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(s->flood, &tv);
}

int cookies_open(struct site *s)
{
	struct l4_flood *rows;
	uint32_t n;

	rows = engine_floods(s->engine, &n);
	s->floods = floods_new(n);
	if (!s->floods)
		return -ENOMEM;
	s->n_floods = n;
	floods_doubt(rows, n);
	look_again(s, COOKIES_PAUSE_MS);
	return 0;
}

/* Rows of the same number stay as they are; without memory for others nothing is told of floods until the next start. */
void cookies_follow(struct site *s)
{
	struct l4_flood *rows;
	struct floods *floods;
	uint32_t n;

	s->flood_at = 0;
	rows = engine_floods(s->engine, &n);
	if (n == s->n_floods)
		return;
	floods = floods_new(n);
	if (!floods) {
		event_del(s->flood);
		log_error(
			"out of memory: floods of SYNs are looked at no more until tandemd is restarted");
		return;
	}
	floods_free(s->floods);
	s->floods = floods;
	s->n_floods = n;
	floods_doubt(rows, n);
}

bool *cookies_proxied(const struct site *s, const struct live *l)
{
	bool *list = calloc(l->conf->n_services + 1u, sizeof *list);
	const struct l4_flood *rows;
	uint32_t n;

	rows = engine_floods(s->engine, &n);
	for (unsigned i = 0; list && i < l->conf->n_services; i++)
		list[i] = l->ids.services[i] < n && l4_flood_has_proxied(&rows[l->ids.services[i]]);
	return list;
}

static void tell(
	const struct conf_service *v, const struct floods_service *f, enum floods_news news)
{
	if (!v->syn_threshold || v->syn_cookies != CONF_SYN_COOKIES_AUTO)
		return;
	if (news == FLOODS_BEGUN)
		log_warn("service %s: a flood of SYNs has begun, more than %u in a second; %" PRIu64
			 " in a second were answered with SYN cookies just now",
			v->name, v->syn_threshold, f->syns_per_s);
	else if (news == FLOODS_OVER)
		log_info("service %s: the flood of SYNs is over", v->name);
}

/* SYNs of a service that were answered with cookies, since the engine was first set up. */
static uint64_t answered(const struct site *s, uint32_t id)
{
	uint64_t n;

	return engine_service_cookies(s->engine, id, &n) ? 0 : n;
}

/* Looks at the flood of a service. Returns whether it needs this host's stack to take cookies. */
static bool look_at(struct site *s, unsigned service, struct l4_flood *row)
{
	const struct conf_service *v = &s->live->conf->services[service];
	uint32_t id = s->live->ids.services[service];
	enum floods_news news =
		floods_look(s->floods, id, row, answered(s, id), clock_coarse(), clock_real_ms());
	const struct floods_service *f = floods_service(s->floods, id);

	tell(v, f, news);
	return v->forward == CONF_FORWARD_LOCAL && (f->cookies || !v->syn_threshold);
}

/* Calls fn for every service that packets know to have cookies, with its row. */
static bool any_service(
	struct site *s, bool (*fn)(struct site *s, unsigned service, struct l4_flood *row))
{
	struct l4_flood *rows;
	bool any = false;
	uint32_t n;

	rows = engine_floods(s->engine, &n);
	for (unsigned i = 0; i < s->live->conf->n_services; i++)
		if (s->published->services[i].syn_cookies && s->live->ids.services[i] < n)
			any |= fn(s, i, &rows[s->live->ids.services[i]]);
	return any;
}

static bool make_ready(struct site *s, unsigned service, struct l4_flood *row)
{
	if (s->live->conf->services[service].forward != CONF_FORWARD_LOCAL)
		return false;
	row->times = s->stack.times;
	row->scale = s->stack.scale;
	__atomic_store_n(&row->ready, 1, __ATOMIC_RELEASE);
	return true;
}

/* Cookies are given only once the stack takes them. What stands in the way is tried again, and told once. */
static void begin_stack(struct site *s)
{
	struct err e;

	if (!s->stack_ready && nic_cookies_begin(s->nic, &s->stack, &e)) {
		if (strcmp(s->stack_fault.text, e.text) != 0)
			log_warn("%s", e.text);
		s->stack_fault = e;
		return;
	}
	s->stack_fault.text[0] = '\0';
	s->stack_ready = true;
	any_service(s, make_ready);
}

static void end_stack(struct site *s)
{
	struct l4_flood *rows;
	struct err e;
	uint32_t n;

	s->stack_fault.text[0] = '\0';
	if (!s->stack_ready && !nic_cookies_changed(s->nic))
		return;
	rows = engine_floods(s->engine, &n);
	for (uint32_t i = 0; i < n; i++)
		__atomic_store_n(&rows[i].ready, 0, __ATOMIC_RELEASE);
	if (nic_cookies_end(s->nic, &e))
		log_warn("%s", e.text);
	s->stack_ready = false;
}

static bool has_proxied(struct site *s, unsigned service, struct l4_flood *row)
{
	(void)s;
	(void)service;
	return l4_flood_has_proxied(row);
}

static void sweep_part(struct site *s)
{
	uint32_t n, n_rows, part = COOKIES_PART;
	struct l4_proxied *entries = engine_proxied(s->engine, &n);
	struct l4_flood *rows = engine_floods(s->engine, &n_rows);

	if (!s->flood_at)
		floods_sweep_begin(s->floods, rows);
	if (part > n - s->flood_at)
		part = n - s->flood_at;
	floods_sweep_part(s->floods, entries + s->flood_at, part, clock_coarse());
	s->flood_at += part;
	if (s->flood_at < n)
		return;
	s->flood_at = 0;
	/* Services that have cookies no more but for these. */
	if (floods_sweep_end(s->floods, rows))
		publish_later(s, 0);
}

static void look(struct site *s)
{
	if (any_service(s, look_at))
		begin_stack(s);
	else
		end_stack(s);
	if (any_service(s, has_proxied))
		sweep_part(s);
}

/* Until something is published packets go by what a former process knew. */
void cookies_event(int fd, short what, void *arg)
{
	struct site *s = arg;

	(void)fd;
	(void)what;
	if (s->detached)
		return;
	if (s->flood_at)
		sweep_part(s);
	else if (s->published)
		look(s);
	look_again(s, s->flood_at ? COOKIES_PART_MS : COOKIES_PAUSE_MS);
}
