/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/clock.h"
#include "controlplane/pools/site_impl.h"

/* A verdict that is not on the disk yet when the machine dies is found again by the checks. */
enum { SAVE_DELAY_MS = 200, SAVE_RETRY_MS = 10000 };

static void save_after(struct site *s, unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (!event_pending(s->save, EV_TIMEOUT, NULL))
		event_add(s->save, &tv);
}

void site_save_later(struct site *s, unsigned parts)
{
	s->unsaved |= parts;
	save_after(s, SAVE_DELAY_MS);
}

void site_save_now(struct site *s, unsigned parts)
{
	s->unsaved |= parts;
	site_save_event(-1, 0, s);
}

void site_save_event(int fd, short what, void *arg)
{
	struct site *s = arg;
	struct err e = { "" };

	(void)fd;
	(void)what;
	if (state_file_save(s->file, s->state, s->unsaved, &e)) {
		log_error("%s", e.text);
		save_after(s, SAVE_RETRY_MS);
	} else {
		s->unsaved = 0;
	}
	s->save_fault = e;
}

static void on_neighbour_wanted(void *arg, uint32_t ifindex, const struct addr *addr)
{
	struct site *s = arg;

	keeper_wanted(s->keeper, ifindex, addr);
}

static int open_state(struct site *s, const char *dir, struct err *e)
{
	int err = state_file_new(&s->file, dir, e);

	if (!err)
		err = state_file_load(s->file, &s->state, e);
	if (!err)
		err = state_bind(s->state, s->live->conf, NULL, &s->live->ids, e);
	/* Numbers are on the disk before packets see them. */
	return err ? err : state_file_save(s->file, s->state, STATE_ALL, e);
}

static int open_host(struct site *s, struct err *e)
{
	int err = facts_open(s, e);

	if (!err)
		err = facts_check_addresses(s, s->live->conf, e);
	return err ? err : keeper_new(&s->keeper, s->base, s->host, e);
}

int site_open_engine(struct site *s, const struct conf *c, enum conf_engine_type type,
	const struct engine_alias *aliases, struct engine **out, bool *adopted, struct err *e)
{
	const struct host_link **links = calloc((size_t)c->n_interfaces * 2 + 1, sizeof(void *));
	const struct host_link **devices = links + c->n_interfaces;
	struct engine_options o = {
		.type = type,
		.run_dir = s->run_dir,
		.limits = &c->limits,
		.mode = c->engine.mode,
		.links = links,
		.devices = devices,
		.n_links = c->n_interfaces,
		.aliases = aliases,
		.aside = aliases != NULL,
		.neighbour_wanted = on_neighbour_wanted,
		.path_told = facts_path_told,
		.arg = s,
	};
	int err;

	if (!links)
		return err_set(e, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < s->n_ports; i++) {
		const struct snapshot_port *p = aliases ? &aliases[i].port : &s->ports[i].facts;

		links[i] = host_link_by_index(s->host, p->ifindex);
		devices[i] = host_link_by_index(s->host, p->device);
	}
	err = engine_open(out, s->base, &o, adopted, e);
	free(links);
	return err;
}

static int open_engine(struct site *s, enum conf_engine_type type, struct err *e)
{
	int err = site_open_engine(s, s->live->conf, type, NULL, &s->engine, &s->adopted, e);

	if (err)
		return err;
	keeper_watch(s->keeper, s->engine);
	err = sweep_open(s);
	if (!err)
		err = cookies_open(s);
	return err ? err_set(e, err, "out of memory") : facts_feed(s, e);
}

static int open_health(struct site *s, struct err *e)
{
	int err = health_new(&s->health, s->base, seen_change, s, e);

	if (err)
		return err;
	err = seen_watch(s, s->live, s->state);
	return err ? err_set(e, err, "out of memory") : 0;
}

static int open_events(struct site *s, struct err *e)
{
	s->publish = event_new(s->base, -1, 0, publish_event, s);
	s->hold = event_new(s->base, -1, 0, publish_hold_event, s);
	s->save = event_new(s->base, -1, 0, site_save_event, s);
	s->sweep = event_new(s->base, -1, 0, sweep_event, s);
	s->flood = event_new(s->base, -1, 0, cookies_event, s);
	s->age = event_new(s->base, -1, 0, facts_age_event, s);
	s->tracker = tracker_new();
	s->paths = paths_new();
	return s->publish && s->hold && s->save && s->sweep && s->flood && s->age && s->tracker &&
			       s->paths
		       ? 0
		       : err_set(e, -ENOMEM, "out of memory");
}

static int site_open(struct site *s, const struct site_options *o, struct diags *d, struct err *e)
{
	const struct site_caller self = { .uid = geteuid(), .gid = getegid() };
	enum conf_engine_type type = CONF_ENGINE_XDP;
	int err = open_events(s, e);

	if (!err)
		err = live_new(&s->live, o->config_path, &self, d, e);
	if (!err)
		err = open_state(s, o->state_dir, e);
	if (!err)
		err = changeover_begin(s, &type, e);
	if (!err)
		err = nic_new(&s->nic, o->run_dir, e);
	if (!err)
		err = open_host(s, e);
	if (!err)
		err = open_engine(s, type, e);
	return err ? err : open_health(s, e);
}

int site_new(struct site **out, struct event_base *base, const struct site_options *o,
	struct diags *d, struct err *e)
{
	struct site *s = calloc(1, sizeof *s);
	int err;

	if (!s)
		return err_set(e, -ENOMEM, "out of memory");
	s->base = base;
	s->started_ms = clock_ms();
	s->started_s = s->applied_s = clock_real_ms() / 1000;
	s->config_path = strdup(o->config_path);
	s->run_dir = strdup(o->run_dir);
	s->warnings = calloc(SITE_WARNINGS, sizeof *s->warnings);
	if (s->config_path && s->run_dir && s->warnings)
		err = site_open(s, o, d, e);
	else
		err = err_set(e, -ENOMEM, "out of memory");
	if (err) {
		site_free(s);
		return err;
	}
	*out = s;
	return 0;
}

static int publish_first(struct site *s, struct err *e)
{
	int err = publish_now(s, s->live, s->state, e);

	if (!err)
		changeover_settle(s);
	return err;
}

/* A fresh engine attaches by this, so what stands in the way of attaching fails the start. */
int site_start(struct site *s, struct err *e)
{
	if (s->adopted)
		publish_hold(s);
	return s->holding ? 0 : publish_first(s, e);
}

static void close_engine(struct site *s)
{
	bool unused = !s->adopted && !s->published;
	enum conf_engine_type type;
	struct err e;

	if (!s->engine)
		return;
	if (state_file_save(s->file, s->state, s->unsaved, &e))
		log_error("%s", e.text);
	type = engine_type(s->engine);
	engine_close(s->engine);
	if (!unused)
		return;
	/* Of an engine that is a process of its own nothing has been made. */
	if (type == CONF_ENGINE_XDP && engine_detach(s->run_dir, &e) < 0)
		log_error("%s", e.text);
	if (nic_restore(s->run_dir, &e))
		log_error("%s", e.text);
}

static void free_event(struct event *ev)
{
	if (ev)
		event_free(ev);
}

void site_free(struct site *s)
{
	if (!s)
		return;
	if (s->health)
		health_free(s->health);
	close_engine(s);
	nic_free(s->nic);
	tracker_free(s->tracker);
	paths_free(s->paths);
	floods_free(s->floods);
	keeper_free(s->keeper);
	if (s->host)
		host_free(s->host);
	free_event(s->publish);
	free_event(s->sweep);
	free_event(s->flood);
	free_event(s->age);
	free_event(s->hold);
	free_event(s->save);
	build_free(s->published);
	live_free(s->live);
	state_free(s->state);
	state_file_free(s->file);
	free(s->ports);
	free(s->warnings);
	free(s->run_dir);
	free(s->config_path);
	free(s);
}

int site_detach(struct site *s, struct err *e)
{
	struct err fault;
	int n;

	if (s->detached)
		return err_set(e, -EBUSY,
			"the engine is detached already: restart tandemd to attach it again");
	n = engine_detach(s->run_dir, e);
	if (n < 0)
		return n;
	if (nic_restore(s->run_dir, &fault))
		log_warn("%s", fault.text);
	s->detached = true;
	s->holding = false;
	event_del(s->publish);
	event_del(s->hold);
	keeper_watch(s->keeper, NULL);
	log_info("detached from %d interface%s: packets are left to this host", n,
		n == 1 ? "" : "s");
	return n;
}
