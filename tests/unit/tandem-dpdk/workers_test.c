/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that start, or do not: those of DPDK and what they run are this test's. */
#include "apps/tandem-dpdk/workers.h"
#include <errno.h>
#include <rte_launch.h>
#include <string.h>
#include "tests/unit/test.h"

enum { WORKERS = 3, NONE = WORKERS };

static struct workers workers;
static struct core core;
static unsigned n_open, n_launched, n_stopped, n_waited;
static unsigned wont_open, wont_launch; /* worker */

static unsigned number(const struct loop *l)
{
	return (unsigned)(l - workers.loops);
}

int loop_open(struct loop *l, struct worker *w, bool adaptive)
{
	(void)w;
	(void)adaptive;
	l->n_fds = LOOP_PORTS;
	if (number(l) == wont_open)
		return -EMFILE;
	n_open++;
	return 0;
}

void loop_close(struct loop *l)
{
	n_open -= l->n_fds && number(l) != wont_open;
	l->n_fds = 0;
}

void loop_add_port(struct loop *l, int fd)
{
	(void)l;
	(void)fd;
	fail();
}

int loop_add_interrupt(struct loop *l, uint16_t ethdev, uint16_t queue)
{
	(void)l;
	(void)ethdev;
	return queue;
}

int front_wake_fd(const struct front *f, unsigned queue)
{
	(void)f;
	return (int)queue;
}

int loop_run(void *loop)
{
	(void)loop;
	return 0;
}

void loop_stop(struct loop *l)
{
	assert_int_equal(number(l), n_stopped);
	n_stopped++;
}

int rte_eal_remote_launch(lcore_function_t *f, void *loop, unsigned lcore)
{
	assert_ptr_equal(f, loop_run);
	assert_int_equal(lcore, number(loop) + 1);
	if (number(loop) == wont_launch)
		return -EBUSY;
	n_launched++;
	return 0;
}

void rte_eal_mp_wait_lcore(void)
{
	assert_int_equal(n_stopped, n_launched);
	n_waited++;
}

static int start(struct err *e)
{
	n_launched = n_stopped = n_waited = 0;
	return workers_start(&workers, &core, NULL, 0, true, e);
}

static int setup(void **state)
{
	(void)state;
	workers = (struct workers){ .n = WORKERS };
	wont_open = wont_launch = NONE;
	n_open = 0;
	return 0;
}

static void all_run(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(start(&e), 0);
	assert_int_equal(n_launched, WORKERS);
	assert_int_equal(workers.running, WORKERS);
	workers_stop(&workers);
	assert_int_equal(n_stopped, WORKERS);
	assert_int_equal(n_waited, 1);
	assert_int_equal(n_open, 0);
	workers_stop(&workers);
	assert_int_equal(n_waited, 1);
}

/* And once more, when it can be. */
static void none_runs(int error, const char *why)
{
	struct err e;

	assert_int_equal(start(&e), error);
	assert_string_equal(e.text, why);
	assert_int_equal(n_launched, WORKERS - 1);
	assert_int_equal(n_stopped, WORKERS - 1);
	assert_int_equal(n_waited, 1);
	assert_int_equal(workers.running, 0);
	assert_int_equal(n_open, 0);
	wont_open = wont_launch = NONE;
	assert_int_equal(start(&e), 0);
	assert_int_equal(workers.running, WORKERS);
}

static void none_runs_where_one_cannot_be_woken(void **state)
{
	(void)state;
	wont_open = WORKERS - 1;
	none_runs(-EMFILE, "worker 2 cannot be woken: Too many open files");
}

static void none_runs_where_one_does_not_start(void **state)
{
	(void)state;
	wont_launch = WORKERS - 1;
	none_runs(-EBUSY, "worker 2 does not start");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_run, setup),
		cmocka_unit_test_setup(none_runs_where_one_cannot_be_woken, setup),
		cmocka_unit_test_setup(none_runs_where_one_does_not_start, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
