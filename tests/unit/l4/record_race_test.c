/* SPDX-License-Identifier: BSD-2-Clause */
/* Records written and read by several threads at once, over buckets that are far too few: whatever is found is the
 * flow's own. */
#include "tests/unit/l4/race.h"
#include "dataplane/l4/cursor.h"
#include "dataplane/l4/flow.h"
#include "dataplane/l4/tables.h"

enum { BUCKETS = 2, FLOWS = 64, ROUNDS = 4000000, POOL = 7 };

struct l4_tables {
	_Atomic uint64_t places[8];
};

static inline const void *l4_tables_line(const struct l4_tables *t, uint32_t line)
{
	(void)t;
	(void)line;
	return NULL;
}

static inline uint32_t l4_tables_slot(const struct l4_tables *t, uint32_t chunk, uint32_t slot)
{
	(void)t;
	(void)chunk;
	(void)slot;
	return L4_SLOT_NONE;
}

static inline struct l4_record_bucket *l4_tables_records(const struct l4_tables *t, uint64_t hash)
{
	(void)t;
	(void)hash;
	return NULL;
}

static inline uint16_t l4_tables_now(const struct l4_tables *t)
{
	(void)t;
	return 0;
}

static inline void l4_tables_recorded(const struct l4_tables *t, enum l4_record_place place)
{
	((struct l4_tables *)t)->places[place]++;
}

struct l4_way;

static inline struct l4_way *l4_tables_way(const struct l4_tables *t)
{
	(void)t;
	return NULL;
}

#include "dataplane/l4/tracked.h"

/* No service here is one of QUIC. */
static uint32_t l4_tables_quic(const struct l4_tables *t, const struct l4_frame *f, uint32_t l4,
	uint32_t id_bytes, uint16_t pool)
{
	(void)t;
	(void)f;
	(void)l4;
	(void)id_bytes;
	(void)pool;
	return 0;
}

static enum l4_record_place l4_tables_rank(const struct l4_tables *t, uint64_t what, uint16_t now)
{
	(void)t;
	(void)now;
	switch (l4_record_state(what)) {
	case L4_RECORD_EMPTY:
		return L4_PLACE_FREE;
	case L4_RECORD_BUSY:
		return L4_PLACE_NONE;
	case L4_RECORD_EMBRYONIC:
		return L4_PLACE_EMBRYONIC;
	default:
		return what & L4_RECORD_AGREES ? L4_PLACE_AGREEING : L4_PLACE_LIVE;
	}
}

/* Half of the flags turn out to be out of date. */
static bool l4_tables_agrees(const struct l4_tables *t, uint64_t who, uint64_t what)
{
	(void)t;
	(void)what;
	return who & 1;
}

static struct l4_record_bucket buckets[BUCKETS];
static struct l4_tables tables;

static void l4_tables_record(const struct l4_tables *t, const struct l4_record_write *r)
{
	l4_record_write(t, &buckets[r->hash >> 63], r);
}

/* All that a record holds follows from the flow. Neighbours differ in one part of the hash only. */
static uint64_t hash_of(uint32_t flow)
{
	return (uint64_t)(flow & 1) << 63 | (uint64_t)(flow >> 1 & 7) << 32 | flow >> 4;
}

static uint16_t server_of(uint32_t flow)
{
	return (uint16_t)(1000 + flow);
}

static uint32_t seq_of(uint32_t flow)
{
	return 0x10000 * (flow + 1);
}

static void write_one(struct racer *w, uint32_t round)
{
	uint32_t flow = draw(w, FLOWS);
	uint64_t hash = hash_of(flow);
	struct l4_found f = l4_record_find(&buckets[hash >> 63], hash, POOL);
	struct l4_record_write r = { .hash = hash, .was = f.at ? f.what : 0 };

	w->found += f.at != NULL;
	w->wrong += f.at && (l4_record_server(f.what) != server_of(flow) ||
				    f.who != l4_record_who(hash, seq_of(flow)));
	r.begins = draw(w, 4) == 0;
	r.who = l4_record_who(hash, seq_of(flow));
	r.what = l4_record_what(l4_record_mark(hash, POOL),
		(uint8_t)(L4_RECORD_EMBRYONIC + draw(w, 3)), draw(w, 2), (uint16_t)(round >> 10),
		server_of(flow));
	l4_tables_record(&tables, &r);
}

/* Clears records as a sweep does. */
static void clear(struct racer *w)
{
	struct l4_record *r = &buckets[draw(w, BUCKETS)].records[draw(w, L4_BUCKET_RECORDS)];
	uint64_t what = l4_record_read(&r->what);

	if (l4_record_state(what) > L4_RECORD_BUSY)
		l4_record_exchange(r, what, L4_RECORD_EMPTY);
}

static void no_flow_finds_anothers_record(void **state)
{
	struct racer racers[RACERS];

	(void)state;
	race_with_sweep(racers, write_one, ROUNDS, clear);
	for (unsigned i = 0; i < BUCKETS * L4_BUCKET_RECORDS; i++)
		assert_int_not_equal(
			l4_record_state(
				buckets[i / L4_BUCKET_RECORDS].records[i % L4_BUCKET_RECORDS].what),
			L4_RECORD_BUSY);
	assert_true(tables.places[L4_PLACE_AGREEING] && tables.places[L4_PLACE_LIVE]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_flow_finds_anothers_record) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
