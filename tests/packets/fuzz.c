/* SPDX-License-Identifier: BSD-2-Clause */
/* Random and damaged frames through all engines, while slots change hands and time goes on: verdict, interface, bytes,
 * tables and counters must agree. */
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

#define SIDES_MAX   4
#define SHOWN_MAX   10	/* differences that are printed */
#define CHURN_EVERY 200 /* frames between two changes */
#define TRACE_EVERY 3	/* frames, of which one is traced before */

/* Tables that packets write to. */
enum { RECORDS, FLOODS, PROXIED, TABLES };

/* One of them in an engine's memory; before: what it held before a frame was traced. */
struct table {
	const char *name;
	void *rows, *before;
	uint32_t n;
	size_t row;
};

struct side {
	const struct body_ops *ops;
	struct body *body;
	struct flows *flows;
	struct table tables[TABLES];
	struct body_result result;
	struct l4_way way;
	struct tally *tally;
};

struct fuzz {
	struct world_file *world;
	struct side sides[SIDES_MAX]; /* what the first one says is held to be right */
	unsigned n_sides;
	struct generator generator;
	struct churn churn;
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
	for (unsigned i = 0; i < z->n_sides; i++)
		print_side(z, &z->sides[i]);
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
static bool same_step(const struct l4_step *x, const struct l4_step *y)
{
	return x->kind == y->kind && x->b == y->b && (x->a == y->a || x->kind == L4_STEP_HOP);
}

static bool same_way(const struct l4_way *a, const struct l4_way *b)
{
	if (a->n != b->n || a->n > L4_WAY_STEPS || !same_packet(&a->packet, &b->packet) ||
		!same_packet(&a->quoted, &b->quoted))
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!same_step(&a->steps[i], &b->steps[i]))
			return false;
	return true;
}

/* How many steps there are, and those that differ. */
static void print_ways(const struct fuzz *z, const struct side *first, const struct side *other)
{
	const struct l4_way *a = &first->way, *b = &other->way;

	if (z->differ > SHOWN_MAX)
		return;
	printf("  steps: %s %u, %s %u\n", first->ops->name, a->n, other->ops->name, b->n);
	for (uint32_t i = 0; i < a->n && i < b->n && i < L4_WAY_STEPS; i++) {
		const struct l4_step *x = &a->steps[i], *y = &b->steps[i];

		if (same_step(x, y))
			continue;
		printf("  %s %" PRIx64 " %" PRIx64, stage_name((enum l4_step_kind)x->kind),
			(uint64_t)x->a, (uint64_t)x->b);
		printf(", %s %" PRIx64 " %" PRIx64 "\n", stage_name((enum l4_step_kind)y->kind),
			(uint64_t)y->a, (uint64_t)y->b);
	}
}

static void remember(struct side *s)
{
	for (unsigned i = 0; i < TABLES; i++)
		memcpy(s->tables[i].before, s->tables[i].rows, s->tables[i].n * s->tables[i].row);
}

static bool remembers(const struct side *s)
{
	for (unsigned i = 0; i < TABLES; i++)
		if (memcmp(s->tables[i].before, s->tables[i].rows,
			    s->tables[i].n * s->tables[i].row) != 0)
			return false;
	return true;
}

/* Has every engine do it. */
static int each(struct fuzz *z, int (*fn)(const struct fuzz *z, struct side *s))
{
	int rc = 0;

	for (unsigned i = 0; i < z->n_sides && !rc; i++)
		rc = fn(z, &z->sides[i]);
	return rc;
}

static int compare_traces(struct fuzz *z)
{
	const struct side *first = &z->sides[0];
	int rc;

	for (unsigned i = 0; i < z->n_sides; i++)
		remember(&z->sides[i]);
	rc = each(z, trace);
	for (unsigned i = 0; i < z->n_sides && !rc; i++) {
		const struct side *s = &z->sides[i];

		if (!same(&first->result, &s->result) || !same_way(&first->way, &s->way)) {
			z->differ++;
			print_difference(z, "the engines trace it differently");
			print_ways(z, first, s);
		}
		if (!remembers(s)) {
			z->differ++;
			print_difference(z, "tracing it changed a table");
		}
	}
	return rc;
}

static int compare_one(struct fuzz *z)
{
	const struct side *first = &z->sides[0];
	int rc = z->index % TRACE_EVERY ? 0 : compare_traces(z);
	bool agree = true;

	if (!rc)
		rc = each(z, inject);
	if (rc) {
		z->differ++;
		print_difference(z, strerror(-rc));
		return rc;
	}
	for (unsigned i = 1; i < z->n_sides; i++)
		agree = agree && same(&first->result, &z->sides[i].result);
	if (!agree) {
		z->differ++;
		print_difference(z, "the engines differ");
	} else if (verdict_action(first->result.verdict) != L4_SEND &&
		   !setup_stays(z->world->conf, z->frame.bytes, z->frame.len, &first->result)) {
		z->differ++;
		print_difference(z, "a frame that is not sent was changed");
	}
	return 0;
}

static void print_row(const struct side *s, const uint8_t *row, size_t len)
{
	printf("  %-6s ", s->ops->name);
	frame_print(stdout, row, len);
	putchar('\n');
}

/* What differs is made equal, so that the next difference is another one. */
static void compare_table(struct fuzz *z, const struct side *other, unsigned number)
{
	const struct table *a = &z->sides[0].tables[number], *b = &other->tables[number];
	char what[64];

	if (!memcmp(a->rows, b->rows, a->n * a->row))
		return;
	z->differ++;
	snprintf(what, sizeof what, "the engines' tables of %s differ", a->name);
	print_difference(z, what);
	for (size_t at = 0; at < a->n * a->row && z->differ <= SHOWN_MAX; at += a->row) {
		const uint8_t *x = (uint8_t *)a->rows + at, *y = (uint8_t *)b->rows + at;

		if (!memcmp(x, y, a->row))
			continue;
		print_row(&z->sides[0], x, a->row);
		print_row(other, y, a->row);
	}
	memcpy(b->rows, a->rows, a->n * a->row);
}

static int tell_all(void *arg, const struct case_step *s, struct err *e)
{
	struct fuzz *z = arg;
	int rc = 0;

	for (unsigned i = 0; i < z->n_sides && !rc; i++)
		rc = flows_step(z->sides[i].flows, s, e);
	return rc;
}

static int change(struct fuzz *z, struct err *e)
{
	const struct table *t = z->sides[0].tables;
	int rc = churn_next(&z->churn, tell_all, z, e);

	churn_records(&z->churn, t[RECORDS].rows, t[RECORDS].n);
	churn_proxied(&z->churn, t[PROXIED].rows, t[PROXIED].n, t[FLOODS].rows, t[FLOODS].n);
	for (unsigned k = 1; k < z->n_sides; k++)
		for (unsigned i = 0; i < TABLES; i++)
			memcpy(z->sides[k].tables[i].rows, t[i].rows, t[i].n * t[i].row);
	for (unsigned k = 0; k < z->n_sides && !rc; k++)
		rc = flows_publish(z->sides[k].flows, e);
	return rc;
}

static int compare_all(struct fuzz *z, struct err *e)
{
	const struct body_result *first = &z->sides[0].result;
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
		for (unsigned k = 1; k < z->n_sides; k++)
			for (unsigned i = 0; i < TABLES; i++)
				compare_table(z, &z->sides[k], i);
		if (verdict_action(first->verdict) == L4_SEND)
			generate_heard(&z->generator, first->ifindex, first->frame, first->len);
	}
	return rc;
}

/* Everything but a fault of the engine itself must occur: the world is made for that. */
static unsigned print_verdicts(const uint64_t verdicts[L4_V_COUNT])
{
	unsigned wrong = 0;

	for (unsigned v = 0; v < L4_V_COUNT; v++) {
		bool fault = v >= L4_V_OF_ENGINES, bad = fault == (verdicts[v] > 0);

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

/* Of floods an engine may have room for more services than there are. */
static int find_tables(const struct fuzz *z, struct side *s)
{
	struct table *t = s->tables;

	t[RECORDS] = (struct table){ .name = "records", .row = sizeof(struct l4_record) };
	t[RECORDS].rows = s->ops->records(s->body, &t[RECORDS].n);
	t[FLOODS] = (struct table){ .name = "floods", .row = sizeof(struct l4_flood) };
	t[FLOODS].rows = s->ops->floods(s->body, &t[FLOODS].n);
	t[FLOODS].n = z->world->conf->n_services + 1;
	t[PROXIED] = (struct table){ .name = "proxied", .row = sizeof(struct l4_proxied) };
	t[PROXIED].rows = s->ops->proxied(s->body, &t[PROXIED].n);
	for (unsigned i = 0; i < TABLES; i++) {
		t[i].before = calloc(t[i].n, t[i].row);
		if (!t[i].before)
			return -ENOMEM;
	}
	return 0;
}

static int open_side(struct fuzz *z, struct side *s, struct err *e)
{
	int rc = s->ops->open(&s->body, &z->world->world, e);

	if (rc)
		return rc;
	if (find_tables(z, s))
		return err_set(e, -ENOMEM, "out of memory");
	s->tally = tally_new(z->world);
	rc = s->tally ? flows_new(&s->flows, z->world, s->ops, s->body) : -ENOMEM;
	return rc ? err_set(e, rc, "out of memory") : 0;
}

static void close_side(struct side *s)
{
	flows_free(s->flows);
	tally_free(s->tally);
	for (unsigned i = 0; i < TABLES; i++)
		free(s->tables[i].before);
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
	for (unsigned i = 0; i < z->n_sides && !rc; i++)
		rc = open_side(z, &z->sides[i], e);
	for (unsigned k = 1; k < z->n_sides && !rc; k++)
		for (unsigned i = 0; i < TABLES && !rc; i++)
			if (z->sides[k].tables[i].n != z->sides[0].tables[i].n)
				rc = err_set(e, -EINVAL, "the tables of %s differ in size",
					z->sides[0].tables[i].name);
	return rc;
}

static int run(struct fuzz *z, const char *path, struct err *e)
{
	int rc = set_up(z, path, e);

	if (!rc)
		rc = compare_all(z, e);
	for (unsigned i = 0; i < z->n_sides && !rc; i++) {
		const struct side *s = &z->sides[i];

		rc = tally_read(s->tally, s->ops, s->body);
		if (rc)
			err_set(e, rc, "cannot read the counters: %s", strerror(-rc));
	}
	return rc;
}

static bool report(const struct fuzz *z)
{
	const struct tally *first = z->sides[0].tally;
	unsigned verdicts = print_verdicts(first->verdicts), places = print_places(first->places);
	unsigned counters = 0;

	for (unsigned i = 1; i < z->n_sides; i++)
		counters +=
			tally_print_diff(stdout, first, z->sides[i].tally, z->sides[i].ops->name);

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
	static struct fuzz z = { .count = 50000, .seed = 1 };
	const char *path = read_arguments(&z, argc, argv);
	struct err e;
	bool good = false;

	if (!path) {
		fprintf(stderr, "usage: packet_fuzz [--count N] [--seed S] WORLD\n");
		return 2;
	}
	for (; bodies[z.n_sides]; z.n_sides++)
		z.sides[z.n_sides].ops = bodies[z.n_sides];
	if (run(&z, path, &e))
		fprintf(stderr, "%s\n", e.text);
	else
		good = report(&z);
	for (unsigned i = 0; i < z.n_sides; i++)
		close_side(&z.sides[i]);
	churn_free(&z.churn);
	world_close(z.world);
	return good ? 0 : 1;
}
