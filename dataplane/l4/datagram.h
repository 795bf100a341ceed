/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The record of one datagram that comes in fragments: the first of them leaves its ports, and all of them mark what has come.
 * Four are a bucket, in one table for all processors.
 *
 * `who` is the keyed hash of source, destination, identification and, for IPv4, protocol (RFC 791, section 3.2; RFC 8200,
 * section 4.5); `what` is state:8 protocol:8 time:16 sport:16 dport:16 from its lowest bit on. They are written and read
 * as a flow's record is (record.h). What has come is a bit for each unit of 8 bytes, set by the one processor that
 * finds it unset. A processor that marks a record while another gives it away spoils a fragment of that one's. */
#pragma once
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/record.h"

enum l4_datagram_state {
	L4_DATAGRAM_EMPTY,
	L4_DATAGRAM_BUSY, /* being written */
	L4_DATAGRAM_OPEN,
};

enum {
	L4_BUCKET_DATAGRAMS = 4,
	L4_DATAGRAM_AGE = 2,	   /* in coarse time (limit.h) */
	L4_DATAGRAM_MAX = 65535,   /* bytes */
	L4_DATAGRAM_WORDS = 128,   /* of 64 units */
	L4_FRAGMENT_MAX = 1 << 15, /* bytes */
	L4_FRAGMENT_WORDS = L4_FRAGMENT_MAX / 512 + 1,
};

enum {
	L4_DATAGRAM_PROTOCOL_AT = 8,
	L4_DATAGRAM_TIME_AT = 16,
	L4_DATAGRAM_SPORT_AT = 32,
	L4_DATAGRAM_DPORT_AT = 48,
};

/* What of a datagram has come. */
struct l4_parts {
	uint32_t got; /* units */
	uint32_t end; /* in units, once the last one has come; before that 0 */
	uint32_t
		high; /* where those that have come end; of two at once either may have the last word */
	uint32_t pad;
	uint64_t units[L4_DATAGRAM_WORDS];
};

struct l4_datagram_bucket {
	struct l4_record datagrams[L4_BUCKET_DATAGRAMS];
	struct l4_parts parts[L4_BUCKET_DATAGRAMS];
};

/* A fragment's place in its datagram. */
struct l4_part {
	uint32_t from, units; /* in units */
	bool last;
};

L4_INLINE uint64_t l4_datagram_what(uint8_t protocol, uint16_t now, uint16_t sport, uint16_t dport)
{
	return L4_DATAGRAM_OPEN | (uint64_t)protocol << L4_DATAGRAM_PROTOCOL_AT |
	       (uint64_t)now << L4_DATAGRAM_TIME_AT | (uint64_t)sport << L4_DATAGRAM_SPORT_AT |
	       (uint64_t)dport << L4_DATAGRAM_DPORT_AT;
}

L4_INLINE uint8_t l4_datagram_state(uint64_t what)
{
	return (uint8_t)what;
}

/* How long ago it began. */
L4_INLINE uint16_t l4_datagram_age(uint64_t what, uint16_t now)
{
	return l4_time_since((uint16_t)(what >> L4_DATAGRAM_TIME_AT), now);
}

/* The number of a datagram's record in its bucket, and its `what`; L4_BUCKET_DATAGRAMS: it has none. */
L4_INLINE uint32_t l4_datagram_find(
	const struct l4_datagram_bucket *b, uint64_t who, uint16_t now, uint64_t *what)
{
	uint32_t found = L4_BUCKET_DATAGRAMS;

#pragma GCC unroll 4
	for (uint32_t i = 0; i < L4_BUCKET_DATAGRAMS; i++) {
		uint64_t is = l4_record_read(&b->datagrams[i].what);

		if (l4_datagram_state(is) != L4_DATAGRAM_OPEN ||
			l4_record_read(&b->datagrams[i].who) != who ||
			l4_datagram_age(is, now) > L4_DATAGRAM_AGE ||
			l4_record_read(&b->datagrams[i].what) != is)
			continue;
		found = i;
		*what = is;
	}
	return l4_forget(found, 2 * L4_BUCKET_DATAGRAMS - 1);
}

/* The record that a new datagram may take: an empty one, else the oldest. Among those of one unit of time it is the first, so
 * that a flood of new ones takes one place of four. */
L4_INLINE uint32_t l4_datagram_victim(
	const struct l4_datagram_bucket *b, uint16_t now, uint64_t *what)
{
	uint32_t best = L4_BUCKET_DATAGRAMS;
	int32_t most = -1;

#pragma GCC unroll 4
	for (uint32_t i = 0; i < L4_BUCKET_DATAGRAMS; i++) {
		uint64_t is = l4_record_read(&b->datagrams[i].what);
		int32_t age = l4_datagram_age(is, now);

		if (l4_datagram_state(is) == L4_DATAGRAM_EMPTY)
			age = INT32_MAX;
		if (l4_datagram_state(is) == L4_DATAGRAM_BUSY || age <= most)
			continue;
		most = age;
		best = i;
		*what = is;
	}
	return l4_forget(best, 2 * L4_BUCKET_DATAGRAMS - 1);
}

/* Begins a datagram's record. Returns its number, or L4_BUCKET_DATAGRAMS: another processor was faster. */
L4_INLINE uint32_t l4_datagram_begin(
	struct l4_datagram_bucket *b, uint64_t who, uint64_t what, uint16_t now)
{
	uint64_t was = 0;
	uint32_t at = l4_datagram_victim(b, now, &was);
	struct l4_record *d;
	struct l4_parts *parts;

	if (at == L4_BUCKET_DATAGRAMS)
		return at;
	at = l4_forget(at, L4_BUCKET_DATAGRAMS - 1);
	d = &b->datagrams[at];
	parts = &b->parts[at];
	if (!l4_record_exchange(d, was, L4_DATAGRAM_BUSY))
		return L4_BUCKET_DATAGRAMS;
	*(volatile uint64_t *)&d->who = who;
	parts->got = 0;
	parts->end = 0;
	parts->high = 0;
	for (uint32_t i = 0; i < L4_DATAGRAM_WORDS; i++)
		*(volatile uint64_t *)&parts->units[i] = 0;
	__sync_lock_test_and_set(&d->what, what);
	return at;
}

/* Whether the units of a fragment had not come before; with `mark`, a constant, they have now, up to the word in which some
 * had: of two that are the same and come at once one is taken. */
L4_INLINE bool l4_parts_lack(struct l4_parts *parts, struct l4_part part, bool mark)
{
	uint32_t word = part.from / 64, from = part.from % 64, left = part.units;
	uint64_t before = 0;

	for (uint32_t i = 0; i < L4_FRAGMENT_WORDS && left && !before; i++) {
		uint64_t *units = &parts->units[word & (L4_DATAGRAM_WORDS - 1)];
		uint32_t n = l4_forget(left < 64 - from ? left : 64 - from, 127);
		uint64_t bits = UINT64_MAX >> ((64 - n) & 63) << from;

		before |= bits & (mark ? __sync_fetch_and_or(units, bits) : *units);
		word = l4_forget(word + 1, L4_DATAGRAM_WORDS - 1);
		from = 0;
		left = l4_forget(left - n, UINT16_MAX);
	}
	return !before;
}

/* Marks the units of a fragment; false: some of them had come before. */
L4_INLINE bool l4_parts_mark(struct l4_parts *parts, struct l4_part part)
{
	return l4_parts_lack(parts, part, true);
}

/* Whether a fragment ends where its datagram does, or before, as far as that is known. */
L4_INLINE bool l4_parts_end(const struct l4_parts *parts, struct l4_part part)
{
	uint32_t end = part.from + part.units;

	if (part.last)
		return parts->end ? parts->end == end : parts->high <= end;
	return !parts->end || parts->end >= end;
}

/* Whether l4_datagram_take() would take a fragment. */
L4_INLINE bool l4_datagram_takes(struct l4_datagram_bucket *b, uint32_t at, struct l4_part part)
{
	struct l4_parts *parts = &b->parts[at & (L4_BUCKET_DATAGRAMS - 1)];

	return l4_parts_end(parts, part) && l4_parts_lack(parts, part, false);
}

/* Takes a fragment into the record of its datagram, which is given back once all of it has come. False: part of the fragment
 * had come before, or lies behind the datagram's end (RFC 5722, section 4; RFC 1858, section 4). */
L4_INLINE bool l4_datagram_take(
	struct l4_datagram_bucket *b, uint32_t at, uint64_t what, struct l4_part part)
{
	struct l4_parts *parts = &b->parts[at & (L4_BUCKET_DATAGRAMS - 1)];
	uint32_t got;

	if (!l4_parts_end(parts, part) || !l4_parts_mark(parts, part))
		return false;
	if (part.last)
		parts->end = part.from + part.units;
	if (parts->high < part.from + part.units)
		parts->high = part.from + part.units;
	got = __sync_fetch_and_add(&parts->got, part.units) + part.units;
	if (got == *(volatile uint32_t *)&parts->end)
		l4_record_exchange(
			&b->datagrams[at & (L4_BUCKET_DATAGRAMS - 1)], what, L4_DATAGRAM_EMPTY);
	return true;
}
