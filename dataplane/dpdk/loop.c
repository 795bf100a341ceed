/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/loop.h"
#include <rte_cycles.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

/* Nobody waits for a worker that sleeps: it looks at everything anew when it wakes. */
static void sleep_for(struct worker *w, uint32_t us)
{
	const struct timespec ts = { .tv_nsec = (long)us * 1000 };

	rte_rcu_qsbr_thread_offline(w->common->grace, w->number);
	nanosleep(&ts, NULL);
	rte_rcu_qsbr_thread_online(w->common->grace, w->number);
}

static void add(uint64_t *to, uint64_t n)
{
	__atomic_store_n(to, *to + n, __ATOMIC_RELAXED);
}

int loop_run(void *arg)
{
	struct loop *l = arg;
	struct worker *w = l->worker;
	uint64_t from = rte_rdtsc();

	prctl(PR_SET_TIMERSLACK, 1); /* wake when asked to, not 50 us later */
	w->times.cpu = (uint32_t)sched_getcpu();
	rte_rcu_qsbr_thread_online(w->common->grace, w->number);
	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED)) {
		unsigned n = worker_poll(w);
		uint32_t us = polling_next(&l->polling, n);
		uint64_t now;

		if (us) {
			add(&w->times.sleeps, 1);
			sleep_for(w, us);
		}
		now = rte_rdtsc();
		add(n ? &w->times.busy_cycles : &w->times.idle_cycles, now - from);
		from = now;
	}
	rte_rcu_qsbr_thread_offline(w->common->grace, w->number);
	return 0;
}

void loop_stop(struct loop *l)
{
	__atomic_store_n(&l->stop, true, __ATOMIC_RELAXED);
}
