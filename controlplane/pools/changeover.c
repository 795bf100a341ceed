/* SPDX-License-Identifier: BSD-2-Clause */
/* From one engine to another while packets flow.
 *
 * XDP programs take packets before a packet socket sees them, and with tables that name no address of ours they pass everything. So the
 * DPDK engine takes the interfaces over, or gives them back, behind programs: all that needs time is done while one of the two
 * serves, and in the gap only what has changed of flows is copied.
 *
 *   to DPDK: tandem-dpdk takes the devices, by taps for the host; it gets generation, routes, neighbours and flows; [it
 *            pauses, programs pass, flows are copied again, it goes on]; programs are detached.
 *   to XDP:  programs that pass are attached to the devices below the taps, and get the same; [tandem-dpdk pauses, flows are copied
 *            again, programs take packets]; tandem-dpdk gives the devices back.
 *
 * What [] holds is the gap, in which packets wait in tandem-dpdk's sockets or are lost. Until its end whatever fails is undone, and whoever
 * is killed leaves an engine that serves and knows all flows: tandem-dpdk goes on when the connection that had it pause ends, and before
 * that has programs take packets again unless its flows were complete (engine_cede()). The next process begins with that engine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "controlplane/base/log.h"
#include "controlplane/nic/handover.h"
#include "controlplane/nic/step.h"
#include "controlplane/pools/site_impl.h"

enum { DIR_PATH = 4096, LOCK_PAUSE_US = 10000, LOCK_PAUSES = 200 };

struct move {
	struct site *site;
	struct live *live;
	const struct state *state;
	struct engine *from, *to;
	struct build *published; /* what packets go by until they change over */
	struct engine_tally *tally;
	struct site_changeover report;
};

const char *site_engine_name(enum conf_engine_type type)
{
	return type == CONF_ENGINE_DPDK ? "dpdk" : "xdp";
}

const struct site_changeover *site_changed_over(const struct site *s)
{
	return s->changed_over ? &s->changeover : NULL;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* What was changed about devices is another process' by now, or ours again. */
static int reopen_nic(struct site *s, struct err *e)
{
	struct nic *nic;
	int rc = nic_new(&nic, s->run_dir, e);

	if (rc)
		return rc;
	nic_free(s->nic);
	s->nic = nic;
	return 0;
}

/* The interfaces have changed hands. */
static int follow(struct site *s, struct err *e)
{
	struct host *before;
	int rc = reopen_nic(s, e);

	if (!rc)
		rc = facts_reopen(s, &before, e);
	if (rc)
		return rc;
	facts_forget(s, before);
	host_free(before);
	return 0;
}

/* Devices first, while they have the names that the list knows. */
static int put_back_now(const struct site *s, struct err *e)
{
	char dir[DIR_PATH];
	struct err own;
	int rc = handover_check_dead(s->run_dir, e), given;

	if (rc)
		return rc;
	snprintf(dir, sizeof dir, "%s/dpdk", s->run_dir);
	rc = nic_restore(dir, e);
	given = handover_give_back_all(s->run_dir, &own);
	return given < 0 ? err_set(e, given, "%s", own.text) : rc;
}

/* What a tandem-dpdk that has been killed still has. It loses its connections a moment before its locks. */
static int put_back(const struct site *s, struct err *e)
{
	int rc = put_back_now(s, e);

	for (int i = 0; rc == -EBUSY && i < LOCK_PAUSES; i++) {
		step("wait for locks");
		usleep(LOCK_PAUSE_US);
		rc = put_back_now(s, e);
	}
	return rc;
}

static int check(const struct site *s, const struct conf *c, struct err *e)
{
	struct engine_options o = {
		.type = c->engine.type, .run_dir = s->run_dir, .limits = &c->limits
	};
	uint64_t since;

	if (engine_captures(s->engine))
		return err_set(e, -EBUSY,
			"packets are being captured: end that first (tandemctl capture), then change "
			"engine.type");
	if (engine_state(s->engine, &since) != ENGINE_SERVING)
		return err_set(e, -EBUSY,
			"the DPDK engine does not answer, so that its flows cannot be carried over: start "
			"tandem-dpdk again first");
	return engine_ready(&o, e);
}

/* Everything that `to` needs to serve as `from` does. */
static int furnish(struct move *m, struct err *e)
{
	struct site *s = m->site;
	int rc;

	step("furnish");
	s->engine = m->to;
	keeper_watch(s->keeper, m->to);
	engine_inherit(m->to, m->from);
	rc = facts_feed(s, e);
	if (rc)
		return rc;
	engine_carry(m->to, m->from, &m->report.carried);
	rc = engine_tally_begin(&m->tally, m->to, m->from, e);
	if (rc)
		return rc;
	m->published = s->published;
	s->published = NULL;
	step("publish");
	return publish_aside(s, m->live, m->state, e);
}

static void end_tally(struct move *m)
{
	engine_tally_end(m->tally, true);
	m->tally = NULL;
}

/* Packets wait meanwhile. */
static int hand_over(struct move *m, struct err *e)
{
	int rc;

	step("carry");
	engine_carry(m->to, m->from, &m->report.carried);
	if (!engine_tally_may_wait(m->tally))
		end_tally(m);
	step("cede");
	rc = engine_cede(m->from, e);
	step("resume");
	return rc ? rc : engine_resume(m->to, e);
}

/* Packets change over. */
static int cross(struct move *m, struct err *e)
{
	uint64_t began;
	struct err own;
	int rc;

	step("pause");
	rc = engine_yield(m->to, e);
	if (rc)
		return rc;
	began = now_ns();
	step("yield");
	rc = engine_yield(m->from, e);
	if (!rc)
		rc = hand_over(m, e);
	if (rc) {
		engine_resume(m->from, &own);
		return rc;
	}
	m->report.gap_ns = now_ns() - began;
	step("rest");
	end_tally(m);
	return 0;
}

/* The engine before serves, as it has been doing. */
static void return_to(struct move *m)
{
	struct site *s = m->site;

	engine_tally_end(m->tally, false);
	engine_close(m->to);
	s->engine = m->from;
	keeper_watch(s->keeper, m->from);
	if (!m->published)
		return;
	build_free(s->published);
	s->published = m->published;
	s->must_publish = true;
	publish_later(s, 0);
}

static void settle(struct move *m)
{
	struct site *s = m->site;

	build_free(m->published);
	engine_close(m->from);
	s->sweep_at = 0;
	cookies_follow(s);
	s->changeover = m->report;
	s->changed_over = true;
	log_info("engine: %s -> %s, records carried over: %u, gap %.1f ms",
		site_engine_name(m->report.from), site_engine_name(m->report.to),
		m->report.carried.flows, (double)m->report.gap_ns / 1e6);
	if (m->report.carried.lost)
		log_warn(
			"%u records of flows found no room in the other engine's tables, so that these "
			"flows may lose their server: raise limits.records",
			m->report.carried.lost);
}

/* The host has its interfaces back, whether tandem-dpdk still lives or not. */
static int have_back(const struct site *s, struct err *e)
{
	return engine_give(CONF_ENGINE_DPDK, s->run_dir, e) ? put_back(s, e) : 0;
}

/* tandem-dpdk had made devices as it needs them, or whoever put them back has made them as they were before all. */
static void untake(struct site *s)
{
	struct err e;

	if (have_back(s, &e))
		log_error("%s", e.text);
	if (follow(s, &e))
		log_error("%s", e.text);
	keeper_watch(s->keeper, s->engine);
	nics_apply(s, s->live->conf);
}

static int to_dpdk(struct move *m, struct err *e)
{
	struct site *s = m->site;
	struct host *before;
	struct err own;
	bool adopted;
	int rc;

	step("take");
	rc = engine_take(CONF_ENGINE_DPDK, s->run_dir, e);
	step("open");
	if (!rc)
		rc = reopen_nic(s, e);
	if (!rc) {
		rc = facts_reopen(s, &before, e);
		if (!rc)
			host_free(before);
	}
	if (!rc)
		rc = site_open_engine(
			s, m->live->conf, CONF_ENGINE_DPDK, NULL, &m->to, &adopted, e);
	if (!rc)
		rc = furnish(m, e);
	if (!rc)
		rc = cross(m, e);
	if (rc) {
		return_to(m);
		untake(s);
		return rc;
	}
	step("detach");
	if (engine_give(CONF_ENGINE_XDP, s->run_dir, &own))
		log_error("%s", own.text);
	nics_apply(s, m->live->conf);
	settle(m);
	return 0;
}

static int find_device(struct site *s, unsigned i, const struct engine_port *from,
	struct engine_alias *to, struct err *e)
{
	to->ifindex = from->ifindex;
	memcpy(to->device, from->device, sizeof to->device);
	if (!from->nic)
		return err_set(e, -EOPNOTSUPP,
			"interface %s is run by DPDK's own driver, so that the XDP engine cannot have it: "
			"nothing was changed",
			from->device);
	if (!strcmp(from->mode, "net_af_xdp"))
		return err_set(e, -EOPNOTSUPP,
			"interface %s has XDP sockets, whose program would have to go first: stop tandemd and "
			"tandem-dpdk, then start tandemd with the changed file",
			from->device);
	return facts_port_on(s, i, from->nic, &to->port, e);
}

/* What the DPDK engine's interfaces will be once it has given them back. */
static int find_devices(struct site *s, struct engine_alias *aliases, struct err *e)
{
	const struct engine_port *ports;
	unsigned n;
	int rc = 0;

	ports = engine_ports(s->engine, &n);
	for (unsigned i = 0; i < n && !rc; i++)
		rc = find_device(s, i, &ports[i], &aliases[i], e);
	return rc;
}

static int open_beside(struct move *m, struct engine **out, struct err *e)
{
	struct site *s = m->site;
	struct engine_alias *aliases = calloc(s->n_ports + 1u, sizeof *aliases);
	bool adopted;
	int rc = aliases ? find_devices(s, aliases, e) : err_set(e, -ENOMEM, "out of memory");

	if (!rc)
		rc = site_open_engine(s, m->live->conf, CONF_ENGINE_XDP, aliases, out, &adopted, e);
	free(aliases);
	return rc;
}

/* Until that has been done the host reaches its interfaces by taps, and the engine knows what is meant. */
static void give_back(struct move *m)
{
	struct site *s = m->site;
	struct err e;

	step("give");
	if (have_back(s, &e)) {
		log_error(
			"tandem-dpdk still has the interfaces, behind the XDP engine (stop it): %s",
			e.text);
		return;
	}
	step("follow");
	engine_end_aliases(s->engine);
	if (follow(s, &e) || facts_feed(s, &e))
		log_error("%s", e.text);
	keeper_watch(s->keeper, s->engine);
	nics_apply(s, m->live->conf);
	publish_later(s, 0);
}

static int to_xdp(struct move *m, struct err *e)
{
	struct site *s = m->site;
	bool held = engine_holds(CONF_ENGINE_XDP, s->run_dir);
	struct err own;
	int rc;

	step("open");
	rc = open_beside(m, &m->to, e);
	if (!rc)
		rc = furnish(m, e);
	if (!rc) {
		nics_prepare(s, m->live->conf);
		rc = cross(m, e);
	}
	if (rc) {
		return_to(m);
		if (!held && engine_give(CONF_ENGINE_XDP, s->run_dir, &own))
			log_error("%s", own.text);
		nics_apply(s, s->live->conf);
		return rc;
	}
	give_back(m);
	settle(m);
	return 0;
}

int changeover(struct site *s, struct live *l, const struct state *st, struct err *e)
{
	struct move m = { .site = s,
		.live = l,
		.state = st,
		.from = s->engine,
		.report = { engine_type(s->engine), l->conf->engine.type, { 0, 0 }, 0 } };
	struct err why;
	int rc = check(s, l->conf, &why);

	if (!rc)
		rc = m.report.to == CONF_ENGINE_DPDK ? to_dpdk(&m, &why) : to_xdp(&m, &why);
	return rc ? err_set(e, rc,
			    "the engine cannot be changed from %s to %s, and nothing was changed: %s",
			    site_engine_name(m.report.from), site_engine_name(m.report.to),
			    why.text)
		  : 0;
}

/* Nobody has what the XDP engine is to serve on. What is told of interfaces that are the host's all the same is not in the way, and is
 * not told a second time. */
static int clear_devices(const struct site *s, bool dpdk_holds, struct err *e)
{
	int rc = dpdk_holds ? have_back(s, e) : put_back(s, e);

	if (!rc || rc == -EBUSY)
		return rc;
	log_error("%s", e->text);
	return put_back(s, e);
}

/* tandem-dpdk is asked first: it answers when it is done with all that a former process has asked, or left when it died, and has had
 * programs take packets again that had not ceded them; if it is dead as well, that is done here. While programs
 * serve, whoever has the devices behind them was to have packets, or had them: a process was killed in between. */
int changeover_begin(struct site *s, enum conf_engine_type *type, struct err *e)
{
	bool dpdk_holds = engine_holds(CONF_ENGINE_DPDK, s->run_dir);
	struct err own;

	*type = s->live->conf->engine.type;
	s->unsettled = true;
	if (!dpdk_holds && engine_take_back(CONF_ENGINE_XDP, s->run_dir, &own))
		log_error("%s", own.text);
	if (engine_is_in_front(CONF_ENGINE_XDP, s->run_dir))
		*type = CONF_ENGINE_XDP;
	else if (dpdk_holds)
		*type = CONF_ENGINE_DPDK;
	else if (*type == CONF_ENGINE_DPDK)
		/* It may stand by for an XDP engine that is gone; whatever else there is, opening it tells. */
		engine_take(*type, s->run_dir, &own);
	return *type == CONF_ENGINE_XDP ? clear_devices(s, dpdk_holds, e) : 0;
}

/* Programs that a process left when it was killed pass all packets to the DPDK engine, which knows all that they did. */
static int finish(struct site *s, struct err *e)
{
	int rc = engine_give(CONF_ENGINE_XDP, s->run_dir, e);

	if (!rc)
		log_info(
			"the XDP engine, which another process left before the DPDK engine, is detached");
	return rc;
}

void changeover_settle(struct site *s)
{
	struct err e;
	int rc = 0;

	if (!s->unsettled)
		return;
	s->unsettled = false;
	if (engine_type(s->engine) != s->live->conf->engine.type)
		rc = changeover(s, s->live, s->state, &e);
	else if (engine_type(s->engine) == CONF_ENGINE_DPDK &&
		 engine_holds(CONF_ENGINE_XDP, s->run_dir))
		rc = finish(s, &e);
	if (rc)
		log_error("%s", e.text);
}
