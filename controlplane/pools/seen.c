/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts of health checks: where they enter the site. */
#include <stdio.h>
#include "controlplane/base/log.h"
#include "controlplane/pools/site_impl.h"
#include "controlplane/pools/targets.h"

/* The index of the server with a number, or -1. */
static int find_server(const struct live *l, uint32_t id)
{
	for (unsigned i = 0; i < l->conf->n_servers; i++)
		if (l->ids.servers[i] == id)
			return (int)i;
	return -1;
}

static bool is_starting(const struct site *s, unsigned server)
{
	const struct conf *c = s->live->conf;

	return target_port(c, server) &&
	       state_server(s->state, s->live->ids.servers[server])->seen.state == HEALTH_STARTING;
}

unsigned seen_starting(const struct site *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->live->conf->n_servers; i++)
		n += is_starting(s, i);
	return n;
}

void seen_change(
	void *arg, uint32_t id, enum health_state from, enum health_state to, const char *reason)
{
	struct site *s = arg;
	const struct conf *c = s->live->conf;
	int i = find_server(s->live, id);

	if (i < 0)
		return;
	log_info("server %s/%s is %s, was %s: %s", c->pools[c->servers[i].pool].name,
		c->servers[i].name, health_state_name(to), health_state_name(from), reason);
	state_server(s->state, id)->seen.state = to;
	site_save_later(s, STATE_SEEN);
	if (!s->holding)
		publish_later(s, 0);
	else if (!seen_starting(s))
		publish_hold_event(-1, 0, s);
}

int seen_watch(struct site *s, const struct live *l, const struct state *st)
{
	struct targets t;
	int err = targets_new(&t, l->conf, &l->ids, st);

	if (err)
		return err;
	err = health_set(s->health, t.list, t.n);
	targets_free(&t);
	return err;
}
