/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole checks, with real probes of servers in the test's loop, at intervals of some
 * milliseconds. */
#include "controlplane/health/health.h"
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "tests/unit/health/peer.h"
#include "tests/unit/health/trial.h"
#include "tests/unit/test.h"

enum { PATIENCE_S = 10, MANY = 1500 };

struct watch {
	struct event_base *base;
	struct health *health;
	struct conf_health tcp, http;
	struct event *patience;
	/* The last change, and how many there were. */
	unsigned changes;
	uint32_t id;
	enum health_state from, to;
	char reason[256];
	void (*on_change)(struct watch *w); /* may be NULL */
};

static const char *const good_answer[] = { "HTTP/1.1 200 OK\r\n\r\n", NULL },
			 *const bad_answer[] = { "HTTP/1.1 503 No\r\n\r\n", NULL };
static const struct peer_script silent = { 0 }, refusing = { .refuse = true },
				good = { .pieces = good_answer }, bad = { .pieces = bad_answer };

static void on_change(
	void *arg, uint32_t id, enum health_state from, enum health_state to, const char *reason)
{
	struct watch *w = arg;

	w->changes++;
	w->id = id;
	w->from = from;
	w->to = to;
	snprintf(w->reason, sizeof w->reason, "%s", reason);
	if (w->on_change)
		w->on_change(w);
}

static void on_patience_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("waited in vain");
}

static int setup(void **state)
{
	static const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct watch *w = calloc(1, sizeof *w);
	struct err e;

	w->base = event_base_new();
	w->patience = evtimer_new(w->base, on_patience_over, w);
	event_add(w->patience, &patience);
	w->tcp = (struct conf_health){ .type = CONF_HEALTH_TCP,
		.interval_ms = 100,
		.timeout_ms = 100,
		.rise = 2,
		.fall = 3,
		.jitter_percent = 10 };
	w->http = w->tcp;
	w->http.type = CONF_HEALTH_HTTP;
	w->http.method = CONF_GET;
	w->http.path = "/";
	w->http.host = w->http.body = "";
	w->http.status_min = 200;
	w->http.status_max = 399;
	assert_int_equal(health_new(&w->health, w->base, on_change, w, &e), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct watch *w = *state;

	health_free(w->health);
	event_free(w->patience);
	event_base_free(w->base);
	free(w);
	return 0;
}

static struct health_target target(
	uint32_t id, const struct peer *p, const struct conf_health *check)
{
	return (struct health_target){ .id = id,
		.label = "web/web1",
		.addr = p->addr,
		.port = p->port,
		.check = check,
		.initial = HEALTH_STARTING };
}

static void set(struct watch *w, struct health_target t)
{
	assert_int_equal(health_set(w->health, &t, 1), 0);
}

static struct health_report report(const struct watch *w, uint32_t id)
{
	struct health_report r;

	assert_int_equal(health_report(w->health, id, &r), 0);
	assert_int_equal(r.id, id);
	return r;
}

/* Runs the loop until the n-th change. */
static void until_changes(struct watch *w, unsigned n)
{
	while (w->changes < n)
		event_base_loop(w->base, EVLOOP_ONCE);
}

static void until_probes(struct watch *w, uint32_t id, uint64_t n)
{
	while (report(w, id).probes < n)
		event_base_loop(w->base, EVLOOP_ONCE);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(health_state_name(HEALTH_STARTING), "starting");
	assert_string_equal(health_state_name(HEALTH_UP), "up");
	assert_string_equal(health_state_name(HEALTH_DOWN), "down");
}

static void a_server_comes_up_goes_down_and_comes_back(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &good);
	struct health_report r;

	set(w, target(7, p, &w->http));
	r = report(w, 7);
	assert_int_equal(r.state, HEALTH_STARTING);
	assert_int_equal(r.last_probe_ms, 0);
	assert_string_equal(r.last_reason, "not probed yet");
	until_changes(w, 1);
	assert_int_equal(w->id, 7);
	assert_true(w->from == HEALTH_STARTING && w->to == HEALTH_UP);
	assert_string_equal(w->reason, "status 200");
	assert_int_equal(report(w, 7).probes, 1); /* at the first success */
	p->script = &bad;
	until_changes(w, 2);
	assert_true(w->from == HEALTH_UP && w->to == HEALTH_DOWN);
	assert_string_equal(w->reason, "status 503, want 200-399");
	r = report(w, 7);
	assert_int_equal(r.failures, 3);
	assert_int_equal(r.streak, 0);
	assert_false(r.last_ok);
	assert_in_range(r.last_probe_ms, r.since_ms, now_ms());
	p->script = &good;
	until_changes(w, 3);
	assert_true(w->from == HEALTH_DOWN && w->to == HEALTH_UP);
	r = report(w, 7);
	assert_int_equal(r.failures, 3);
	assert_true(r.last_ok && r.last_duration_us > 0 && r.probes >= 6);
	peer_free(p);
}

/* The change is told in the very call that brings the result. */
static void verdict_is_immediate(struct watch *w)
{
	struct health_report r = report(w, w->id);

	assert_int_equal(r.state, w->to);
	assert_string_equal(r.last_reason, w->reason);
	assert_int_equal(r.since_ms, r.last_probe_ms);
}

static void a_verdict_is_told_at_once(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "::1", 0, &silent);

	w->on_change = verdict_is_immediate;
	set(w, target(1, p, &w->tcp));
	until_changes(w, 1);
	assert_string_equal(w->reason, "connected");
	peer_free(p);
	until_changes(w, 2);
	assert_string_equal(w->reason, "connection refused");
}

static void a_server_that_hangs_times_out(void **state)
{
	const struct peer_script dribbling = {
		.pieces = (const char *const[]){ "HTTP/1.1 200 OK\r\n", NULL },
		.endless = "X: y\r\n",
		.dribble = true
	};
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &dribbling);
	uint64_t start = now_ms();
	struct health_report r;

	set(w, target(1, p, &w->http));
	until_changes(w, 1);
	assert_int_equal(w->to, HEALTH_DOWN);
	assert_string_equal(w->reason, "timed out after 100 ms");
	r = report(w, 1);
	assert_in_range(r.last_duration_us, 99000, 2000000); /* the clock has whole milliseconds */
	assert_true(now_ms() - start >= 100 + 2 * 90);
	assert_int_equal(r.probes, 3);
	peer_free(p);
}

/* A last known state is held on to until probes speak against it long enough. */
static void an_initial_state_stands(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &refusing);
	struct health_target t = target(1, p, &w->tcp);

	t.initial = HEALTH_UP;
	set(w, t);
	assert_int_equal(report(w, 1).state, HEALTH_UP);
	until_probes(w, 1, 2);
	assert_int_equal(report(w, 1).state, HEALTH_UP);
	assert_int_equal(report(w, 1).streak, 2);
	until_changes(w, 1);
	assert_int_equal(w->from, HEALTH_UP);
	assert_int_equal(report(w, 1).probes, 3);
	peer_free(p);
}

static void a_target_as_before_goes_on(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &silent);
	struct conf_health copy = w->tcp;
	struct health_target t = target(1, p, &w->tcp);
	uint64_t since_ms;

	set(w, t);
	until_changes(w, 1);
	until_probes(w, 1, 3);
	since_ms = report(w, 1).since_ms;
	/* Another copy of the check, a new name and line, strings for NULL: all of no account. */
	copy.name = "other";
	copy.line = 7;
	copy.path = copy.host = copy.body = "";
	t.check = &copy;
	t.label = "web/renamed";
	t.initial = HEALTH_DOWN;
	set(w, t);
	assert_int_equal(report(w, 1).state, HEALTH_UP);
	assert_int_equal(report(w, 1).since_ms, since_ms);
	assert_true(report(w, 1).probes >= 3);
	peer_free(p);
}

/* Changes the i-th thing that makes a target another one; false after the last. */
static bool change(unsigned i, struct health_target *t, struct conf_health *c)
{
	switch (i) {
	case 0:
		t->addr.bytes[3] = 2;
		return true;
	case 1:
		t->port ^= 1;
		return true;
	case 2:
		c->type = CONF_HEALTH_TCP;
		return true;
	case 3:
		c->interval_ms++;
		return true;
	case 4:
		c->timeout_ms++;
		return true;
	case 5:
		c->rise++;
		return true;
	case 6:
		c->fall++;
		return true;
	case 7:
		c->jitter_percent++;
		return true;
	case 8:
		c->method = CONF_HEAD;
		return true;
	case 9:
		c->path = "/x";
		return true;
	case 10:
		c->host = "x";
		return true;
	case 11:
		c->status_min++;
		return true;
	case 12:
		c->status_max++;
		return true;
	case 13:
		c->body = "x";
		return true;
	default:
		return false;
	}
}

static void a_target_that_changed_starts_anew(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &good);

	for (unsigned i = 0;; i++) {
		struct conf_health check = w->http;
		struct health_target t = target(1, p, &w->http);

		t.initial = HEALTH_UP;
		set(w, t);
		until_probes(w, 1, 1);
		if (!change(i, &t, &check))
			break;
		t.check = &check;
		t.initial = HEALTH_STARTING;
		set(w, t);
		assert_int_equal(report(w, 1).state, HEALTH_STARTING);
		assert_int_equal(report(w, 1).probes, 0);
	}
	peer_free(p);
}

/* Also while its probe runs. */
static void a_target_that_is_left_out_is_forgotten(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &silent);
	struct health_target t[2] = { target(2, p, &w->http), target(1, p, &w->tcp) };
	struct health_report r;
	unsigned accepted;

	w->http.timeout_ms = w->http.interval_ms = 5000;
	assert_int_equal(health_set(w->health, t, 2), 0);
	until_changes(w, 1);
	while (!p->open || !strstr(p->request, "GET"))
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(health_set(w->health, &t[1], 1), 0);
	assert_int_equal(health_report(w->health, 2, &r), -ENOENT);
	assert_int_equal(report(w, 1).state, HEALTH_UP);
	assert_int_equal(health_set(w->health, NULL, 0), 0);
	assert_int_equal(health_report(w->health, 1, &r), -ENOENT);
	while (p->open) /* their connections are closed */
		event_base_loop(w->base, EVLOOP_ONCE);
	accepted = p->accepted;
	event_base_loopexit(w->base, &(struct timeval){ .tv_usec = 250000 });
	event_base_dispatch(w->base);
	assert_int_equal(p->accepted, accepted);
	assert_int_equal(w->changes, 1);
	peer_free(p);
}

static void forget_all(struct watch *w)
{
	assert_int_equal(health_set(w->health, NULL, 0), 0);
}

/* The user may change the set from within a change, the target at hand included. */
static void the_set_may_change_within_a_change(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &good);
	const struct conf_health *checks[] = { &w->tcp, &w->http };
	struct health_report r;

	w->on_change = forget_all;
	for (unsigned i = 0; i < 2; i++) {
		set(w, target(1, p, checks[i]));
		until_changes(w, i + 1);
		assert_int_equal(health_report(w->health, 1, &r), -ENOENT);
	}
	/* By a time-out too. */
	p->script = &silent;
	w->http.fall = 1;
	set(w, target(1, p, &w->http));
	until_changes(w, 3);
	assert_int_equal(w->to, HEALTH_DOWN);
	event_base_loopexit(w->base, &(struct timeval){ .tv_usec = 150000 });
	event_base_dispatch(w->base);
	peer_free(p);
}

static void two_targets_of_one_id_are_refused(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &silent);
	struct health_target t[2] = { target(1, p, &w->tcp), target(1, p, &w->tcp) };

	assert_int_equal(health_set(w->health, t, 1), 0);
	assert_int_equal(health_set(w->health, t, 2), -EINVAL);
	until_changes(w, 1);
	assert_int_equal(report(w, 1).state, HEALTH_UP);
	peer_free(p);
}

static void set_many(struct watch *w, const struct peer *p, const struct conf_health *check)
{
	struct health_target *t = calloc(MANY, sizeof *t);

	for (unsigned i = 0; i < MANY; i++)
		t[i] = target(MANY - i, p, check);
	assert_int_equal(health_set(w->health, t, MANY), 0);
	free(t);
}

/* Makes health anew as in a process that may have so many files. */
static void limit_files(struct watch *w, rlim_t n)
{
	struct rlimit before, few;
	struct err e;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = n;
	setrlimit(RLIMIT_NOFILE, &few);
	health_free(w->health);
	assert_int_equal(health_new(&w->health, w->base, on_change, w, &e), 0);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* More targets than probes may run: each gets its turn, and no verdict comes of waiting for one. */
static void probes_are_no_more_than_files_allow(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &silent);

	limit_files(w, 128);
	w->http.interval_ms = w->http.timeout_ms = 100; /* each probe runs into its time-out */
	w->http.fall = 1;
	set_many(w, p, &w->http);
	until_changes(w, MANY / 2);
	assert_in_range(p->most_open, 32, 128); /* the peer notices their ends a little later */
	assert_string_equal(w->reason, "timed out after 100 ms");
	/* Those that run and those that wait are forgotten alike, and leave room for others. */
	p->script = &good;
	w->changes = 0;
	w->http.interval_ms = 60000;
	set(w, target(1, p, &w->http));
	until_changes(w, 1);
	assert_int_equal(w->to, HEALTH_UP);
	peer_free(p);
}

/* With room for one probe at a time. */
static void the_next_probe_starts_when_one_ends(void **state)
{
	struct watch *w = *state;
	struct peer *hung = peer_new(w->base, "127.0.0.1", 0, &silent),
		    *well = peer_new(w->base, "127.0.0.1", 0, &good);
	struct health_target t[4];

	limit_files(w, 2);
	w->http.interval_ms = 60000;
	w->http.timeout_ms = 50;
	w->http.fall = 1;
	for (unsigned i = 0; i < 4; i++)
		t[i] = target(i, i % 2 ? well : hung, &w->http);
	assert_int_equal(health_set(w->health, t, 4), 0);
	until_changes(w, 4);
	peer_free(hung);
	peer_free(well);
}

static void many_targets_are_spread(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &silent);
	uint64_t first = UINT64_MAX, last = 0;

	w->tcp.interval_ms = 500;
	w->tcp.timeout_ms = 500;
	set_many(w, p, &w->tcp);
	until_changes(w, MANY);
	for (uint32_t id = 1; id <= MANY; id++) {
		struct health_report r = report(w, id);

		assert_int_equal(r.state, HEALTH_UP);
		first = first < r.since_ms ? first : r.since_ms;
		last = last > r.since_ms ? last : r.since_ms;
	}
	assert_in_range(last - first, 250, 1300); /* one interval, and not one by one for each */
	peer_free(p);
}

/* When this host cannot probe, servers keep their states. */
static void no_verdict_without_a_probe(void **state)
{
	struct watch *w = *state;
	struct peer *p = peer_new(w->base, "127.0.0.1", 0, &silent);
	struct rlimit before, none;

	w->tcp.fall = 1;
	set(w, target(1, p, &w->tcp));
	until_changes(w, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	event_base_loopexit(w->base, &(struct timeval){ .tv_usec = 200000 });
	event_base_dispatch(w->base);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(report(w, 1).state, HEALTH_UP);
	assert_int_equal(report(w, 1).failures, 0);
	until_probes(w, 1, report(w, 1).probes + 2);
	assert_int_equal(w->changes, 1);
	peer_free(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_have_names),
		TEST(a_server_comes_up_goes_down_and_comes_back),
		TEST(a_verdict_is_told_at_once),
		TEST(a_server_that_hangs_times_out),
		TEST(an_initial_state_stands),
		TEST(a_target_as_before_goes_on),
		TEST(a_target_that_changed_starts_anew),
		TEST(a_target_that_is_left_out_is_forgotten),
		TEST(the_set_may_change_within_a_change),
		TEST(two_targets_of_one_id_are_refused),
		TEST(probes_are_no_more_than_files_allow),
		TEST(the_next_probe_starts_when_one_ends),
		TEST(many_targets_are_spread),
		TEST(no_verdict_without_a_probe),
	};

	return cmocka_run_group_tests(tests, trial_group_setup, NULL);
}
