/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/core.h"
#include <errno.h>
#include <fcntl.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "dataplane/dpdk/routes.h"

enum { HANDED_OVER = 1024, LEGS = 1024, WANTS = 1024, WANT_INTERVALS = 10 /* in a second */ };

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void *aligned(size_t size)
{
	size_t line = RTE_CACHE_LINE_SIZE;
	void *p = aligned_alloc(line, (size + line - 1) / line * line);

	if (p)
		memset(p, 0, size);
	return p;
}

/* Of one consumer; of pointers, or of elements of a size. */
static struct rte_ring *new_ring(const char *what, unsigned number, unsigned element, unsigned n)
{
	static unsigned made; /* names are the process' */
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof name, "%s-%u-%u", what, number, made++);
	return element ? rte_ring_create_elem(name, element, n, SOCKET_ID_ANY, RING_F_SC_DEQ)
		       : rte_ring_create(name, n, SOCKET_ID_ANY, RING_F_SC_DEQ);
}

static int open_common(struct core *c, const struct core_options *o)
{
	struct worker_common *common = &c->common;
	unsigned n = o->sizes.workers;

	common->n_workers = n;
	common->want_cycles = rte_get_tsc_hz() / WANT_INTERVALS;
	common->grace = aligned(rte_rcu_qsbr_get_memsize(n));
	common->wants = new_ring("wants", 0, sizeof(struct l4_want), WANTS);
	if (!common->grace || !common->wants || rte_rcu_qsbr_init(common->grace, n))
		return -ENOMEM;
	for (unsigned i = 0; n > 1 && i < n; i++) {
		common->handed_over[i] = new_ring("handed", i, 0, HANDED_OVER);
		if (!common->handed_over[i])
			return -ENOMEM;
	}
	return 0;
}

static int make_workers(struct core *c)
{
	c->tracer = aligned(sizeof *c->tracer);
	if (!c->tracer)
		return -ENOMEM;
	worker_init(c->tracer, &c->common, &c->store, 0);
	for (unsigned i = 0; i < c->common.n_workers; i++) {
		c->workers[i] = aligned(sizeof *c->workers[i]);
		if (!c->workers[i])
			return -ENOMEM;
		worker_init(c->workers[i], &c->common, &c->store, i);
		c->common.bells[i] = &c->workers[i]->bell;
		rte_rcu_qsbr_thread_register(c->common.grace, i);
	}
	return 0;
}

int core_open(struct core *c, const struct core_options *o, const char **what)
{
	int rc;

	memset(c, 0, sizeof *c);
	c->image_fd = -1;
	c->limits = o->limits;
	c->route_limit = o->routes;
	c->frames = o->frames;
	c->started_ns = monotonic_ns();
	rc = store_open(&c->store, o->dir, &o->sizes, what);
	if (rc)
		return rc;
	c->verdicts = store_block(&c->store, STORE_VERDICTS, o->sizes.workers + 1);
	*what = "workers";
	rc = open_common(c, o);
	return rc ? rc : make_workers(c);
}

static void free_routes(const struct route_table *routes)
{
	struct route_table *t = (struct route_table *)routes;

	if (t)
		routes_unread(t);
	free(t);
}

void core_close(struct core *c)
{
	for (unsigned i = 0; i < c->common.n_workers; i++)
		free(c->workers[i]);
	free(c->tracer);
	generation_free(c->generation);
	for (unsigned i = 0; i < STORE_BANKS; i++)
		free_routes(c->common.routes[i]);
	if (c->image_fd >= 0)
		close(c->image_fd);
	for (unsigned i = 0; i < c->common.n_workers; i++)
		rte_ring_free(c->common.handed_over[i]);
	rte_ring_free(c->capture.legs);
	rte_ring_free(c->common.wants);
	free(c->common.grace);
	store_close(&c->store);
}

void core_add_port(struct core *c, const struct protocol_port *port)
{
	c->ports[c->n_ports++] = *port;
}

static void free_frames(struct rte_ring *r)
{
	void *frame;

	while (r && !rte_ring_dequeue(r, &frame))
		rte_pktmbuf_free(frame);
}

void core_drop_waiting(struct core *c)
{
	for (unsigned i = 0; i < c->common.n_workers; i++)
		free_frames(c->common.handed_over[i]);
}

void core_leave_ports(struct core *c)
{
	core_drop_waiting(c);
	for (unsigned i = 0; i < c->common.n_workers; i++) {
		memset(c->workers[i]->ports, 0, sizeof c->workers[i]->ports);
		c->workers[i]->n_ports = 0;
	}
	generation_free(c->generation);
	c->common.generation = c->generation = NULL;
	for (unsigned i = 0; i < STORE_BANKS; i++) {
		free_routes(c->common.routes[i]);
		c->common.routes[i] = NULL;
	}
	if (c->image_fd >= 0)
		close(c->image_fd);
	c->image_fd = -1;
	c->n_ports = 0;
	c->frames = NULL;
}

void core_set_time(struct core *c, uint16_t now)
{
	__atomic_store_n(&c->common.now, now, __ATOMIC_RELAXED);
}

/* Until every worker has taken up what was published before. */
static void wait_for_workers(struct core *c)
{
	rte_rcu_qsbr_synchronize(c->common.grace, RTE_QSBR_THRID_INVALID);
}

/* No packet goes by the other bank any more: its routes were a former control plane's. */
static void drop_other_routes(struct core *c, uint32_t bank)
{
	for (uint32_t i = 0; i < STORE_BANKS; i++) {
		const struct route_table *routes = c->common.routes[i];

		if (i == bank)
			continue;
		__atomic_store_n(&c->common.routes[i], NULL, __ATOMIC_RELEASE);
		free_routes(routes);
	}
}

static void tell(const struct core *c, const struct generation *now, const struct generation *next)
{
	if (c->follower.fn)
		c->follower.fn(
			c->follower.arg, now ? &now->sealed : NULL, next ? &next->sealed : NULL);
}

int core_take_generation(struct core *c, const struct core_file *f, const char **why)
{
	struct generation *g, *before = c->generation;
	int rc = generation_take(&g, f->fd, f->after, before, &c->limits, why);
	int copy;

	if (rc)
		return rc;
	g->bank = f->bank;
	copy = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0) {
		*why = "cannot be kept open";
		rc = -errno;
		generation_free(g);
		return rc;
	}
	tell(c, before, g);
	__atomic_store_n(&c->common.generation, g, __ATOMIC_RELEASE);
	wait_for_workers(c);
	c->generation = g;
	generation_free(before);
	drop_other_routes(c, f->bank);
	if (c->image_fd >= 0)
		close(c->image_fd);
	c->image_fd = copy;
	tell(c, g, NULL);
	return 0;
}

int core_take_routes(struct core *c, const struct core_file *f, const char **why)
{
	const struct route_table *before = c->common.routes[f->bank];
	struct route_table *t = calloc(1, sizeof *t);
	int rc;

	*why = "is more than there is memory for";
	if (!t)
		return -ENOMEM;
	rc = routes_read(t, f->fd, c->route_limit, why);
	if (rc) {
		free(t);
		return rc;
	}
	__atomic_store_n(&c->common.routes[f->bank], t, __ATOMIC_RELEASE);
	wait_for_workers(c);
	free_routes(before);
	return 0;
}

static uint64_t capture_lost(const struct core *c)
{
	uint64_t sum = c->capture_unsent;

	for (unsigned i = 0; i < c->common.n_workers; i++)
		sum += __atomic_load_n(&c->workers[i]->capture_lost, __ATOMIC_RELAXED);
	return sum;
}

int core_capture(struct core *c, const struct l4_capture_filter *filter)
{
	if (c->common.capture)
		return -EBUSY;
	c->capture.filter = *filter;
	c->capture.legs = new_ring("legs", 0, sizeof(struct l4_captured), LEGS);
	if (!c->capture.legs)
		return -ENOMEM;
	c->capture_lost_before = capture_lost(c);
	__atomic_store_n(&c->common.capture, &c->capture, __ATOMIC_RELEASE);
	return 0;
}

void core_capture_end(struct core *c)
{
	if (!c->common.capture)
		return;
	__atomic_store_n(&c->common.capture, NULL, __ATOMIC_RELEASE);
	wait_for_workers(c);
	rte_ring_free(c->capture.legs);
	c->capture.legs = NULL;
}

void core_status(const struct core *c, struct protocol_status *out)
{
	out->capture_lost = capture_lost(c) - c->capture_lost_before;
	out->cycles_per_second = rte_get_tsc_hz();
	out->n_workers = c->common.n_workers;
	for (unsigned i = 0; i < c->common.n_workers; i++) {
		const struct worker_times *t = &c->workers[i]->times;

		out->workers[i] = (struct protocol_worker){
			.busy_cycles = __atomic_load_n(&t->busy_cycles, __ATOMIC_RELAXED),
			.idle_cycles = __atomic_load_n(&t->idle_cycles, __ATOMIC_RELAXED),
			.sleeps = __atomic_load_n(&t->sleeps, __ATOMIC_RELAXED),
			.cpu = t->cpu,
		};
	}
}

int core_trace(struct core *c, uint32_t ifindex, const uint8_t *frame, struct protocol_traced *out,
	uint32_t len)
{
	struct rte_mbuf *m = c->frames ? rte_pktmbuf_alloc(c->frames) : NULL;
	char *room = m ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;
	int rc = m ? -EMSGSIZE : -ENOMEM;

	if (room) {
		memcpy(room, frame, len);
		worker_trace(c->tracer, ifindex, m, &out->way);
		out->len = m->data_len;
		rc = out->len <= sizeof out->frame ? 0 : -EMSGSIZE;
		if (!rc)
			memcpy(out->frame, rte_pktmbuf_mtod(m, void *), out->len);
	}
	rte_pktmbuf_free(m);
	return rc;
}
