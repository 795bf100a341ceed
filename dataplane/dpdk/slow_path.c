/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/slow_path.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TO_HOST = 512, /* entries of a ring, of which there is one for each worker and port */
	FROM_HOST = 512,
	BUDGET = 64, /* frames of a port a turn, either way */
};

struct end {
	struct host_io *io;
	bool has_more;	 /* than its budget, which nobody signals any more */
	unsigned sender; /* the worker that takes what the host sends */
	unsigned next;	 /* worker whose ring is asked first */
	struct rte_ring *to_host[STORE_MAX_WORKERS], *from_host;
};

struct slow_path {
	struct core *core;
	unsigned n;
	struct end *ends[WORKER_PORTS];
};

int slow_path_open(struct slow_path **out, struct core *c)
{
	struct slow_path *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->core = c;
	*out = s;
	return 0;
}

static void free_ring(struct rte_ring *r)
{
	void *frame;

	while (r && !rte_ring_dequeue(r, &frame))
		rte_pktmbuf_free(frame);
	rte_ring_free(r);
}

void slow_path_close(struct slow_path *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		for (unsigned k = 0; k < s->core->common.n_workers; k++)
			free_ring(s->ends[i]->to_host[k]);
		free_ring(s->ends[i]->from_host);
		free(s->ends[i]);
	}
	free(s);
}

static struct rte_ring *new_ring(const char *what, unsigned port, unsigned worker, unsigned size)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof name, "%s-host-%u-%u", what, port, worker);
	return rte_ring_create(name, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int slow_path_join(struct slow_path *s, unsigned port, struct host_io *io)
{
	unsigned workers = s->core->common.n_workers, sender = port % workers;
	struct end *e = calloc(1, sizeof *e);

	if (!e)
		return -ENOMEM;
	*e = (struct end){ .io = io, .sender = sender };
	s->ends[s->n++] = e;
	e->from_host = new_ring("from", port, sender, FROM_HOST);
	if (!e->from_host)
		return -ENOMEM;
	s->core->workers[sender]->ports[port].from_host = e->from_host;
	for (unsigned i = 0; i < workers; i++) {
		e->to_host[i] = new_ring("to", port, i, TO_HOST);
		if (!e->to_host[i])
			return -ENOMEM;
		s->core->workers[i]->ports[port].to_host = e->to_host[i];
	}
	return 0;
}

unsigned slow_path_frames(unsigned workers)
{
	return workers * TO_HOST + FROM_HOST + HOST_IO_FRAMES;
}

unsigned slow_path_fds(const struct slow_path *s, struct pollfd fds[WORKER_PORTS])
{
	for (unsigned i = 0; i < s->n; i++)
		fds[i] = (struct pollfd){ .fd = s->ends[i]->io->fd, .events = POLLIN };
	return s->n;
}

static void drop(struct slow_path *s, enum l4_verdict v, unsigned n)
{
	s->core->verdicts[v] += n;
}

/* Returns how many there were. */
static unsigned take_burst(struct slow_path *s, struct end *e)
{
	struct rte_mbuf *frames[WORKER_BURST];
	unsigned n = e->io->kind->take(e->io, frames, WORKER_BURST);
	unsigned fit = rte_ring_sp_enqueue_burst(e->from_host, (void **)frames, n, NULL);

	rte_pktmbuf_free_bulk(frames + fit, n - fit);
	drop(s, L4_V_LINK_BUSY, n - fit);
	return n;
}

static void take(struct slow_path *s, struct end *e)
{
	unsigned sum = 0, n = WORKER_BURST;

	for (; sum < BUDGET && n == WORKER_BURST; sum += n)
		n = take_burst(s, e);
	e->has_more = n == WORKER_BURST;
	if (sum)
		bell_ring(s->core->common.bells[e->sender]);
}

void slow_path_from_host(struct slow_path *s, const struct pollfd fds[WORKER_PORTS])
{
	for (unsigned i = 0; i < s->n; i++) {
		struct end *e = s->ends[i];

		if (e->has_more || fds[i].revents & POLLIN)
			take(s, e);
		if (fds[i].revents & (POLLERR | POLLHUP))
			e->io->fd = -1;
	}
}

/* Returns how many there were. */
static unsigned give_burst(struct slow_path *s, const struct end *e, struct rte_ring *from)
{
	struct rte_mbuf *frames[WORKER_BURST];
	unsigned n = rte_ring_sc_dequeue_burst(from, (void **)frames, WORKER_BURST, NULL);

	if (n)
		drop(s, L4_V_HOST_BUSY, n - e->io->kind->give(e->io, frames, n));
	return n;
}

/* A burst of each worker in turn, so that none fills the budget up. */
static void give(struct slow_path *s, struct end *e)
{
	unsigned workers = s->core->common.n_workers, sum = 0, empty = 0;

	while (sum < BUDGET && empty < workers) {
		unsigned n = give_burst(s, e, e->to_host[e->next]);

		e->next = (e->next + 1) % workers;
		empty = n ? 0 : empty + 1;
		sum += n;
	}
}

void slow_path_to_host(struct slow_path *s)
{
	for (unsigned i = 0; i < s->n; i++)
		give(s, s->ends[i]);
}

bool slow_path_has_frames(const struct slow_path *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->ends[i]->has_more)
			return true;
		for (unsigned k = 0; k < s->core->common.n_workers; k++)
			if (!rte_ring_empty(s->ends[i]->to_host[k]))
				return true;
	}
	return false;
}
