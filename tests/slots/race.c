/* SPDX-License-Identifier: BSD-2-Clause */
/* The loaded program on several processors at once, over a table of records that is much too small, while the control
 * side sweeps and publishes: no packet may go where another flow's record points.
 *
 *   slots_race [--packets P] [--seed S]
 *
 * In each pool two servers of many are drained and made ready again and again, so that a flow can only ever be sent to the
 * few that its own slot had. A record that is taken for another flow's, or read while it changes, names any. */
#include <bpf/bpf.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/packets/lines.h"
#include "tests/slots/control.h"
#include "tests/slots/crowd.h"

enum { RUNNERS = 2 };

struct race {
	struct site site;
	struct crowd crowd;
	struct control control;
	struct random random;
	/* By flow: one bit for each place of its pool that its slot ever had; set before that is published. */
	_Atomic uint32_t allowed[FLOWS];
	uint64_t packets; /* of each runner */
	_Atomic unsigned running;
	int program;
};

struct runner {
	struct race *race;
	pthread_t thread;
	unsigned number;
	uint64_t forwarded, unserved, wrong;
	int rc;
};

static void allow(struct race *r)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct flow *f = &r->crowd.flows[i];
		const struct snapshot_slots *t =
			r->site.pools[site_services[f->service].pool].slots;
		uint32_t slot = (uint32_t)f->hash & (t->n - 1);

		atomic_fetch_or(
			&r->allowed[i], 1u << site_find(&r->site, t->owner[slot]) % SITE_PLACES);
		if (t->base[slot] != SNAPSHOT_SETTLED)
			atomic_fetch_or(&r->allowed[i],
				1u << site_find(&r->site, t->base[slot]) % SITE_PLACES);
	}
}

/* Where the packet went, SITE_NOWHERE for a drop; or a negative errno. */
static int inject(const struct race *r, const uint8_t *frame, size_t len)
{
	struct xdp_md ctx = { .data_end = (uint32_t)len, .ingress_ifindex = SITE_FRONT };
	uint8_t out[FLOW_FRAME] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
		.data_out = out, .data_size_out = sizeof out, .ctx_in = &ctx,
		.ctx_size_in = sizeof ctx, .repeat = 1);
	int rc = bpf_prog_test_run_opts(r->program, &opts);

	if (rc)
		return rc;
	return opts.retval == XDP_REDIRECT ? out[5] : SITE_NOWHERE;
}

/* Half of the flows are on one processor, half on both. */
static uint32_t draw_flow(struct random *r, unsigned runner)
{
	uint32_t i = random_below(r, FLOWS);

	return i < FLOWS / 2 ? i : (i & ~1u) + runner;
}

static void send_one(struct runner *me, struct random *random)
{
	static const uint8_t flags[8] = { 2, 2, 2, 16, 16, 24, 24, 17 };
	uint32_t i = draw_flow(random, me->number);
	const struct flow *f = &me->race->crowd.flows[i];
	const struct site_service *s = &site_services[f->service];
	uint8_t frame[FLOW_FRAME];
	int place;

	memcpy(frame, f->frame, sizeof frame);
	if (s->protocol == IPPROTO_TCP)
		flow_set_tcp(frame, s->is6, flags[random_below(random, 8)],
			random_below(random, 100000));
	place = inject(me->race, frame, f->frame_len);
	if (place < 0) {
		me->rc = place;
		return;
	}
	me->forwarded += place != SITE_NOWHERE;
	me->unserved += place == SITE_NOWHERE;
	if (place == SITE_NOWHERE ||
		(place / SITE_PLACES == s->pool && me->race->allowed[i] >> place % SITE_PLACES & 1))
		return;
	if (!me->wrong++)
		printf("a packet of %s that may go to the places %x of pool %u went to %u of %u\n",
			s->name, me->race->allowed[i], s->pool, (unsigned)place % SITE_PLACES,
			(unsigned)place / SITE_PLACES);
}

static void *run(void *arg)
{
	struct runner *me = arg;
	struct random random = { me->number };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(me->number, &set);
	me->rc = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
	for (uint64_t n = 0; n < me->race->packets && !me->rc; n++)
		send_one(me, &random);
	atomic_fetch_sub(&me->race->running, 1);
	return NULL;
}

static int publish(struct race *r, uint16_t now, struct err *e)
{
	int rc = control_update(&r->control, now, e);

	allow(r);
	return rc ? rc : control_publish(&r->control, false, 0, e);
}

/* The first two servers of the pool in turn. */
static void drain_other(struct race *r, unsigned pool)
{
	struct site_place *p = r->site.places[pool];

	p[0].drain = !p[0].drain;
	p[1].drain = !p[0].drain;
	r->site.version++;
}

static int control(struct race *r, struct err *e)
{
	uint16_t now = 0;
	int rc = 0;

	while (atomic_load(&r->running) && !rc) {
		if (random_chance(&r->random, 1, 8))
			rc = r->control.ops->set_time(r->control.body, ++now);
		if (random_chance(&r->random, 1, 4))
			drain_other(r, random_below(&r->random, SITE_POOLS));
		if (!rc && control_is_behind(&r->control))
			rc = publish(r, now, e);
		for (unsigned i = 0; i < 4; i++)
			control_sweep(&r->control, 300, now);
	}
	return rc;
}

static int open_race(struct race *r, struct err *e)
{
	int rc = site_open(&r->site, &r->random, 1024);

	crowd_open(&r->crowd, &r->random, r->site.input.key);
	site_fill(&r->site, &r->random);
	if (!rc)
		rc = control_open(&r->control, &r->site, &body_xdp, e);
	if (rc)
		return rc;
	allow(r);
	r->program = body_xdp_program(r->control.body);
	return 0;
}

static int race(struct race *r, struct runner runners[RUNNERS], struct err *e)
{
	int rc = open_race(r, e);

	if (rc)
		return rc;
	atomic_store(&r->running, RUNNERS);
	for (unsigned i = 0; i < RUNNERS; i++) {
		runners[i] = (struct runner){ .race = r, .number = i };
		if (pthread_create(&runners[i].thread, NULL, run, &runners[i]))
			abort();
	}
	rc = control(r, e);
	for (unsigned i = 0; i < RUNNERS; i++)
		pthread_join(runners[i].thread, NULL);
	return rc;
}

static bool report(const struct race *r, const struct runner runners[RUNNERS])
{
	uint64_t places[L4_PLACE_COUNT] = { 0 }, wrong = 0;
	bool good = true;

	r->control.ops->places(r->control.body, places);
	for (unsigned i = 0; i < RUNNERS; i++) {
		printf("processor %u: %" PRIu64 " packets forwarded, %" PRIu64
		       " without a server, %" PRIu64 " at another flow's%s%s\n",
			i, runners[i].forwarded, runners[i].unserved, runners[i].wrong,
			runners[i].rc ? ": " : "", runners[i].rc ? strerror(-runners[i].rc) : "");
		wrong += runners[i].wrong;
		good &= !runners[i].rc && runners[i].forwarded;
	}
	printf("%" PRIu64 " publishes, %" PRIu64 " sweeps; records over %" PRIu64
	       " embryonic, %" PRIu64 " agreeing, %" PRIu64 " live, %" PRIu64 " nowhere\n",
		r->control.publishes, r->control.sweeps, places[L4_PLACE_EMBRYONIC],
		places[L4_PLACE_AGREEING], places[L4_PLACE_LIVE], places[L4_PLACE_NONE]);
	return good && !wrong;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "packets", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 's' },
		{ 0 },
	};
	static struct race r = { .packets = 150000, .random.state = 1 };
	static struct runner runners[RUNNERS];
	struct err e = { 0 };
	bool good = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (option == '?' || !words_number(optarg, UINT32_MAX,
					     option == 'p' ? &r.packets : &r.random.state)) {
			fprintf(stderr, "usage: slots_race [--packets P] [--seed S]\n");
			return 2;
		}
	if (race(&r, runners, &e))
		fprintf(stderr, "%s\n", e.text);
	else
		good = report(&r, runners);
	control_close(&r.control);
	site_close(&r.site);
	return good ? 0 : 1;
}
