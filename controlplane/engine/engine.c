/* SPDX-License-Identifier: BSD-2-Clause */
/* From engine.h to the engine's body: what is opened and closed, and what is small. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/engine/body.h"

/* By enum conf_engine_type. */
static const struct engine_body *const bodies[] = {
	[CONF_ENGINE_XDP] = &xdp_body,
	[CONF_ENGINE_DPDK] = &dpdk_body,
};

enum { BODIES = sizeof bodies / sizeof *bodies };

int engine_no_memory(struct err *e)
{
	return err_set(
		e, -ENOMEM, "no memory for the engine's tables; lower the values under limits");
}

uint32_t engine_image_lines(const struct conf_limits *l)
{
	return snapshot_lines(l->vips, l->services, l->servers, l->servers, l->pools) +
	       guard_store_image_lines(l->guard_prefixes);
}

static struct engine *new_engine(const struct engine_options *o)
{
	const struct conf_limits *lim = o->limits;
	struct engine *en = calloc(1, sizeof *en);

	if (!en)
		return NULL;
	en->body = bodies[o->type];
	en->n_vips = lim->vips;
	en->n_services = lim->services;
	en->n_servers = lim->servers;
	en->image_lines = engine_image_lines(lim);
	en->ring_chunks = ring_store_chunks(lim->ring_slots);
	en->guard_lines = guard_store_lines(lim->guard_prefixes);
	en->dry = o->dry;
	en->neighbour_wanted = o->neighbour_wanted;
	en->path_told = o->path_told;
	en->arg = o->arg;
	return en;
}

/* Who has what in the tables. */
static int open_stores(struct engine *en, const struct engine_options *o)
{
	int rc;

	en->ring_store = ring_store_new(o->limits->ring_slots, o->limits->pools);
	en->guard_store = guard_store_new(en->tables.guard, o->limits->guard_prefixes);
	if (!en->ring_store || !en->guard_store)
		return -ENOMEM;
	rc = neighbours_new(&en->neighbours, en->tables.neighbours, en->tables.n_neighbours,
		&en->body->index, en);
	return rc ? rc : engine_open_ports(en, o);
}

/* Neighbours that the former process knew serve until the kernel says otherwise. */
static void inherit_neighbours(struct engine *en)
{
	for (uint32_t i = 0; i < en->past.n_neighbours; i++) {
		const struct l4_neighbour *r = &en->past.neighbours[i];
		struct addr a = { .af = r->is6 ? 6 : 4 };

		if (!r->usable)
			continue;
		memcpy(a.bytes, r->address, addr_size(&a));
		neighbours_learn(en->neighbours, r->ifindex, &a, r->mac, false);
	}
}

int engine_open(struct engine **out, struct event_base *base, const struct engine_options *o,
	bool *adopted, struct err *e)
{
	struct engine *en = new_engine(o);
	int rc;

	if (!en)
		return err_set(e, -ENOMEM, "out of memory");
	rc = en->body->open(en, base, o, e);
	if (!rc) {
		rc = open_stores(en, o);
		if (rc == -ENOMEM)
			engine_no_memory(e);
		else if (rc)
			err_set(e, rc, "cannot set up the engine: %s", strerror(-rc));
	}
	if (rc) {
		engine_close(en);
		return rc;
	}
	en->generation = en->past.generation;
	inherit_neighbours(en);
	*adopted = en->past.adopted;
	*out = en;
	return 0;
}

void engine_close(struct engine *en)
{
	if (!en)
		return;
	neighbours_free(en->neighbours);
	free(en->hop_rows);
	ring_store_free(en->ring_store);
	guard_store_free(en->guard_store);
	en->body->close(en);
	free(en);
}

void engine_told(struct engine *en, const struct l4_want *w)
{
	struct addr a = { 0 }, from = { 0 };

	if (!en->neighbour_wanted || !en->path_told)
		return;
	a.af = from.af = w->is6 ? 6 : 4;
	memcpy(a.bytes, w->address, addr_size(&a));
	memcpy(from.bytes, w->from, addr_size(&from));
	if (w->mtu)
		en->path_told(en->arg, &from, &a, L4_BE16(w->port), w->mtu);
	else
		en->neighbour_wanted(en->arg, w->ifindex, &a);
}

enum conf_engine_type engine_type(const struct engine *en)
{
	return en->body == &dpdk_body ? CONF_ENGINE_DPDK : CONF_ENGINE_XDP;
}

bool engine_holds(enum conf_engine_type type, const char *run_dir)
{
	return bodies[type]->holds(run_dir);
}

bool engine_is_in_front(enum conf_engine_type type, const char *run_dir)
{
	return bodies[type]->is_in_front && bodies[type]->is_in_front(run_dir);
}

int engine_take_back(enum conf_engine_type type, const char *run_dir, struct err *e)
{
	return bodies[type]->take_back ? bodies[type]->take_back(run_dir, e) : 0;
}

int engine_ready(const struct engine_options *o, struct err *e)
{
	struct engine *en = new_engine(o);
	int rc = en ? en->body->ready(en, o, e) : err_set(e, -ENOMEM, "out of memory");

	free(en);
	return rc;
}

int engine_take(enum conf_engine_type type, const char *run_dir, struct err *e)
{
	return bodies[type]->take(run_dir, e);
}

int engine_give(enum conf_engine_type type, const char *run_dir, struct err *e)
{
	return bodies[type]->give(run_dir, e);
}

int engine_yield(struct engine *en, struct err *e)
{
	return en->body->yield(en, e);
}

int engine_cede(struct engine *en, struct err *e)
{
	return en->body->cede ? en->body->cede(en, e) : 0;
}

int engine_resume(struct engine *en, struct err *e)
{
	return en->body->resume(en, e);
}

uint64_t engine_generation(const struct engine *en)
{
	return en->attached ? en->generation : 0;
}

enum engine_state engine_state(const struct engine *en, uint64_t *since_ms)
{
	return en->body->state(en, since_ms);
}

void engine_report(const struct engine *en, struct engine_report *out)
{
	*out = (struct engine_report){ .last_gap_ms = -1 };
	if (en->body->report)
		en->body->report(en, out);
}

const struct engine_change *engine_changes(const struct engine *en, size_t *n)
{
	*n = 0;
	return en->body->changes ? en->body->changes(en, n) : NULL;
}

bool engine_line(const struct engine *en, uint32_t line, void *out)
{
	return en->body->line(en, line, out);
}

bool engine_neighbour_row(const struct engine *en, uint32_t row, struct l4_neighbour *out)
{
	if (row >= en->tables.n_neighbours)
		return false;
	*out = en->tables.neighbours[row];
	return true;
}

struct l4_record *engine_records(struct engine *en, uint32_t *n)
{
	*n = en->tables.n_records * L4_BUCKET_RECORDS;
	return en->tables.records->records;
}

struct l4_flood *engine_floods(struct engine *en, uint32_t *n)
{
	*n = en->tables.n_floods;
	return en->tables.floods;
}

struct l4_proxied *engine_proxied(struct engine *en, uint32_t *n)
{
	*n = en->tables.n_proxied * L4_BUCKET_PROXIED;
	return en->tables.proxied->entries;
}

int engine_past_slots(const struct engine *en, snapshot_slots_fn *fn, void *arg)
{
	const struct engine_past *past = &en->past;

	if (!past->image || !past->rings)
		return en->body->kept_slots ? en->body->kept_slots(en, fn, arg) : 0;
	return snapshot_read_slots(
		past->image, past->image_lines, past->rings, past->n_chunks, fn, arg);
}

int engine_trace(const struct engine *en, uint32_t ifindex, const uint8_t *frame, size_t len,
	uint8_t *out, size_t *out_len, struct l4_way *way, struct err *e)
{
	if (len < sizeof(struct l4_eth) || len > ENGINE_FRAME_MAX)
		return err_set(e, -EMSGSIZE,
			"a frame of %zu bytes cannot be traced: it must have %zu (an Ethernet header) to "
			"%d (what fits into a page)",
			len, sizeof(struct l4_eth), ENGINE_FRAME_MAX);
	return en->body->trace(en, ifindex, frame, len, out, out_len, way, e);
}

static int may_detach(const char *run_dir, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < BODIES && !rc; i++)
		rc = bodies[i]->may_detach(run_dir, e);
	return rc;
}

/* Whoever made them, and all or none as far as that can be told; what one body cannot free does not keep others from it. */
int engine_detach(const char *run_dir, struct err *e)
{
	int freed = 0, failed = may_detach(run_dir, e);

	if (failed)
		return failed;
	for (unsigned i = 0; i < BODIES; i++) {
		int n = bodies[i]->detach(run_dir, e);

		if (n < 0)
			failed = n;
		else
			freed += n;
	}
	return failed ? failed : freed;
}
