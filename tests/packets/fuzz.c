/* SPDX-License-Identifier: BSD-2-Clause */
/* Random and damaged frames through both engines, while slots change hands and time goes on: verdict, interface, bytes,
 * records and counters must agree. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/churn.h"
#include "tests/packets/flows.h"
#include "tests/packets/generate.h"
#include "tests/packets/lines.h"
#include "tests/packets/setup.h"
#include "tests/packets/tally.h"

#define SHOWN_MAX   10	/* differences that are printed */
#define CHURN_EVERY 200 /* frames between two changes */
#define TRACE_EVERY 3	/* frames, of which one is traced before */

struct side {
	const struct body_ops *ops;
	struct body *body;
	struct flows *flows;
	struct l4_record *records;
	struct body_result result;
	struct l4_way way;
	struct tally *tally;
};

struct fuzz {
	struct world_file *world;
	struct side native, xdp;
	struct generator generator;
	struct churn churn;
	uint32_t n_records;
	struct frame frame;
	uint32_t ifindex;
	uint64_t seed, count, index, differ;
};

static void print_side(const struct fuzz *z, const struct side *s)
{
	printf("  %-6s %s %s ", s->ops->name, verdict_name(s->result.verdict),
		world_interface_name(z->world, s->result.ifindex));
	frame_print(stdout, s->result.frame, s->result.len);
	putchar('\n');
}

static void print_difference(const struct fuzz *z, const char *what)
{
	if (z->differ > SHOWN_MAX)
		return;
	printf("FAIL seed %" PRIu64 " frame %" PRIu64 ": %s: %s ", z->seed, z->index, what,
		world_interface_name(z->world, z->ifindex));
	frame_print(stdout, z->frame.bytes, z->frame.len);
	putchar('\n');
	print_side(z, &z->native);
	print_side(z, &z->xdp);
}

static bool same(const struct body_result *a, const struct body_result *b)
{
	return a->verdict == b->verdict && a->ifindex == b->ifindex && a->len == b->len &&
	       !memcmp(a->frame, b->frame, a->len);
}

static int inject(const struct fuzz *z, struct side *s)
{
	return s->ops->inject(s->body, z->ifindex, z->frame.bytes, z->frame.len, &s->result);
}

static int trace(const struct fuzz *z, struct side *s)
{
	return s->ops->trace(
		s->body, z->ifindex, z->frame.bytes, z->frame.len, &s->result, &s->way);
}

static bool same_packet(const struct l4_packet *a, const struct l4_packet *b)
{
	return a->l3 == b->l3 && a->l4 == b->l4 && a->ip_len == b->ip_len &&
	       a->ethertype == b->ethertype && a->ttl == b->ttl &&
	       !memcmp(a->tags, b->tags, sizeof a->tags) &&
	       !memcmp(a->flow.src, b->flow.src, sizeof a->flow.src) &&
	       !memcmp(a->flow.dst, b->flow.dst, sizeof a->flow.dst) &&
	       a->flow.sport == b->flow.sport && a->flow.dport == b->flow.dport &&
	       a->flow.protocol == b->flow.protocol && a->flow.is6 == b->flow.is6;
}

/* Rows of neighbours are each engine's own. */
static bool same_way(const struct l4_way *a, const struct l4_way *b)
{
	if (a->n != b->n || a->n > L4_WAY_STEPS || !same_packet(&a->packet, &b->packet) ||
		!same_packet(&a->quoted, &b->quoted))
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		const struct l4_step *x = &a->steps[i], *y = &b->steps[i];

		if (x->kind != y->kind || x->b != y->b || (x->a != y->a && x->kind != L4_STEP_HOP))
			return false;
	}
	return true;
}

/* Tracing comes before the frame itself, so what it changed would show. */
static int compare_traces(struct fuzz *z)
{
	int rc = trace(z, &z->native);

	if (!rc)
		rc = trace(z, &z->xdp);
	if (rc)
		return rc;
	if (!same(&z->native.result, &z->xdp.result) || !same_way(&z->native.way, &z->xdp.way)) {
		z->differ++;
		print_difference(z, "the engines trace it differently");
	}
	return 0;
}

static int compare_one(struct fuzz *z)
{
	int rc = z->index % TRACE_EVERY ? 0 : compare_traces(z);

	if (!rc)
		rc = inject(z, &z->native);
	if (!rc)
		rc = inject(z, &z->xdp);
	if (rc) {
		z->differ++;
		print_difference(z, strerror(-rc));
		return rc;
	}
	if (!same(&z->native.result, &z->xdp.result)) {
		z->differ++;
		print_difference(z, "the engines differ");
	} else if (verdict_action(z->native.result.verdict) != L4_SEND &&
		   !setup_stays(z->world->conf, z->frame.bytes, z->frame.len, &z->native.result)) {
		z->differ++;
		print_difference(z, "a frame that is not sent was changed");
	}
	return 0;
}

static void print_record(const struct side *s, const struct l4_record *r)
{
	printf("  %-6s who %016" PRIx64 " what %016" PRIx64 "\n", s->ops->name, r->who, r->what);
}

/* What differs is made equal, so that the next difference is another one. */
static void compare_records(struct fuzz *z)
{
	size_t size = z->n_records * sizeof *z->native.records;

	if (!memcmp(z->native.records, z->xdp.records, size))
		return;
	z->differ++;
	print_difference(z, "the engines recorded otherwise");
	for (uint32_t i = 0; i < z->n_records && z->differ <= SHOWN_MAX; i++) {
		const struct l4_record *a = &z->native.records[i], *b = &z->xdp.records[i];

		if (a->who == b->who && a->what == b->what)
			continue;
		print_record(&z->native, a);
		print_record(&z->xdp, b);
	}
	memcpy(z->xdp.records, z->native.records, size);
}

static int tell_both(void *arg, const struct case_step *s, struct err *e)
{
	struct fuzz *z = arg;
	int rc = flows_step(z->native.flows, s, e);

	return rc ? rc : flows_step(z->xdp.flows, s, e);
}

static int change(struct fuzz *z, struct err *e)
{
	int rc = churn_next(&z->churn, tell_both, z, e);

	churn_records(&z->churn, z->native.records, z->n_records);
	memcpy(z->xdp.records, z->native.records, z->n_records * sizeof *z->native.records);
	if (!rc)
		rc = flows_publish(z->native.flows, e);
	return rc ? rc : flows_publish(z->xdp.flows, e);
}

static int compare_all(struct fuzz *z, struct err *e)
{
	int rc = 0;

	for (z->index = 0; z->index < z->count && !rc; z->index++) {
		if (z->index % CHURN_EVERY == 0)
			rc = change(z, e);
		if (rc)
			break;
		generate(&z->generator, &z->ifindex, &z->frame);
		rc = compare_one(z);
		if (rc)
			err_set(e, rc, "an engine failed: %s", strerror(-rc));
		compare_records(z);
	}
	return rc;
}

/* Everything but a fault of the engine itself must occur: the world is made for that. */
static unsigned print_verdicts(const uint64_t verdicts[L4_V_COUNT])
{
	unsigned wrong = 0;

	for (unsigned v = 0; v < L4_V_COUNT; v++) {
		bool fault = v == L4_V_ENGINE_FAULT, bad = fault == (verdicts[v] > 0);

		printf("%-14s %8" PRIu64 "%s\n", verdict_name(v), verdicts[v],
			!bad	? ""
			: fault ? "  must not occur"
				: "  never occurred");
		wrong += bad;
	}
	return wrong;
}

/* New records must have come into each kind of entry. */
static unsigned print_places(const uint64_t places[L4_PLACE_COUNT])
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < L4_PLACE_COUNT; i++) {
		printf("%-14s %8" PRIu64 "%s\n", place_name(i), places[i],
			places[i] ? "" : "  never occurred");
		wrong += !places[i];
	}
	return wrong;
}

static int open_side(struct fuzz *z, struct side *s, struct err *e)
{
	int rc = s->ops->open(&s->body, &z->world->world, e);
	uint32_t n;

	if (rc)
		return rc;
	s->records = s->ops->records(s->body, &n);
	if (z->n_records && z->n_records != n)
		return err_set(e, -EINVAL, "the tables of records differ in size");
	z->n_records = n;
	s->tally = tally_new(z->world);
	rc = s->tally ? flows_new(&s->flows, z->world, s->ops, s->body) : -ENOMEM;
	return rc ? err_set(e, rc, "out of memory") : 0;
}

static void close_side(struct side *s)
{
	flows_free(s->flows);
	tally_free(s->tally);
	if (s->body)
		s->ops->close(s->body);
}

static int set_up(struct fuzz *z, const char *path, struct err *e)
{
	int rc = world_open(&z->world, path, e);

	if (rc)
		return rc;
	if (!z->world->conf->n_services)
		return err_set(e, -EINVAL, "%s: a world without a service", path);
	z->generator.world = z->world;
	z->generator.state = z->seed;
	if (churn_init(&z->churn, z->world->conf, ~z->seed))
		return err_set(e, -ENOMEM, "out of memory");
	rc = open_side(z, &z->native, e);
	return rc ? rc : open_side(z, &z->xdp, e);
}

static int run(struct fuzz *z, const char *path, struct err *e)
{
	int rc = set_up(z, path, e);

	if (!rc)
		rc = compare_all(z, e);
	if (!rc && ((rc = tally_read(z->native.tally, z->native.ops, z->native.body)) ||
			   (rc = tally_read(z->xdp.tally, z->xdp.ops, z->xdp.body))))
		err_set(e, rc, "cannot read the counters: %s", strerror(-rc));
	return rc;
}

static bool report(const struct fuzz *z)
{
	unsigned counters = tally_print_diff(stdout, z->native.tally, z->xdp.tally, "xdp");
	unsigned verdicts = print_verdicts(z->native.tally->verdicts);
	unsigned places = print_places(z->native.tally->places);

	printf("seed %" PRIu64 ": %" PRIu64 " frames, %" PRIu64 " differ, %u counters differ\n",
		z->seed, z->count, z->differ, counters);
	return !z->differ && !counters && !verdicts && !places;
}

/* Returns the world's path, or NULL when the command line is wrong. */
static const char *read_arguments(struct fuzz *z, int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (option == '?' ||
			!words_number(optarg, UINT64_MAX, option == 'c' ? &z->count : &z->seed))
			return NULL;
	return optind == argc - 1 ? argv[optind] : NULL;
}

int main(int argc, char **argv)
{
	static struct fuzz z = {
		.native.ops = &body_native, .xdp.ops = &body_xdp, .count = 50000, .seed = 1
	};
	const char *path = read_arguments(&z, argc, argv);
	struct err e;
	bool good = false;

	if (!path) {
		fprintf(stderr, "usage: packet_fuzz [--count N] [--seed S] WORLD\n");
		return 2;
	}
	if (run(&z, path, &e))
		fprintf(stderr, "%s\n", e.text);
	else
		good = report(&z);
	close_side(&z.native);
	close_side(&z.xdp);
	churn_free(&z.churn);
	world_close(z.world);
	return good ? 0 : 1;
}
