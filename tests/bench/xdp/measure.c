/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/xdp/measure.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "bpf/bench.bpf.h"
#include "bpf/bench.skel.h"
#include "tests/bench/xdp/frames.h"

/* One processor's part of a run. */
struct part {
	const struct bench_case *of;
	const struct bed *bed;
	int program, cpu;
	uint32_t slices;
	uint64_t flows;
	int rc;
};

/* What the engine says of every packet of the case, if it is asked at all. */
static enum l4_verdict wanted(const struct bench_case *c)
{
	return c->traffic == TRAFFIC_REPLY	? L4_V_REPLIED
	       : c->traffic == TRAFFIC_NOT_OURS ? L4_V_NOT_OURS
						: L4_V_FORWARDED;
}

/* The highest processors that this process may use, which interrupts find last. Returns how many. */
static int cpus_allowed(int cpus[2])
{
	cpu_set_t set;
	int n = 0;

	if (sched_getaffinity(0, sizeof set, &set))
		return 0;
	for (int cpu = BENCH_LANES - 1; cpu >= 0 && n < 2; cpu--)
		if (CPU_ISSET((unsigned)cpu, &set))
			cpus[n++] = cpu;
	return n;
}

/* The lane keeps its place among the flows from run to run, so that new flows stay new. */
static void lane_set(struct bench_lane *l, const struct part *p, uint8_t frame[FRAMES_MAX])
{
	if (p->of->two_cpus) /* other flows on each: the source port */
		frame[p->of->family == 6 ? 55 : 35] += (uint8_t)p->cpu;
	l->packets = (l->packets + BENCH_SLICE - 1) / BENCH_SLICE * BENCH_SLICE;
	l->flow_mask = p->flows ? p->flows - 1 : 0;
	l->services = SITE_SPREAD_SERVICES;
	l->grown = p->of->grown;
	l->first_port = SITE_FIRST_PORT;
	memcpy(&l->head, frame, sizeof l->head);
	memcpy(l->words, frame + 6, FRAMES_MAX - 6);
}

/* One packet more than the slices tells when the last one ended; and the number is even. */
static uint64_t run_packets(uint32_t slices)
{
	return (uint64_t)slices * BENCH_SLICE + 2;
}

static void *part_run(void *arg)
{
	struct part *p = arg;
	uint8_t frame[FRAMES_MAX];
	struct xdp_md ctx = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .repeat = (int)run_packets(p->slices));
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)p->cpu, &set);
	p->rc = -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	opts.data_size_in = (uint32_t)frames_make(frame, &ctx.ingress_ifindex, p->bed->site, p->of);
	ctx.data_end = opts.data_size_in;
	lane_set(&p->bed->bpf->bss->lanes[p->cpu], p, frame);
	if (p->rc)
		return NULL;
	p->rc = bpf_prog_test_run_opts(p->program, &opts);
	if (!p->rc && opts.retval == XDP_ABORTED)
		p->rc = -EPROTO;
	return NULL;
}

static int parts_run(struct part *parts, unsigned n)
{
	pthread_t threads[2];
	int rc = 0;

	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, part_run, &parts[i]))
			return -EAGAIN;
	for (unsigned i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		rc = rc ? rc : parts[i].rc;
	}
	return rc;
}

static int program_of(const struct bench_case *c, const struct bed *bed)
{
	const char *name = c->program ? c->program : c->family == 6 ? "bench_ip6" : "bench_ip4";

	return bpf_program__fd(bpf_object__find_program_by_name(bed->bpf->obj, name));
}

/* What the engine counted. */
struct tally {
	uint64_t verdicts[L4_V_COUNT];
	uint64_t records; /* made */
};

static int tally_read(struct tally *t, const struct bed *bed)
{
	uint64_t places[L4_PLACE_COUNT];
	int rc = engine_verdict_counters(bed->engine, t->verdicts);

	if (!rc)
		rc = engine_record_counters(bed->engine, places);
	t->records = 0;
	for (unsigned i = 0; i < L4_PLACE_COUNT && !rc; i++)
		t->records += places[i];
	return rc;
}

/* How many records the packets of a case must make: new flows one each, others when they are first seen. */
static uint64_t least_records(const struct bench_case *c, uint64_t packets, bool first)
{
	if (!c->tracked)
		return 0;
	return c->flows > UINT32_MAX ? packets : first;
}

/* Whether the engine did with the packets what the case is about. */
static int check_tally(const struct bench_case *c, const struct tally *was, const struct tally *now,
	uint64_t packets, bool first, struct err *e)
{
	uint64_t done = now->verdicts[wanted(c)] - was->verdicts[wanted(c)];
	uint64_t made = now->records - was->records;
	uint64_t cookies = c->cookie_every ? packets / c->cookie_every : 0;

	if (c->traffic == TRAFFIC_FLOOR)
		return 0;
	if (now->verdicts[L4_V_SYN_COOKIE] - was->verdicts[L4_V_SYN_COOKIE] != cookies)
		return err_set(e, -EPROTO, "%s: not all SYNs were answered with a cookie", c->name);
	if (done != packets - cookies)
		return err_set(e, -EPROTO,
			"%s: %llu of %llu packets came to the verdict that is measured", c->name,
			(unsigned long long)done, (unsigned long long)packets);
	if (made < least_records(c, packets, first) || (!c->tracked && made))
		return err_set(e, -EPROTO, "%s: %llu packets made %llu records", c->name,
			(unsigned long long)packets, (unsigned long long)made);
	return 0;
}

/* Nanoseconds per packet of each slice, on the slowest processor. */
static void slices_read(
	const struct bench_lane *lanes, const int *cpus, unsigned n, uint32_t slices, double *ns)
{
	for (uint32_t i = 0; i < slices; i++) {
		ns[i] = 0;
		for (unsigned k = 0; k < n; k++) {
			const struct bench_lane *l = &lanes[cpus[k]];
			uint64_t at =
				l->packets / BENCH_SLICE - slices + i; /* since the run ended */
			double took = (double)(l->times[(at + 1) % (2 * BENCH_SLICES)] -
					       l->times[at % (2 * BENCH_SLICES)]) /
				      BENCH_SLICE;

			ns[i] = took > ns[i] ? took : ns[i];
		}
	}
}

/* ns: of the run's slices. */
static int run_once(const struct bench_case *c, const struct bed *bed,
	const struct measure_options *o, bool first, double *ns, struct err *e)
{
	struct part parts[2];
	unsigned n = c->two_cpus ? 2 : 1;
	struct tally before, after;
	int cpus[2], rc;

	if ((unsigned)cpus_allowed(cpus) < n)
		return err_set(e, -ENODEV, "%s needs %u processors", c->name, n);
	for (unsigned i = 0; i < n; i++)
		parts[i] = (struct part){
			.of = c,
			.bed = bed,
			.program = program_of(c, bed),
			.cpu = cpus[i],
			.slices = o->slices,
			.flows = o->flows && c->traffic != TRAFFIC_FLOOR ? o->flows : c->flows,
		};
	rc = tally_read(&before, bed);
	if (!rc)
		rc = parts_run(parts, n);
	if (!rc)
		rc = tally_read(&after, bed);
	if (rc)
		return err_set(e, rc, "%s: the program cannot be run: %s", c->name, strerror(-rc));
	slices_read(bed->bpf->bss->lanes, cpus, n, o->slices, ns);
	return check_tally(c, &before, &after, run_packets(o->slices) * n, first, e);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int measure_all(struct measure *m, unsigned n, const struct bed beds[SITE_COUNT],
	const struct measure_options *o, struct err *e)
{
	int rc = 0;

	for (unsigned run = 0; run <= o->runs && !rc; run++)
		for (unsigned i = 0; i < n && !rc; i++) {
			m[i].n = run * o->slices;
			rc = run_once(m[i].of, &beds[m[i].of->site], o, !run && m[i].is_first,
				&m[i].slices[run ? m[i].n - o->slices : 0], e);
		}
	for (unsigned i = 0; i < n && !rc; i++)
		qsort(m[i].slices, m[i].n, sizeof *m[i].slices, compare);
	return rc;
}

double measure_percentile(const struct measure *m, unsigned percent)
{
	return m->slices[m->n * percent / 100];
}
