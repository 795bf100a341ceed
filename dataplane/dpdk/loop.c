/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/loop.h"
#include <errno.h>
#include <rte_cycles.h>
#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	WAIT_MS = 100, /* so that its times are never older */
	NOTICE_US = 400,
};

int loop_open(struct loop *l, struct worker *w, bool adaptive)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	*l = (struct loop){ .worker = w, .n_fds = LOOP_PORTS, .interrupts = -1 };
	polling_begin(&l->polling, adaptive);
	l->cycles_per_us = rte_get_tsc_hz() / 1000000;
	l->fds[LOOP_BELL] = (struct pollfd){ .fd = fd, .events = POLLIN };
	l->fds[LOOP_INTERRUPTS] = (struct pollfd){ .fd = -1, .events = POLLIN };
	w->bell.fd = fd;
	return fd < 0 ? -errno : 0;
}

void loop_close(struct loop *l)
{
	if (l->n_fds && l->fds[LOOP_BELL].fd >= 0)
		close(l->fds[LOOP_BELL].fd);
	for (unsigned i = 0; i < l->n_interrupts; i++)
		rte_eth_dev_rx_intr_ctl_q(l->by_interrupt[i].ethdev, l->by_interrupt[i].queue,
			l->interrupts, RTE_INTR_EVENT_DEL, NULL);
	if (l->n_fds && l->interrupts >= 0)
		close(l->interrupts);
	l->n_fds = l->n_interrupts = 0;
}

void loop_add_port(struct loop *l, int fd)
{
	l->naps |= fd < 0;
	l->fds[l->n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* Drivers with nothing to turn interrupts on give the descriptor by which frames come. */
static int add_descriptor(struct loop *l, uint16_t ethdev, uint16_t queue)
{
	int fd = rte_eth_dev_rx_intr_ctl_q_get_fd(ethdev, queue);

	if (fd < 0)
		return -ENOTSUP;
	loop_add_port(l, fd);
	return 0;
}

int loop_add_interrupt(struct loop *l, uint16_t ethdev, uint16_t queue)
{
	int rc = rte_eth_dev_rx_intr_enable(ethdev, queue);

	if (rc == -ENOTSUP)
		return add_descriptor(l, ethdev, queue);
	if (rc)
		return rc;
	rte_eth_dev_rx_intr_disable(ethdev, queue);
	if (l->interrupts < 0)
		l->interrupts = epoll_create1(EPOLL_CLOEXEC);
	if (l->interrupts < 0)
		return -errno;
	rc = rte_eth_dev_rx_intr_ctl_q(ethdev, queue, l->interrupts, RTE_INTR_EVENT_ADD, NULL);
	if (rc)
		return rc;
	l->by_interrupt[l->n_interrupts++] = (struct loop_interrupt){ ethdev, queue };
	l->fds[LOOP_INTERRUPTS].fd = l->interrupts;
	return 0;
}

static void nap(uint32_t us)
{
	const struct timespec ts = { .tv_nsec = (long)us * 1000 };

	nanosleep(&ts, NULL);
}

/* A socket says once that its device is down, as long as nobody takes notice. */
static void take_notice(struct loop *l)
{
	for (unsigned i = LOOP_PORTS; i < l->n_fds; i++) {
		int fault;
		socklen_t len = sizeof fault;

		if (!(l->fds[i].revents & (POLLERR | POLLHUP | POLLNVAL)))
			continue;
		getsockopt(l->fds[i].fd, SOL_SOCKET, SO_ERROR, &fault, &len);
		nap(NOTICE_US);
	}
}

static void take_interrupts(struct loop *l)
{
	struct rte_epoll_event events[WORKER_PORTS];

	if (l->fds[LOOP_INTERRUPTS].revents)
		rte_epoll_wait(l->interrupts, events, WORKER_PORTS, 0);
}

static void wait_for_frames(struct loop *l)
{
	struct worker *w = l->worker;
	bool rang = false;

	bell_sleep(&w->bell);
	if (!worker_has_frames(w) && !__atomic_load_n(&l->stop, __ATOMIC_RELAXED) &&
		poll(l->fds, l->n_fds, WAIT_MS) > 0) {
		rang = l->fds[LOOP_BELL].revents != 0;
		take_interrupts(l);
		take_notice(l);
	}
	bell_wake(&w->bell, rang);
}

static void nap_for(struct loop *l, uint32_t us)
{
	uint64_t from = rte_rdtsc();

	nap(us);
	polling_slept(&l->polling, (rte_rdtsc() - from) / l->cycles_per_us);
}

/* Nobody waits for a worker that sleeps: it looks at everything anew when it wakes. */
static void sleep_for(struct loop *l, uint32_t us)
{
	struct worker *w = l->worker;

	rte_rcu_qsbr_thread_offline(w->common->grace, w->number);
	if (l->naps)
		nap_for(l, us);
	else
		wait_for_frames(l);
	rte_rcu_qsbr_thread_online(w->common->grace, w->number);
}

/* What came before they were armed may interrupt nobody: it is looked for after that. Returns how many frames there were; then
 * it has not slept. */
static unsigned sleep_armed(struct loop *l, uint32_t us)
{
	unsigned n;

	for (unsigned i = 0; i < l->n_interrupts; i++)
		rte_eth_dev_rx_intr_enable(l->by_interrupt[i].ethdev, l->by_interrupt[i].queue);
	n = worker_poll(l->worker);
	if (!n)
		sleep_for(l, us);
	for (unsigned i = 0; i < l->n_interrupts; i++)
		rte_eth_dev_rx_intr_disable(l->by_interrupt[i].ethdev, l->by_interrupt[i].queue);
	return n;
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
			if (l->n_interrupts && !l->naps)
				n = sleep_armed(l, us);
			else
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
