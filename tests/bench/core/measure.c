/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/core/measure.h"
#include <errno.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/bench/processors.h"

/* One worker's part of a slice. */
struct part {
	struct core_bed *bed;
	unsigned worker;
	unsigned packets;
	bool floor;
	double ns; /* on the CPU, per packet */
};

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void forward(const struct feed *f, unsigned packets)
{
	struct rte_mbuf *frames[WORKER_BURST];

	for (unsigned done = 0; done < packets; done += WORKER_BURST) {
		uint16_t n = rte_eth_rx_burst(f->ethdev, 0, frames, WORKER_BURST);

		rte_eth_tx_burst(f->ethdev, 0, frames, n);
	}
}

static void *run_part(void *arg)
{
	struct part *p = arg;
	struct worker *w = p->bed->rig.core.workers[p->worker];
	double from;

	rig_online(&p->bed->rig, p->worker, true);
	from = cpu_ns();
	if (p->floor)
		forward(&p->bed->feeds[p->worker], p->packets);
	for (unsigned done = 0; !p->floor && done < p->packets; done += WORKER_BURST)
		worker_poll(w);
	p->ns = (cpu_ns() - from) / p->packets;
	rig_online(&p->bed->rig, p->worker, false);
	return NULL;
}

unsigned core_measure_workers(const struct core_measure *m)
{
	return m->bed->workers + (m->beside ? m->beside->workers : 0);
}

static struct part part_of(const struct core_measure *m, unsigned i)
{
	unsigned here = m->bed->workers;

	return i < here ? (struct part){ .bed = m->bed, .worker = i }
			: (struct part){ .bed = m->beside, .worker = i - here };
}

/* Nanoseconds on the slower one's CPU. */
static int run_slice(const struct core_measure *m, unsigned packets, bool floor, double *ns)
{
	struct part parts[MEASURE_WORKERS];
	pthread_t threads[MEASURE_WORKERS];
	unsigned n = 0;
	int rc = 0;

	for (; n < core_measure_workers(m) && !rc; n++) {
		pthread_attr_t attr;

		parts[n] = part_of(m, n);
		parts[n].packets = packets;
		parts[n].floor = floor;
		pthread_attr_init(&attr);
		if (!processors_stay_on(&attr, n) ||
			pthread_create(&threads[n], &attr, run_part, &parts[n]))
			rc = -EAGAIN;
		pthread_attr_destroy(&attr);
		if (rc)
			break;
	}
	*ns = 0;
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		*ns = parts[i].ns > *ns ? parts[i].ns : *ns;
	}
	return rc;
}

static enum l4_verdict wanted(const struct bench_case *c)
{
	return c->traffic == TRAFFIC_NOT_OURS ? L4_V_NOT_OURS : L4_V_FORWARDED;
}

/* Packets that came to the verdict that is measured. */
static uint64_t right(const struct core_measure *m, enum l4_verdict v)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < core_measure_workers(m); i++) {
		struct part p = part_of(m, i);

		sum += p.bed->rig.core.workers[p.worker]->verdicts[v];
	}
	return sum;
}

static void set_feeds(const struct core_measure *m, const struct bench_case *c)
{
	for (unsigned i = 0; i < core_measure_workers(m); i++) {
		struct part p = part_of(m, i);

		feed_set(&p.bed->feeds[p.worker], p.bed->site, c, m->of->flows, i);
	}
}

static int run_case(struct core_measure *m, const struct core_options_measure *o, struct err *e)
{
	const struct bench_case *c = bench_case_find(m->of->of);
	uint64_t before = right(m, wanted(c)), packets = 0;
	unsigned at = m->n, workers = core_measure_workers(m);

	set_feeds(m, c);
	for (unsigned i = 0; i < o->slices; i++, at++) {
		if (run_slice(m, o->packets, true, &m->floors[at]) ||
			run_slice(m, o->packets, false, &m->slices[at]))
			return err_set(e, -ENODEV, "%s needs %u processors", m->of->name, workers);
		m->pairs[at] = workers > 1 ? processors_pair() : 0;
		packets += (uint64_t)o->packets * workers;
	}
	if (right(m, wanted(c)) - before != packets)
		return err_set(e, -EPROTO,
			"%s: %llu of %llu packets came to the verdict that is measured",
			m->of->name, (unsigned long long)(right(m, wanted(c)) - before),
			(unsigned long long)packets);
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int core_measure_all(
	struct core_measure *m, unsigned n, const struct core_options_measure *o, struct err *e)
{
	int rc = 0;

	for (unsigned run = 0; run <= o->runs && !rc; run++)
		for (unsigned i = 0; i < n && !rc; i++) {
			m[i].n = run ? (run - 1) * o->slices : 0;
			rc = run_case(&m[i], o, e);
			m[i].n = run * o->slices;
		}
	for (unsigned i = 0; i < n && !rc; i++) {
		qsort(m[i].slices, m[i].n, sizeof *m[i].slices, compare);
		qsort(m[i].floors, m[i].n, sizeof *m[i].floors, compare);
		qsort(m[i].pairs, m[i].n, sizeof *m[i].pairs, compare);
	}
	return rc;
}

double core_measure_floor(const struct core_measure *m, unsigned percent)
{
	return m->floors[m->n * percent / 100];
}

double core_measure_pair(const struct core_measure *m, unsigned percent)
{
	return m->pairs[m->n * percent / 100];
}

double core_measure_net(const struct core_measure *m, unsigned percent)
{
	return m->slices[m->n * percent / 100] - core_measure_floor(m, percent);
}

static int add_ports(struct core_bed *b)
{
	static unsigned made; /* names are the process' */

	for (unsigned i = 0; i < b->workers; i++) {
		struct worker *w = b->rig.core.workers[i];
		char name[2][32];

		snprintf(name[0], sizeof name[0], "net_null%u", made++);
		snprintf(name[1], sizeof name[1], "net_null%u", made++);
		if (feed_open(&b->feeds[i], name[0], b->rig.frames) ||
			feed_open(&b->others[i], name[1], b->rig.frames))
			return -EIO;
		w->ports[0] =
			(struct worker_port){ .ifindex = SITE_FRONT, .ethdev = b->feeds[i].ethdev };
		w->ports[1] =
			(struct worker_port){ .ifindex = SITE_BACK, .ethdev = b->others[i].ethdev };
		feed_silence(&b->others[i]);
		w->n_ports = 2;
	}
	return 0;
}

int core_bed_open(struct core_bed *b, enum bench_site site, unsigned workers, struct err *e)
{
	int rc;

	memset(b, 0, sizeof *b);
	b->workers = workers;
	rc = site_open(&b->site, site, e);
	if (!rc)
		rc = rig_open(&b->rig, &b->site->world, workers, e);
	if (!rc && add_ports(b))
		rc = err_set(e, -EIO, "DPDK makes no ports");
	return rc;
}

void core_bed_close(struct core_bed *b)
{
	for (unsigned i = 0; i < b->workers; i++) {
		feed_close(&b->feeds[i]);
		feed_close(&b->others[i]);
	}
	rig_close(&b->rig);
	site_close(b->site);
}
