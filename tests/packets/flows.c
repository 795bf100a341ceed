/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/flows.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/snapshot/maglev.h"
#include "tests/packets/setup.h"

/* Of ten servers. */
enum { SLOTS_MAX = 1024 };

struct table {
	struct snapshot_slots view;
	uint16_t owner[SLOTS_MAX], base[SLOTS_MAX], since[SLOTS_MAX];
};

struct flows {
	const struct world_file *world;
	const struct body_ops *ops;
	struct body *body;
	struct l4_record *records; /* the body's table */
	uint32_t n_records;
	struct build *build;
	struct table *tables; /* one per pool; view.n 0: none */
	uint64_t version;
	bool changed; /* since the last publish */
	bool any;     /* some pool has a table */
};

int flows_new(struct flows **out, const struct world_file *world, const struct body_ops *ops,
	struct body *b)
{
	struct flows *f = calloc(1, sizeof *f);
	int rc = -ENOMEM;

	if (!f)
		return rc;
	f->world = world;
	f->ops = ops;
	f->body = b;
	f->records = ops->records(b, &f->n_records);
	f->tables = calloc(world->conf->n_pools + 1u, sizeof *f->tables);
	if (f->tables)
		rc = setup_build(&world->world, &f->build);
	if (rc)
		flows_free(f);
	else
		*out = f;
	return rc;
}

void flows_free(struct flows *f)
{
	if (!f)
		return;
	if (f->build)
		build_free(f->build);
	free(f->tables);
	free(f);
}

/* The stable id of a server, as in every body. */
static uint16_t id_of(int side)
{
	return side == CASE_SETTLED ? SNAPSHOT_SETTLED : (uint16_t)(side + 1);
}

static int set_slots(struct flows *f, const struct case_slots *s)
{
	struct table *t = &f->tables[s->pool];
	uint32_t n = maglev_slots(f->build->pools[s->pool].n_members), first = 0, end = n;

	if (n > SLOTS_MAX || (s->flow.len && !t->view.n))
		return n > SLOTS_MAX ? -E2BIG : -ENOENT;
	if (s->flow.len) {
		first = (uint32_t)(case_hash(&s->flow) % n);
		end = first + 1;
	}
	for (uint32_t i = first; i < end; i++) {
		t->owner[i] = id_of(s->owner);
		t->base[i] = id_of(s->base);
	}
	t->view = (struct snapshot_slots){
		.n = n,
		.owner = t->owner,
		.base = t->base,
		.since = t->since,
		.version = ++f->version,
	};
	for (uint32_t i = 0; i < n; i++)
		t->view.n_tracked += t->base[i] != SNAPSHOT_SETTLED;
	f->build->pools[s->pool].slots = &t->view;
	f->changed = f->any = true;
	return 0;
}

int flows_publish(struct flows *f, struct err *e)
{
	if (!f->changed)
		return 0;
	f->changed = false;
	return f->ops->publish(f->body, &f->build->input, e);
}

/* The four entries that a flow's record may be in: the highest bits of the hash tell where they begin. */
static struct l4_record *bucket_of(const struct flows *f, uint64_t hash)
{
	return &f->records[(uint32_t)((hash >> 32) * (f->n_records / 4) >> 32) * 4];
}

static uint64_t who_of(const struct case_record *r)
{
	return (case_hash(&r->flow) & 0xffffffff) | (uint64_t)r->seq << 32;
}

static uint64_t what_of(const struct case_record *r)
{
	return r->state | (uint64_t)r->agrees << 3 | (uint64_t)r->time << 4 |
	       (uint64_t)(r->server + 1) << 20 | (uint64_t)(r->pool + 1) << 36 |
	       case_hash(&r->flow) >> 32 << 52;
}

static int put_record(struct flows *f, const struct case_record *r, struct err *e)
{
	struct l4_record *at = bucket_of(f, case_hash(&r->flow));

	for (unsigned i = 0; i < 4; i++) {
		if (at[i].what)
			continue;
		at[i].who = who_of(r);
		at[i].what = what_of(r);
		return 0;
	}
	return err_set(e, -ENOSPC, "there are four records in the bucket already");
}

int flows_step(struct flows *f, const struct case_step *s, struct err *e)
{
	int rc = 0;

	switch (s->kind) {
	case CASE_FRAME:
		break;
	case CASE_NOW:
		rc = f->ops->set_time(f->body, s->now);
		break;
	case CASE_SLOTS:
		rc = set_slots(f, &s->slots);
		break;
	case CASE_RECORD:
		return put_record(f, &s->record, e);
	}
	return rc ? err_set(e, rc, "%s", strerror(-rc)) : 0;
}

static bool is_same(const struct l4_record *got, const struct case_record *want)
{
	const uint64_t mask = want->any_seq ? 0xffffffff : UINT64_MAX;

	return got->what == what_of(want) && !((got->who ^ who_of(want)) & mask);
}

/* Whether a record is one that the case lists, and stands where its flow looks for it. */
static bool is_wanted(
	const struct flows *f, const struct l4_record *got, const struct packet_case *c)
{
	for (unsigned i = 0; i < c->n_records; i++) {
		const struct l4_record *at = bucket_of(f, case_hash(&c->records[i].flow));

		if (got >= at && got < at + 4 && is_same(got, &c->records[i]))
			return true;
	}
	return false;
}

static bool is_there(const struct flows *f, const struct case_record *want)
{
	const struct l4_record *at = bucket_of(f, case_hash(&want->flow));
	unsigned n = 0;

	for (unsigned i = 0; i < 4; i++)
		n += is_same(&at[i], want);
	return n == 1;
}

static void print_record(FILE *out, const char *name, uint64_t who, uint64_t what)
{
	if (out)
		fprintf(out,
			"    %s: state %u time %u seq %u %s server %u pool %u fingerprint %03x "
			"hash …%08x\n",
			name, (unsigned)(what & 7), (unsigned)(what >> 4 & 0xffff),
			(unsigned)(who >> 32), what >> 3 & 1 ? "agrees" : "differs",
			(unsigned)(what >> 20 & 0xffff), (unsigned)(what >> 36 & 0xffff),
			(unsigned)(what >> 52), (unsigned)who);
}

unsigned flows_print_diff(const struct flows *f, FILE *out, const struct packet_case *c)
{
	const struct l4_record *all = f->records;
	unsigned wrong = 0;

	for (unsigned i = 0; i < c->n_records; i++) {
		if (is_there(f, &c->records[i]))
			continue;
		print_record(out, "not there", who_of(&c->records[i]), what_of(&c->records[i]));
		wrong++;
	}
	for (uint32_t i = 0; i < f->n_records; i++) {
		if (!all[i].what || is_wanted(f, &all[i], c))
			continue;
		print_record(out, "there", all[i].who, all[i].what);
		wrong++;
	}
	return wrong;
}

int flows_reset(struct flows *f, struct err *e)
{
	struct l4_record *all = f->records;
	int rc = f->ops->set_time(f->body, 0);

	for (uint32_t i = 0; i < f->n_records; i++)
		if (all[i].what)
			all[i] = (struct l4_record){ 0 };
	if (rc)
		return err_set(e, rc, "%s", strerror(-rc));
	for (unsigned i = 0; i < f->build->input.n_pools; i++) {
		f->build->pools[i].slots = NULL;
		f->tables[i] = (struct table){ 0 };
	}
	f->changed = f->any;
	f->any = false;
	return flows_publish(f, e);
}
