/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/loop.h"
#include <errno.h>
#include <rte_cycles.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 100 /* so that its times are never older */ };

int loop_open(struct loop *l, struct worker *w, bool adaptive)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	*l = (struct loop){ .worker = w, .polling.adaptive = adaptive, .n_fds = 1 };
	l->fds[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	w->bell.fd = fd;
	return fd < 0 ? -errno : 0;
}

void loop_close(struct loop *l)
{
	if (l->n_fds && l->fds[0].fd >= 0)
		close(l->fds[0].fd);
	l->n_fds = 0;
}

void loop_add_port(struct loop *l, int fd)
{
	l->naps |= fd < 0;
	l->fds[l->n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void nap(uint32_t us)
{
	const struct timespec ts = { .tv_nsec = (long)us * 1000 };

	nanosleep(&ts, NULL);
}

/* A socket says once that its device is down, as long as nobody takes notice. */
static void take_notice(struct loop *l)
{
	for (unsigned i = 1; i < l->n_fds; i++) {
		int fault;
		socklen_t len = sizeof fault;

		if (!(l->fds[i].revents & (POLLERR | POLLHUP | POLLNVAL)))
			continue;
		getsockopt(l->fds[i].fd, SOL_SOCKET, SO_ERROR, &fault, &len);
		nap(POLLING_LONGEST_US);
	}
}

static void wait_for_frames(struct loop *l)
{
	struct worker *w = l->worker;
	bool rang = false;

	bell_sleep(&w->bell);
	if (!worker_has_frames(w) && !__atomic_load_n(&l->stop, __ATOMIC_RELAXED) &&
		poll(l->fds, l->n_fds, WAIT_MS) > 0) {
		rang = l->fds[0].revents != 0;
		take_notice(l);
	}
	bell_wake(&w->bell, rang);
}

/* Nobody waits for a worker that sleeps: it looks at everything anew when it wakes. */
static void sleep_for(struct loop *l, uint32_t us)
{
	struct worker *w = l->worker;

	rte_rcu_qsbr_thread_offline(w->common->grace, w->number);
	if (l->naps)
		nap(us);
	else
		wait_for_frames(l);
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
			sleep_for(l, us);
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
	bell_ring(&l->worker->bell);
}
