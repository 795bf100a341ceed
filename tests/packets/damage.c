/* SPDX-License-Identifier: BSD-2-Clause */
/* Damaged generations in the DPDK engine: whatever lines of the image, rings and lists of sources hold, whatever routes and the index
 * of neighbours say, no frame brings it down: damage [--count N] [--seed S] WORLD. What comes of the frames does not matter. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/packets/body_dpdk.h"
#include "tests/packets/generate.h"
#include "tests/packets/lines.h"
#include "tests/packets/random.h"

enum { FRAMES = 64 }; /* for each generation */

struct damage {
	struct world_file *world;
	struct body *body;
	struct rig *rig;
	struct generator generator;
	struct l4_line *whole; /* the image as it was built */
	uint32_t lines;
	uint64_t seed, count, state, taken, refused;
};

/* A word that leads somewhere more often than any random one does. */
static uint64_t odd_word(struct damage *d)
{
	static const uint64_t odd[] = { 0, 1, UINT32_MAX, UINT64_MAX, 0x7fff, 0x8000, 0xffff,
		1ull << 32, 0xffffffff00000000 };
	unsigned kind = random_below(&d->state, 3);

	if (kind == 0)
		return odd[random_below(&d->state, sizeof odd / sizeof *odd)];
	return kind == 1 ? random_below(&d->state, d->lines + 2) : random_draw(&d->state);
}

/* In pieces of 1, 2, 4 or 8 bytes. */
static void spoil(struct damage *d, void *memory, size_t size, unsigned places)
{
	for (unsigned i = 0; i < places && size >= sizeof(uint64_t); i++) {
		size_t n = 1u << random_below(&d->state, 4);
		size_t at = random_below(&d->state, size / n) * n;
		uint64_t value = odd_word(d);

		memcpy((uint8_t *)memory + at, &value, n);
	}
}

static struct snapshot image_of(const struct damage *d, struct l4_line *image)
{
	memcpy(image, d->whole, d->lines * sizeof *image);
	return (struct snapshot){ .image = image, .lines = d->lines };
}

/* Publishes an image that is spoilt; one in four has its root spoilt too, and may be refused. */
static int publish(struct damage *d)
{
	struct core *c = &d->rig->core;
	struct l4_line *image = calloc(d->lines, sizeof *image);
	const struct sealed_guard none = { 0 };
	struct core_file f = { .after = c->generation->sealed.generation,
		.bank = c->generation->bank };
	const char *why = "";
	struct snapshot sn;
	int rc;

	if (!image)
		return -ENOMEM;
	sn = image_of(d, image);
	spoil(d, image + L4_LINE_FIRST, (d->lines - L4_LINE_FIRST) * sizeof *image,
		1 + random_below(&d->state, 64));
	if (random_chance(&d->state, 25))
		spoil(d, image, L4_LINE_FIRST * sizeof *image, 1 + random_below(&d->state, 4));
	f.fd = sealed_write(&sn, &none);
	free(image);
	if (f.fd < 0)
		return f.fd;
	rc = core_take_generation(c, &f, &why);
	d->taken += !rc;
	d->refused += rc != 0;
	close(f.fd);
	return 0;
}

static void spoil_beside(struct damage *d)
{
	struct core *c = &d->rig->core;
	const struct store_table *cells = &c->store.tables[STORE_CELLS];
	struct generation_area *a = c->generation->area;

	spoil(d, a->chunks, a->n_chunks * sizeof *a->chunks, 64);
	spoil(d, a->guard, a->n_guard * sizeof *a->guard, 64);
	spoil(d, cells->memory, cells->stride * cells->blocks, 4);
	spoil(d, store_block(&c->store, STORE_RECORDS, 0), c->store.tables[STORE_RECORDS].stride,
		64);
	spoil(d, store_block(&c->store, STORE_PROXIED, 0), c->store.tables[STORE_PROXIED].stride,
		16);
	spoil(d, store_block(&c->store, STORE_FLOODS, 0), c->store.tables[STORE_FLOODS].stride, 4);
}

static int run(struct damage *d, struct err *e)
{
	struct body_result r;
	struct frame frame;
	uint32_t ifindex;

	for (uint64_t i = 0; i < d->count; i++) {
		int rc = publish(d);

		if (rc)
			return err_set(e, rc, "cannot publish: %s", strerror(-rc));
		spoil_beside(d);
		for (unsigned k = 0; k < FRAMES; k++) {
			generate(&d->generator, &ifindex, &frame);
			body_dpdk.set_time(d->body, (uint16_t)random_draw(&d->state));
			rc = body_dpdk.inject(d->body, ifindex, frame.bytes, frame.len, &r);
			if (rc && rc != -EMSGSIZE)
				return err_set(e, rc, "a frame was lost: %s", strerror(-rc));
		}
	}
	return 0;
}

static int set_up(struct damage *d, const char *path, struct err *e)
{
	const struct generation *g;
	int rc = world_open(&d->world, path, e);

	if (!rc)
		rc = body_dpdk.open(&d->body, &d->world->world, e);
	if (rc)
		return rc;
	d->rig = body_dpdk_rig(d->body);
	d->generator.world = d->world;
	d->generator.state = d->seed;
	d->state = ~d->seed;
	g = d->rig->core.generation;
	d->lines = g->sealed.lines;
	d->whole = calloc(d->lines, sizeof *d->whole);
	if (!d->whole)
		return err_set(e, -ENOMEM, "out of memory");
	memcpy(d->whole, g->sealed.image, d->lines * sizeof *d->whole);
	return 0;
}

static const char *read_arguments(struct damage *d, int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		if (option == '?' ||
			!words_number(optarg, UINT64_MAX, option == 'c' ? &d->count : &d->seed))
			return NULL;
	return optind == argc - 1 ? argv[optind] : NULL;
}

int main(int argc, char **argv)
{
	static struct damage d = { .count = 200, .seed = 1 };
	const char *path = read_arguments(&d, argc, argv);
	struct err e;
	int rc;

	if (!path) {
		fprintf(stderr, "usage: damage [--count N] [--seed S] WORLD\n");
		return 2;
	}
	rc = set_up(&d, path, &e);
	if (!rc)
		rc = run(&d, &e);
	if (rc)
		fprintf(stderr, "%s\n", e.text);
	printf("seed %" PRIu64 ": %" PRIu64 " damaged generations taken, %" PRIu64 " refused\n",
		d.seed, d.taken, d.refused);
	free(d.whole);
	if (d.body)
		body_dpdk.close(d.body);
	world_close(d.world);
	return rc || !d.taken || !d.refused ? 1 : 0;
}
