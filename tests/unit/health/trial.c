/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/health/trial.h"
#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

int trial_group_setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!unshare(CLONE_NEWNET) && !system("ip link set lo up"))
		return 0;
	perror("a network namespace is needed, and root to make one");
	return -1;
}

int trial_setup(void **state)
{
	struct trial *t = calloc(1, sizeof *t);

	t->base = event_base_new();
	t->check = (struct conf_health){
		.timeout_ms = 5000,
		.method = CONF_GET,
		.path = "/",
		.host = "",
		.status_min = 200,
		.status_max = 399,
		.body = "",
	};
	*state = t;
	return 0;
}

int trial_teardown(void **state)
{
	struct trial *t = *state;

	if (t->peer)
		peer_free(t->peer);
	event_base_free(t->base);
	free(t);
	return 0;
}

static void on_done(void *arg, enum probe_outcome outcome, const char *reason)
{
	struct trial *t = arg;

	assert_false(t->ended); /* once and no more */
	t->ended = true;
	t->outcome = outcome;
	snprintf(t->reason, sizeof t->reason, "%s", reason);
	event_base_loopbreak(t->base);
}

static void on_time_out(evutil_socket_t fd, short what, void *arg)
{
	struct trial *t = arg;

	(void)fd;
	(void)what;
	t->timed_out = true;
	event_base_loopbreak(t->base);
}

/* Lets what is ready happen, once: an endless peer always is. */
static void run_on(struct trial *t)
{
	static const struct timeval soon = { .tv_usec = 1000 };

	event_base_loopexit(t->base, &soon);
	event_base_dispatch(t->base);
}

void trial_run_at(
	struct trial *t, const struct probe_kind *kind, const struct addr *addr, uint16_t port)
{
	const struct probe_request request = { t->base, addr, port, &t->check, on_done, t };
	const struct timeval wait = { .tv_sec = t->check.timeout_ms / 1000,
		.tv_usec = 1000 * (suseconds_t)(t->check.timeout_ms % 1000) };
	struct event *time_out = evtimer_new(t->base, on_time_out, t);
	struct probe *p;

	t->ended = t->timed_out = false;
	p = kind->start(&request);
	assert_non_null(p);
	assert_false(t->ended); /* never from within start */
	event_add(time_out, &wait);
	event_base_dispatch(t->base);
	/* What comes after the end is not reported. */
	run_on(t);
	kind->free(p);
	run_on(t);
	event_free(time_out);
}

void trial_run(struct trial *t, const struct probe_kind *kind, const char *addr, uint16_t port,
	const struct peer_script *script)
{
	if (t->peer)
		peer_free(t->peer);
	t->peer = peer_new(t->base, addr, port, script);
	trial_run_at(t, kind, &t->peer->addr, t->peer->port);
}

void trial_is(const struct trial *t, enum probe_outcome outcome, const char *reason)
{
	assert_false(t->timed_out);
	assert_string_equal(t->reason, reason);
	assert_int_equal(t->outcome, outcome);
}

void trial_timed_out(const struct trial *t)
{
	assert_true(t->timed_out);
	assert_false(t->ended);
}
