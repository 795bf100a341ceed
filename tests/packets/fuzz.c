/* SPDX-License-Identifier: BSD-2-Clause */
/* Random and damaged frames through both engines: verdict, interface, bytes and counters must agree. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/generate.h"
#include "tests/packets/lines.h"
#include "tests/packets/tally.h"

#define SHOWN_MAX  10	/* differences that are printed */
#define TIME_EVERY 5000 /* frames in a unit of coarse time */

struct side {
	const struct body_ops *ops;
	struct body *body;
	struct body_result result;
	struct tally *tally;
};

struct fuzz {
	struct world_file *world;
	struct side native, xdp;
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

static bool unchanged(const struct fuzz *z, const struct body_result *r)
{
	return r->len == z->frame.len && !memcmp(r->frame, z->frame.bytes, r->len);
}

static int inject(const struct fuzz *z, struct side *s)
{
	return s->ops->inject(s->body, z->ifindex, z->frame.bytes, z->frame.len, &s->result);
}

static int compare_one(struct fuzz *z)
{
	int rc = inject(z, &z->native);

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
		   !unchanged(z, &z->native.result)) {
		z->differ++;
		print_difference(z, "a frame that is not sent was changed");
	}
	return 0;
}

/* Both engines' clocks, so that what is limited in time happens again. */
static int move_time(struct fuzz *z)
{
	uint16_t now = (uint16_t)(z->index / TIME_EVERY);
	int rc = z->native.ops->set_time(z->native.body, now);

	return rc ? rc : z->xdp.ops->set_time(z->xdp.body, now);
}

static int compare_all(struct fuzz *z)
{
	struct generator g = { z->world, z->seed };
	int rc = 0;

	for (z->index = 0; z->index < z->count && !rc; z->index++) {
		if (z->index % TIME_EVERY == 0)
			rc = move_time(z);
		if (rc)
			break;
		generate(&g, &z->ifindex, &z->frame);
		rc = compare_one(z);
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

static int open_side(struct fuzz *z, struct side *s, struct err *e)
{
	int rc = s->ops->open(&s->body, &z->world->world, e);

	if (rc)
		return rc;
	s->tally = tally_new(z->world);
	return s->tally ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static void close_side(struct side *s)
{
	tally_free(s->tally);
	if (s->body)
		s->ops->close(s->body);
}

static int run(struct fuzz *z, const char *path, struct err *e)
{
	int rc = world_open(&z->world, path, e);

	if (!rc && !z->world->conf->n_services)
		rc = err_set(e, -EINVAL, "%s: a world without a service", path);
	if (!rc)
		rc = open_side(z, &z->native, e);
	if (!rc)
		rc = open_side(z, &z->xdp, e);
	if (!rc && (rc = compare_all(z)))
		err_set(e, rc, "an engine failed: %s", strerror(-rc));
	if (!rc && ((rc = tally_read(z->native.tally, z->native.ops, z->native.body)) ||
			   (rc = tally_read(z->xdp.tally, z->xdp.ops, z->xdp.body))))
		err_set(e, rc, "cannot read the counters: %s", strerror(-rc));
	return rc;
}

static bool report(const struct fuzz *z)
{
	unsigned counters = tally_print_diff(stdout, z->native.tally, z->xdp.tally, "xdp");
	unsigned verdicts = print_verdicts(z->native.tally->verdicts);

	printf("seed %" PRIu64 ": %" PRIu64 " frames, %" PRIu64 " differ, %u counters differ\n",
		z->seed, z->count, z->differ, counters);
	return !z->differ && !counters && !verdicts;
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
	world_close(z.world);
	return good ? 0 : 1;
}
