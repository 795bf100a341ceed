/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/engine/carry_tables.h"
#include <string.h>

/* Another process may be writing it: it is read as packets read it. False: there is none, or it changed meanwhile. */
static bool read_record(const struct l4_record *r, struct l4_record *out)
{
	out->what = l4_record_read(&r->what);
	out->who = l4_record_read(&r->who);
	return l4_record_state(out->what) > L4_RECORD_BUSY && l4_record_read(&r->what) == out->what;
}

static bool same_flow(const struct l4_record *a, const struct l4_record *b)
{
	return a->what >> L4_RECORD_POOL_AT == b->what >> L4_RECORD_POOL_AT &&
	       (uint32_t)a->who == (uint32_t)b->who;
}

/* How dear an entry is to a flow that wants its place, as packets have it (tracked.h); the time is the last thing that counts. */
static uint32_t record_rank(uint64_t what, uint16_t now)
{
	uint32_t fresh = (uint16_t)~l4_record_age(what, now);

	switch (l4_record_state(what)) {
	case L4_RECORD_EMPTY:
		return 0;
	case L4_RECORD_BUSY:
		return UINT32_MAX;
	case L4_RECORD_EMBRYONIC:
		return 1u << 16 | fresh;
	default:
		return (what & L4_RECORD_AGREES ? 2u : 3u) << 16 | fresh;
	}
}

/* The entry that a record is to have in the bucket: its flow's own, or the least dear. NULL: all are dearer. */
static struct l4_record *place_record(
	struct l4_record_bucket *b, const struct l4_record *r, uint16_t now, struct l4_record *was)
{
	uint32_t least = record_rank(r->what, now);
	struct l4_record *place = NULL, is;

	for (unsigned i = 0; i < L4_BUCKET_RECORDS; i++) {
		uint32_t rank;

		if (read_record(&b->records[i], &is) && same_flow(&is, r)) {
			*was = is;
			return &b->records[i];
		}
		rank = record_rank(is.what, now);
		if (rank >= least)
			continue;
		least = rank;
		place = &b->records[i];
		*was = is;
	}
	return place;
}

enum put { PUT, PUT_OVER, NOT_PUT };

static enum put put_record(struct l4_record_bucket *b, const struct l4_record *r, uint16_t now)
{
	struct l4_record was, *at = place_record(b, r, now, &was);
	bool own;

	if (!at)
		return NOT_PUT;
	own = l4_record_state(was.what) > L4_RECORD_BUSY && same_flow(&was, r);
	if (own && l4_record_age(was.what, now) < l4_record_age(r->what, now))
		return PUT;
	if (!l4_record_put(at, was.what, r->who, r->what))
		return NOT_PUT;
	return own || l4_record_state(was.what) == L4_RECORD_EMPTY ? PUT : PUT_OVER;
}

static bool put_everywhere(struct l4_record_bucket *to, const struct carry_sizes *n,
	uint32_t bucket, const struct l4_record *r)
{
	uint32_t first = (uint32_t)((uint64_t)bucket * n->to / n->from);
	uint32_t many = n->to > n->from ? n->to / n->from : 1;
	enum put worst = PUT;

	for (uint32_t i = 0; i < many; i++) {
		enum put one = put_record(&to[first + i], r, n->now);

		worst = one > worst ? one : worst;
	}
	return worst == PUT;
}

static bool read_proxied(const struct l4_proxied *p, struct l4_proxied *out)
{
	out->what = l4_record_read(&p->what);
	out->who = l4_record_read(&p->who);
	out->shift = *(const volatile uint32_t *)&p->shift;
	out->isn = *(const volatile uint32_t *)&p->isn;
	out->idle = *(const volatile uint32_t *)&p->idle;
	out->pad = 0;
	return l4_proxied_state(out->what) > L4_PROXIED_BUSY &&
	       l4_record_read(&p->what) == out->what;
}

static bool put_proxied(
	struct l4_proxied_bucket *to, const struct l4_proxied *p, const struct carry_sizes *n)
{
	uint32_t bits = (uint32_t)__builtin_ctz(n->to);

	return l4_proxied_begin(&to[bits ? p->who >> (64 - bits) : 0], p, n->now);
}

/* An entry of either table, in buckets of nothing else. */
union entry {
	struct l4_record record;
	struct l4_proxied proxied;
};

struct kind {
	size_t size; /* of an entry */
	unsigned in_bucket;
	/* False: there is none, or it is not to be carried. */
	bool (*read)(const void *from, union entry *out, uint16_t now);
	/* Into its own place of a table of the same size; packets go by neither, or by `from`. */
	void (*copy)(void *to, const union entry *e);
	/* Into a table of another size. False: something found no room. */
	bool (*put)(void *to, const struct carry_sizes *n, uint32_t bucket, const union entry *e);
};

static bool read_as_record(const void *from, union entry *out, uint16_t now)
{
	(void)now;
	return read_record(from, &out->record);
}

/* Most have not changed: their lines are left alone. */
static void copy_as_record(void *to, const union entry *e)
{
	struct l4_record *r = to;

	if (r->what == e->record.what && r->who == e->record.who)
		return;
	r->who = e->record.who;
	r->what = e->record.what;
}

static bool put_as_record(
	void *to, const struct carry_sizes *n, uint32_t bucket, const union entry *e)
{
	return put_everywhere(to, n, bucket, &e->record);
}

/* What is over is not carried, so that it takes no place. */
static bool read_as_proxied(const void *from, union entry *out, uint16_t now)
{
	return read_proxied(from, &out->proxied) &&
	       !l4_proxied_is_over(out->proxied.what, out->proxied.idle, now);
}

static void copy_as_proxied(void *to, const union entry *e)
{
	*(struct l4_proxied *)to = e->proxied;
}

static bool put_as_proxied(
	void *to, const struct carry_sizes *n, uint32_t bucket, const union entry *e)
{
	(void)bucket;
	return put_proxied(to, &e->proxied, n);
}

static const struct kind records = { sizeof(struct l4_record), L4_BUCKET_RECORDS, read_as_record,
	copy_as_record, put_as_record };
static const struct kind proxied = { sizeof(struct l4_proxied), L4_BUCKET_PROXIED, read_as_proxied,
	copy_as_proxied, put_as_proxied };

static inline __attribute__((always_inline)) struct carried carry(
	const struct kind *k, void *to, const void *from, const struct carry_sizes *n)
{
	static const union entry none;
	bool same = n->to == n->from;
	struct carried c = { 0, 0 };

	if (!same)
		memset(to, 0, n->to * k->in_bucket * k->size);
	for (size_t i = 0; i < (size_t)n->from * k->in_bucket; i++) {
		union entry e;
		bool is_there = k->read((const char *)from + i * k->size, &e, n->now);

		if (same)
			k->copy((char *)to + i * k->size, is_there ? &e : &none);
		if (!is_there)
			continue;
		if (same || k->put(to, n, (uint32_t)(i / k->in_bucket), &e))
			c.flows++;
		else
			c.lost++;
	}
	return c;
}

struct carried carry_records(
	struct l4_record_bucket *to, const struct l4_record_bucket *from, struct carry_sizes n)
{
	return carry(&records, to, from, &n);
}

struct carried carry_proxied(
	struct l4_proxied_bucket *to, const struct l4_proxied_bucket *from, struct carry_sizes n)
{
	return carry(&proxied, to, from, &n);
}

static void carry_datagram(struct l4_datagram_bucket *to, const struct l4_datagram_bucket *from,
	unsigned at, uint16_t now)
{
	uint64_t what = l4_record_read(&from->datagrams[at].what);

	if (l4_datagram_state(what) != L4_DATAGRAM_OPEN ||
		l4_datagram_age(what, now) > L4_DATAGRAM_AGE) {
		to->datagrams[at] = (struct l4_record){ 0, 0 };
		return;
	}
	to->parts[at] = from->parts[at];
	to->datagrams[at] = (struct l4_record){ from->datagrams[at].who, what };
}

void carry_datagrams(
	struct l4_datagram_bucket *to, const struct l4_datagram_bucket *from, struct carry_sizes n)
{
	if (n.to != n.from)
		return;
	for (uint32_t i = 0; i < n.from * L4_BUCKET_DATAGRAMS; i++)
		carry_datagram(&to[i / L4_BUCKET_DATAGRAMS], &from[i / L4_BUCKET_DATAGRAMS],
			i % L4_BUCKET_DATAGRAMS, n.now);
}

void carry_floods(struct l4_flood *to, const struct l4_flood *from, struct carry_sizes n)
{
	for (uint32_t i = 0; i < n.to && i < n.from; i++)
		to[i] = from[i];
}
