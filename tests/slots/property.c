/* SPDX-License-Identifier: BSD-2-Clause */
/* No live flow changes its server unless that server fell: a random schedule of changes, packets, sweeps, publishes
 * and restarts, and a model that records every flow.
 *
 *   slots_property native|xdp [--seed S] [--seeds N] [--changes C] [--packets P] [--batch B]
 *
 * Each seed is a schedule of its own, and runs until it has had so many changes, at most B at once, and packets; a
 * quarter of them has a table of records that is too small. The same seed does the same again. A flow that moved is
 * shown with its last packets and what was done to its pool meanwhile. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/packets/lines.h"
#include "tests/slots/judge.h"

enum { BURST = 40, BURSTS_A_TICK = 8, PHASE = 1600, SMALL_TABLE = 1024, FEW_FLOWS = 250 };

struct options {
	const struct body_ops *ops;
	uint64_t seed, seeds, changes, packets, batch;
};

/* One schedule. */
struct schedule {
	struct random random;
	struct site site;
	struct crowd crowd;
	struct control control;
	struct judge judge;
	const struct options *options;
	uint64_t step, changes, floods;
	bool stormy, starved; /* many changes follow each other; no publish succeeds */
	bool few;	      /* flows, where the table is small */
	unsigned cpus;
};

static uint64_t packets_sent(const struct judge *j)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < JUDGE_KINDS; i++)
		n += j->packets[i];
	return n;
}

static bool below(struct schedule *s, uint32_t n, uint32_t of)
{
	return random_chance(&s->random, n, of);
}

static int deliver(struct schedule *s, struct flow *f, enum judge_kind kind, uint32_t seq)
{
	return judge_packet(&s->judge, f, kind, seq);
}

/* A new connection, of which the network may lose packets. */
static int begin(struct schedule *s, struct flow *f)
{
	uint32_t seq = (uint32_t)random_draw(&s->random);

	f->next = seq + 1;
	return deliver(s, f, JUDGE_SYN, seq);
}

static int shake(struct schedule *s, struct flow *f)
{
	if (below(s, 1, 6))
		return deliver(s, f, JUDGE_SYN_AGAIN, f->syn);
	if (below(s, 1, 5))
		f->next += random_below(&s->random, JUDGE_WINDOW);
	return deliver(s, f, JUDGE_ACK, f->next);
}

static int go_on(struct schedule *s, struct flow *f)
{
	f->next += random_below(&s->random, 3000);
	if (below(s, 1, 25))
		return deliver(s, f, below(s, 3, 4) ? JUDGE_FIN : JUDGE_RST, f->next);
	if (below(s, 1, 100))
		return begin(s, f); /* its end was not seen */
	return deliver(s, f, JUDGE_DATA, f->next);
}

static int forge(struct schedule *s, struct flow *f)
{
	if (below(s, 1, 50))
		return deliver(
			s, f, JUDGE_GUESSED, f->next - 1 - random_below(&s->random, JUDGE_WINDOW));
	return deliver(s, f, JUDGE_FORGED, (uint32_t)random_draw(&s->random));
}

/* Some flows are slower than others. Those without connections have records that give way to others: where the table is
 * small, they are few, and at times it is large enough for those that there are, so that bases change. */
static bool takes_part(struct schedule *s, uint32_t i)
{
	const struct site_service *service = &site_services[i % SITE_SERVICES];

	if (i / SITE_SERVICES % 3 == 0 && below(s, 3, 4))
		return false;
	if (s->control.n_records > SMALL_TABLE)
		return true;
	if (s->few && i > FEW_FLOWS)
		return false;
	return (service->protocol == IPPROTO_TCP && !service->client) || below(s, 1, 20);
}

static struct flow *draw_flow(struct schedule *s)
{
	uint32_t i;

	do
		i = random_below(&s->random, FLOWS);
	while (!takes_part(s, i));
	return &s->crowd.flows[i];
}

static int packet(struct schedule *s)
{
	struct flow *f = draw_flow(s);
	bool lives = judge_lives(&s->judge, f);

	if (site_services[f->service].protocol == IPPROTO_UDP)
		return deliver(s, f, JUDGE_UDP, 0);
	if (below(s, 1, 12))
		return forge(s, f);
	if (f->stage == FLOW_NONE || (!lives && below(s, 4, 5)))
		return begin(s, f);
	if (f->stage == FLOW_HANDSHAKE)
		return shake(s, f);
	if (f->stage == FLOW_OPEN)
		return go_on(s, f);
	return below(s, 1, 3) ? begin(s, f) : deliver(s, f, JUDGE_DATA, f->next);
}

/* SYNs of flows that do not exist. */
static int flood(struct schedule *s)
{
	int rc = 0;

	s->floods++;
	for (unsigned i = 0; i < 10 * BURST && !rc; i++) {
		struct flow *like = &s->crowd.flows[random_below(&s->random, FLOWS)], stray;

		if (site_services[like->service].client ||
			site_services[like->service].protocol == IPPROTO_UDP)
			continue;
		flow_stray(like, &s->random, s->site.input.key, &stray);
		rc = judge_stray(&s->judge, &stray, (uint32_t)random_draw(&s->random));
	}
	return rc;
}

static int burst(struct schedule *s)
{
	int rc = 0;

	if (s->cpus > 1) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(random_below(&s->random, s->cpus), &set);
		sched_setaffinity(0, sizeof set, &set);
	}
	for (unsigned n = random_below(&s->random, BURST); n && !rc; n--)
		rc = packet(s);
	return rc;
}

static void change(struct schedule *s)
{
	char text[72];
	uint32_t n = 1 + random_below(&s->random, (uint32_t)s->options->batch);

	while (n--) {
		uint16_t pool =
			site_change(&s->site, &s->random, s->judge.event + 1, text, sizeof text);

		judge_note(&s->judge, pool, text);
		s->changes++;
	}
}

static int publish(struct schedule *s, struct err *e)
{
	bool fail = s->starved || below(s, 1, 20);
	int rc = control_update(&s->control, s->judge.now, e);

	if (!rc && below(s, 1, 3) && burst(s))
		return err_set(e, -EPROTO, "a packet's verdict is none that a service's can have");
	if (!rc)
		rc = control_publish(&s->control, fail,
			judge_note(&s->judge, 0, fail ? "not published" : "published"), e);
	return rc;
}

static int sweep(struct schedule *s)
{
	if (control_sweep(&s->control, 1 + random_below(&s->random, s->control.n_records),
		    s->judge.now) &&
		tracker_is_dirty(s->control.tracker))
		judge_note(&s->judge, 0, "a sweep changed slots");
	return 0;
}

static int tick(struct schedule *s)
{
	s->judge.now++;
	return s->control.ops->set_time(s->control.body, s->judge.now);
}

static void draw_phase(struct schedule *s)
{
	if (s->step % PHASE == 0)
		s->stormy = below(s, 1, 2);
	if (s->step % (PHASE / 2) == 0)
		s->few = below(s, 1, 2);
	if (below(s, 1, s->starved ? 100 : 3000))
		s->starved = !s->starved;
}

static int step(struct schedule *s, struct err *e)
{
	int rc = burst(s);

	s->step++;
	draw_phase(s);
	if (!rc && below(s, 1, BURSTS_A_TICK))
		rc = tick(s);
	if (below(s, s->stormy ? 80 : 2, 1000))
		change(s);
	if (!rc && !s->few && below(s, 1, 400))
		rc = flood(s);
	if (rc)
		return err_set(e, rc, "a packet's verdict is none that a service's can have");
	if (below(s, 1, 2000)) {
		judge_note(&s->judge, 0, "restart");
		rc = control_restart(&s->control);
		if (rc)
			return err_set(e, rc, "cannot read the tables back");
	}
	if (control_is_behind(&s->control) && below(s, 3, 4))
		rc = publish(s, e);
	if (!rc && below(s, 1, 3))
		rc = sweep(s);
	return rc;
}

static bool is_over(const struct schedule *s, const struct options *o)
{
	return s->judge.victim ||
	       (s->changes >= o->changes && packets_sent(&s->judge) >= o->packets);
}

static void print_summary(const struct schedule *s, const struct options *o, uint64_t seed)
{
	const struct judge *j = &s->judge;
	const struct control *c = &s->control;

	printf("%s seed %" PRIu64 ": %" PRIu64 " packets, %" PRIu64 " changes, %" PRIu64
	       " publishes, %" PRIu64 " refused, %" PRIu64 " sweeps, %" PRIu64 " restarts, %" PRIu64
	       " floods, %" PRIu64 " times settled; %u records",
		o->ops->name, seed, packets_sent(j), s->changes, c->publishes, c->failures,
		c->sweeps, c->restarts, s->floods, c->settled, c->n_records);
	printf(", evicted: %" PRIu64 " void, %" PRIu64 " embryonic, %" PRIu64 " agreeing, %" PRIu64
	       " live, not recorded: %" PRIu64 "; %" PRIu64 " kept",
		j->places[L4_PLACE_VOID], j->places[L4_PLACE_EMBRYONIC],
		j->places[L4_PLACE_AGREEING], j->places[L4_PLACE_LIVE], j->places[L4_PLACE_NONE],
		j->kept);
	for (unsigned i = 1; i < EXCUSES; i++)
		if (j->moved[i])
			printf(", %" PRIu64 " %s", j->moved[i], excuse_names[i]);
	printf(", %" PRIu64 " violations, %" PRIu64 " live ones lost to SYNs, %" PRIu64
	       " refused\n",
		j->moved[EXCUSE_NONE], j->took_live, j->refused);
}

static int run(struct schedule *s, const struct options *o, uint64_t seed, struct err *e)
{
	int rc;

	s->options = o;
	s->random.state = seed;
	s->judge = (struct judge){ .control = &s->control, .crowd = &s->crowd };
	s->judge.now = (uint16_t)random_draw(&s->random);
	rc = site_open(&s->site, &s->random, seed % 4 == 3 ? SMALL_TABLE : 32 * SMALL_TABLE);
	crowd_open(&s->crowd, &s->random, s->site.input.key);
	if (!rc)
		rc = control_open(&s->control, &s->site, o->ops, e);
	if (!rc)
		rc = s->control.ops->set_time(s->control.body, s->judge.now);
	while (!rc && !is_over(s, o))
		rc = step(s, e);
	if (!rc)
		rc = o->ops->places(s->control.body, s->judge.places);
	return rc;
}

static bool run_seed(const struct options *o, uint64_t seed)
{
	struct schedule *s = calloc(1, sizeof *s);
	struct err e;
	bool good = false;

	if (!s)
		return false;
	s->cpus = o->ops == &body_xdp ? (unsigned)sysconf(_SC_NPROCESSORS_ONLN) : 1;
	if (run(s, o, seed, &e)) {
		printf("%s seed %" PRIu64 ": %s\n", o->ops->name, seed, e.text);
	} else {
		good = !s->judge.victim && !s->judge.took_live;
		if (s->judge.victim)
			judge_print(&s->judge, s->judge.victim);
		print_summary(s, o, seed);
	}
	control_close(&s->control);
	site_close(&s->site);
	free(s);
	return good;
}

static const struct body_ops *body_by_name(const char *name)
{
	if (!strcmp(name, "native"))
		return &body_native;
	return strcmp(name, "xdp") ? NULL : &body_xdp;
}

static bool read_arguments(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 0 },
		{ "seeds", required_argument, NULL, 0 },
		{ "changes", required_argument, NULL, 0 },
		{ "packets", required_argument, NULL, 0 },
		{ "batch", required_argument, NULL, 0 },
		{ 0 },
	};
	uint64_t *const to[] = { &o->seed, &o->seeds, &o->changes, &o->packets, &o->batch };
	int option, at;

	while ((option = getopt_long(argc, argv, "", options, &at)) >= 0)
		if (option || !words_number(optarg, UINT32_MAX, to[at]))
			return false;
	o->ops = optind == argc - 1 ? body_by_name(argv[optind]) : NULL;
	return o->ops && o->batch;
}

int main(int argc, char **argv)
{
	struct options o = { .seed = 1, .seeds = 4, .changes = 300, .packets = 100000, .batch = 3 };
	unsigned failed = 0;

	if (!read_arguments(&o, argc, argv)) {
		fprintf(stderr, "usage: slots_property native|xdp [--seed S] [--seeds N] "
				"[--changes C] [--packets P] [--batch B]\n");
		return 2;
	}
	for (uint64_t i = 0; i < o.seeds; i++)
		failed += !run_seed(&o, o.seed + i);
	printf("%s: %" PRIu64 " schedules, %u failed\n", o.ops->name, o.seeds, failed);
	return failed ? 1 : 0;
}
