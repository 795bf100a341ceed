/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/workers.h"
#include <errno.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <string.h>
#include "apps/tandem-dpdk/eal.h"

/* How the worker learns that frames have come to its queue, where it sleeps. */
static void add_port(struct loop *l, const struct front *f, unsigned queue)
{
	int fd = front_wake_fd(f, queue);

	if (fd < 0 && f->port.interrupts && !loop_add_interrupt(l, f->port.ethdev, (uint16_t)queue))
		return;
	loop_add_port(l, fd);
}

static int start(struct workers *w, unsigned i, struct err *e)
{
	if (rte_eal_remote_launch(loop_run, &w->loops[i], EAL_WORKER(i)))
		return err_set(e, -EBUSY, "worker %u does not start", i);
	w->running++;
	return 0;
}

int workers_start(struct workers *w, const struct core *c, const struct front *fronts,
	unsigned n_fronts, bool adaptive, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < w->n && !rc; i++) {
		rc = loop_open(&w->loops[i], c->workers[i], adaptive);
		if (rc)
			err_set(e, rc, "worker %u cannot be woken: %s", i, strerror(-rc));
		for (unsigned k = 0; k < n_fronts && !rc; k++)
			if (i < fronts[k].port.rx_queues)
				add_port(&w->loops[i], &fronts[k], i);
		if (!rc)
			rc = start(w, i, e);
	}
	if (rc)
		workers_stop(w);
	return rc;
}

void workers_stop(struct workers *w)
{
	for (unsigned i = 0; i < w->running; i++)
		loop_stop(&w->loops[i]);
	if (w->running)
		rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < w->n; i++)
		loop_close(&w->loops[i]);
	w->running = 0;
}
