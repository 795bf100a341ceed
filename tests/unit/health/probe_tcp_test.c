/* SPDX-License-Identifier: BSD-2-Clause */
#include <event2/event.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "tests/unit/health/trial.h"
#include "tests/unit/test.h"

static void an_accepted_connection_is_enough(void **state)
{
	static const struct peer_script silent = { 0 }, closing = { .hasty = true, .close = true };
	struct trial *t = *state;

	trial_run(t, &probe_tcp, "127.0.0.1", 0, &silent);
	trial_is(t, PROBE_OK, "connected");
	trial_run(t, &probe_tcp, "::1", 0, &silent);
	trial_is(t, PROBE_OK, "connected");
	trial_run(t, &probe_tcp, "127.0.0.1", 0, &closing);
	trial_is(t, PROBE_OK, "connected");
}

static void a_refused_connection(void **state)
{
	static const struct peer_script refusing = { .refuse = true };
	struct trial *t = *state;

	trial_run(t, &probe_tcp, "127.0.0.1", 0, &refusing);
	trial_is(t, PROBE_FAILED, "connection refused");
	trial_run(t, &probe_tcp, "::1", 0, &refusing);
	trial_is(t, PROBE_FAILED, "connection refused");
}

static void a_server_that_does_not_answer(void **state)
{
	static const struct peer_script deaf = { .deaf = true };
	struct trial *t = *state;

	t->check.timeout_ms = 100;
	trial_run(t, &probe_tcp, "127.0.0.1", 0, &deaf);
	trial_timed_out(t);
}

static void a_server_out_of_reach(void **state)
{
	struct trial *t = *state;
	struct addr nowhere;

	assert_int_equal(addr_parse("192.0.2.1", &nowhere), 0);
	trial_run_at(t, &probe_tcp, &nowhere, 80);
	trial_is(t, PROBE_FAILED, "network unreachable");
	assert_int_equal(system("ip route add unreachable 192.0.2.0/24"), 0);
	trial_run_at(t, &probe_tcp, &nowhere, 80);
	trial_is(t, PROBE_FAILED, "host unreachable");
	assert_int_equal(system("ip route del unreachable 192.0.2.0/24"), 0);
}

/* That says nothing of the server. */
static void no_file_descriptors_left(void **state)
{
	static const struct peer_script silent = { 0 };
	struct trial *t = *state;
	struct rlimit before, none;

	trial_run(t, &probe_tcp, "127.0.0.1", 0, &silent);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	trial_run_at(t, &probe_tcp, &t->peer->addr, t->peer->port);
	setrlimit(RLIMIT_NOFILE, &before);
	trial_is(t, PROBE_NOT_MADE, "Too many open files");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trial_setup, trial_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_accepted_connection_is_enough),
		TEST(a_refused_connection),
		TEST(a_server_that_does_not_answer),
		TEST(a_server_out_of_reach),
		TEST(no_file_descriptors_left),
	};

	return cmocka_run_group_tests(tests, trial_group_setup, NULL);
}
