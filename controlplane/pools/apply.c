/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes while the daemon runs, each all or nothing: a new configuration, an operator's overlay.
 *
 * What each changes of the state is saved first, so that nothing that packets see can be lost; what cannot be
 * published is taken back, from the files too. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/clock.h"
#include "controlplane/pools/site_impl.h"

/* What a configuration changes of the state, and is to be on the disk before packets see it. */
enum { APPLIED_PARTS = STATE_NUMBERS | STATE_WANTED };

/* l and st become the site's. */
static void install(struct site *s, struct live *l, struct state *st)
{
	live_free(s->live);
	state_free(s->state);
	s->live = l;
	s->state = st;
	s->applied_s = clock_real_ms() / 1000;
	site_save_later(s, STATE_SEEN);
}

static int apply_live(struct site *s, struct live *l, struct err *e)
{
	struct state *st = state_copy(s->state);
	int err;

	if (!st)
		return err_set(e, -ENOMEM, "out of memory");
	err = state_bind(st, l->conf, s->tracking, &l->ids, e);
	if (err)
		goto fail;
	if (seen_watch(s, l, st)) {
		err = err_set(e, -ENOMEM, "out of memory");
		goto fail;
	}
	err = state_file_save(s->file, st, APPLIED_PARTS, e);
	if (!err)
		err = l->conf->engine.type == engine_type(s->engine) ? publish_now(s, l, st, e)
								     : changeover(s, l, st, e);
	if (err) {
		site_save_now(s, APPLIED_PARTS);
		if (seen_watch(s, s->live, s->state))
			log_error("out of memory: health checks follow the refused configuration");
		goto fail;
	}
	install(s, l, st);
	return 0;
fail:
	state_free(st);
	return err;
}

int site_apply(struct site *s, const char *path, const struct site_caller *as, struct diags *d,
	struct err *e)
{
	const struct site_caller self = { .uid = geteuid(), .gid = getegid() };
	struct live *l;
	int err = publish_allowed(s, e);

	if (!err)
		err = live_new(&l, path ? path : s->config_path, path ? as : &self, d, e);
	if (err)
		return err;
	s->changed_over = false;
	err = live_may_follow(s->live->conf, l->conf, e);
	if (!err)
		err = facts_check_addresses(s, l->conf, e);
	if (!err)
		err = apply_live(s, l, e);
	if (err) {
		live_free(l);
		return err;
	}
	log_info("configuration %s applied, generation %llu", l->path,
		(unsigned long long)engine_generation(s->engine));
	return 0;
}

/* Whether the reason given earlier still holds when these are changed without one; see site_server_set(). */
static bool keeps_why(const struct site_overlay *before, int wanted, int weight)
{
	return before->wanted != SERVER_READY ? wanted < 0 : weight == -1;
}

static void overlay_set(
	struct site_overlay *o, int wanted, int weight, const char *who, const char *why)
{
	bool keep = !why && keeps_why(o, wanted, weight);

	if (wanted >= 0)
		o->wanted = (enum server_wanted)wanted;
	if (weight != -1)
		o->weight = weight == -2 ? -1 : weight;
	snprintf(o->who, sizeof o->who, "%s", who);
	if (o->wanted == SERVER_READY && o->weight < 0)
		keep = false;
	if (!keep)
		snprintf(o->why, sizeof o->why, "%s", why ? why : "");
	o->when_s = clock_real_ms() / 1000;
}

int site_server_set(struct site *s, unsigned server, int wanted, int weight, const char *who,
	const char *why, struct err *e)
{
	const struct conf *c = s->live->conf;
	const struct conf_server *sv = &c->servers[server];
	struct state_server *record = state_server(s->state, s->live->ids.servers[server]);
	struct site_overlay *o = &record->overlay;
	const struct site_overlay before = *o;
	int err = publish_allowed(s, e);

	if (err)
		return err;
	overlay_set(o, wanted, weight, who, why);
	err = state_file_save(s->file, s->state, STATE_WANTED, e);
	if (!err)
		err = publish_now(s, s->live, s->state, e);
	if (err) {
		*o = before;
		site_save_now(s, STATE_WANTED);
		return err;
	}
	log_info("server %s/%s: %s, weight %u, by %s%s%s", c->pools[sv->pool].name, sv->name,
		server_wanted_name(o->wanted), duty_weight(sv, record), who, *o->why ? ": " : "",
		o->why);
	return 0;
}
