/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools' slot tables through changes, publishes and sweeps, under a clock of the test's own. */
#include "tests/unit/test.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/tracker.h"
#include "dataplane/snapshot/maglev.h"

/* 10 s are 10 units; a slot waits three more. */
enum { IDLE_S = 10, IDLE = 10, WAIT = IDLE + 3 };
enum { MEMBERS = 8, RECORDS = 64, POOL = 5, OTHER = 9, SETTLED = SNAPSHOT_SETTLED };

static struct snapshot_service services[2];
static struct snapshot_pool pools[2];
static struct snapshot_member members[MEMBERS];
static struct snapshot_input in;
static struct l4_record records[RECORDS];
static struct tracker *t;
static uint16_t now;

/* Members 0 to 2, with ids 1 to 3, are pool 5's; 3 and 4 are pool 9's, which has no service with a long time-out. */
static int setup(void **state)
{
	(void)state;
	memset(records, 0, sizeof records);
	for (unsigned i = 0; i < MEMBERS; i++)
		members[i] = (struct snapshot_member){
			.id = i + 1,
			.af = 4,
			.bytes = { 192, 0, 2, (uint8_t)(i + 1) },
			.weight = 1,
			.serves = true,
		};
	pools[0] = (struct snapshot_pool){ .id = POOL, .n_members = 3 };
	pools[1] = (struct snapshot_pool){ .id = OTHER, .first_member = 3, .n_members = 2 };
	services[0] = (struct snapshot_service){ .protocol = 6, .pool = 0, .idle_s = IDLE_S };
	services[1] = (struct snapshot_service){ .protocol = 6, .pool = 1, .idle_s = IDLE_S };
	in = (struct snapshot_input){
		.services = services,
		.pools = pools,
		.members = members,
		.n_services = 2,
		.n_pools = 2,
		.n_members = 5,
	};
	now = 65500; /* time wraps on the way */
	t = tracker_new();
	return !t;
}

static int teardown(void **state)
{
	(void)state;
	tracker_free(t);
	return 0;
}

static void update(void)
{
	assert_int_equal(tracker_update(t, &in, pools, now), 0);
}

static void publish(void)
{
	update();
	tracker_published(t);
	assert_false(tracker_is_dirty(t));
}

static void sweep(void)
{
	tracker_sweep_begin(t);
	tracker_sweep_part(t, records, RECORDS, now);
	tracker_sweep_end(t, now);
}

static void later(uint16_t units)
{
	now = (uint16_t)(now + units);
}

static const struct snapshot_slots *table(unsigned pool)
{
	return pools[pool].slots;
}

static uint32_t owned(unsigned pool, uint16_t server)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < table(pool)->n; i++)
		n += table(pool)->owner[i] == server;
	return n;
}

/* How many slots are tracked with this base. */
static uint32_t based(unsigned pool, uint16_t server)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < table(pool)->n; i++)
		n += table(pool)->base[i] == server;
	return n;
}

/* A slot of a pool whose base this is. */
static uint32_t slot_based(unsigned pool, uint16_t server)
{
	uint32_t i = 0;

	while (i < table(pool)->n && table(pool)->base[i] != server)
		i++;
	assert_true(i < table(pool)->n);
	return i;
}

static void record(unsigned at, uint8_t state, uint16_t pool, uint32_t hash, uint16_t server)
{
	records[at].who = l4_record_who(hash, 1);
	records[at].what = l4_record_what(l4_record_mark(hash, pool), state, false, now, server);
}

static void refresh(unsigned at)
{
	uint64_t what = records[at].what;

	records[at].what = l4_record_what(l4_record_mark(records[at].who, l4_record_pool(what)),
		l4_record_state(what), false, now, l4_record_server(what));
}

static void test_first_tables_are_settled(void **state)
{
	(void)state;
	assert_null(tracker_tracking(t));
	assert_true(tracker_is_busy(t)); /* who knows what records there are */
	update();
	assert_true(tracker_is_dirty(t));
	tracker_published(t);
	assert_false(tracker_is_dirty(t));
	assert_int_equal(table(0)->n, maglev_slots(3));
	assert_int_equal(table(0)->n_tracked, 0);
	assert_int_equal(owned(0, 1) + owned(0, 2) + owned(0, 3), table(0)->n);
	assert_int_equal(owned(1, 4) + owned(1, 5), table(1)->n);
	sweep();
	assert_false(tracker_is_busy(t));
	assert_false(tracker_is_dirty(t));
	update();
	assert_false(tracker_is_dirty(t));
}

static void test_drain(void **state)
{
	uint32_t n;

	(void)state;
	publish();
	n = owned(0, 1);
	members[0].weight = 0;
	later(50);
	publish();
	assert_int_equal(owned(0, 1), 0);
	assert_int_equal(based(0, 1), n);
	assert_int_equal(table(0)->since[slot_based(0, 1)], now);
	assert_int_equal(table(1)->n_tracked, 0);
	sweep();
	assert_true(tracker_is_busy(t));
}

static void test_down_and_return(void **state)
{
	uint32_t n;

	(void)state;
	publish();
	n = owned(0, 1);
	members[0].weight = 0;
	members[0].serves = false;
	publish();
	assert_int_equal(owned(0, 1), 0);
	assert_int_equal(based(0, 1), 0);      /* it had flows, and they are lost */
	assert_true(table(0)->n_tracked >= n); /* but records may name it */
	sweep();
	publish();
	assert_true(table(0)->n_tracked < n / 2);
	members[0].weight = 1;
	members[0].serves = true;
	publish();
	assert_int_equal(owned(0, 1), n);
	assert_int_equal(based(0, 1), 0);
	assert_true(based(0, 2) > 0 && based(0, 3) > 0);
}

/* Drained, and then it dies: what only it could serve is lost, and nothing waits for it. */
static void test_base_fails(void **state)
{
	(void)state;
	publish();
	members[0].weight = 0;
	publish();
	assert_true(based(0, 1) > 0);
	members[0].serves = false;
	publish();
	assert_int_equal(based(0, 1), 0);
	sweep();
	assert_true(tracker_is_dirty(t));
	publish();
	for (uint32_t i = 0; i < table(0)->n; i++) /* what is tracked still has a base that lives */
		assert_int_not_equal(table(0)->base[i], table(0)->owner[i]);
}

static void test_weight(void **state)
{
	uint32_t n;

	(void)state;
	publish();
	n = owned(0, 1);
	members[0].weight = 5;
	publish();
	assert_true(owned(0, 1) > n);
	assert_true(table(0)->n_tracked >= owned(0, 1) - n);
	members[0].weight = 1;
	publish();
	assert_int_equal(owned(0, 1), n);
	/* Back with their bases, but flows of those in between may have records. */
	assert_true(table(0)->n_tracked > 0);
	sweep();
	publish();
	assert_int_equal(table(0)->n_tracked, 0);
}

/* The drain's whole life: tracked, rebased exactly one idle time-out later, settled by the sweep after that. */
static void test_rebase_and_settle(void **state)
{
	uint16_t began;

	(void)state;
	publish();
	members[0].weight = 0;
	publish();
	began = now;
	now = (uint16_t)(began + WAIT);
	sweep();
	assert_false(tracker_is_dirty(t));
	assert_true(based(0, 1) > 0);
	now = (uint16_t)(began + WAIT + 1);
	sweep();
	assert_true(tracker_is_dirty(t));
	publish();
	assert_int_equal(based(0, 1), 0);
	assert_true(table(0)->n_tracked > 0);
	sweep();
	publish();
	assert_int_equal(table(0)->n_tracked, 0);
	sweep();
	assert_false(tracker_is_busy(t));
}

/* Until packets go by the rebased table, one without a record may still go to the former base. */
static void test_a_sweep_that_began_before_the_publish_settles_nothing(void **state)
{
	(void)state;
	publish();
	members[0].weight = 0;
	publish();
	later(WAIT + 1);
	sweep(); /* rebases */
	tracker_sweep_begin(t);
	tracker_sweep_part(t, records, RECORDS, now);
	publish();
	tracker_sweep_end(t, now);
	assert_false(tracker_is_dirty(t));
	assert_true(table(0)->n_tracked > 0);
	sweep();
	assert_true(tracker_is_dirty(t));
}

static void test_what_is_not_published_is_not_settled(void **state)
{
	(void)state;
	publish();
	members[0].weight = 0;
	publish();
	later(WAIT + 1);
	sweep();
	sweep();
	sweep();
	update();
	assert_true(table(0)->n_tracked > 0);
}

static void test_a_live_record_of_another_server_holds_its_slot(void **state)
{
	uint32_t slot;

	(void)state;
	publish();
	members[0].weight = 0;
	publish();
	slot = slot_based(0, 1);
	record(0, L4_RECORD_LIVE, POOL, slot | 0xabc00000, 1);
	record(1, L4_RECORD_LIVE, POOL, slot + 1, table(0)->owner[slot + 1]);
	later(WAIT + 1);
	refresh(0);
	refresh(1);
	sweep();
	publish();
	sweep();
	publish();
	assert_int_equal(table(0)->n_tracked, 1);
	assert_int_not_equal(table(0)->base[slot], SETTLED);
	assert_true(tracker_is_busy(t));
	later(IDLE);
	sweep(); /* the flow is silent, and may speak */
	assert_int_equal(tracker_tracking(t)->servers[1].records, 1);
	assert_false(tracker_is_dirty(t));
	later(1);
	sweep();
	assert_true(records[0].what == 0 || l4_record_state(records[0].what) == L4_RECORD_EMPTY);
	publish();
	assert_int_equal(table(0)->n_tracked, 0);
}

static void test_counts(void **state)
{
	const struct tracking *k;

	(void)state;
	services[0].track_all = services[1].track_all =
		true; /* what settled slots leave behind is not counted */
	publish();
	record(0, L4_RECORD_EMBRYONIC, POOL, 1, 1);
	record(20, L4_RECORD_LIVE, POOL, 2, 1);
	record(21, L4_RECORD_LIVE, POOL, 3, 2);
	record(22, L4_RECORD_CLOSING, POOL, 4, 1);
	record(RECORDS - 1, L4_RECORD_LIVE, OTHER, 5, 4);
	sweep();
	k = tracker_tracking(t);
	assert_int_equal(k->servers[1].records, 3);
	assert_int_equal(k->servers[2].records, 1);
	assert_int_equal(k->servers[3].records, 0);
	assert_int_equal(k->servers[4].records, 1);
	assert_int_equal(k->pools[POOL].records, 4);
	assert_int_equal(k->pools[OTHER].records, 1);
	assert_int_equal(k->node.embryonic, 1);
	assert_int_equal(k->node.live, 3);
	assert_int_equal(k->node.closing, 1);
	assert_int_equal(k->servers[1].slots, owned(0, 1));
	assert_int_equal(k->servers[1].base_slots, 0);
	assert_int_equal(k->pools[POOL].slots, table(0)->n);
	members[0].weight = 0;
	publish();
	k = tracker_tracking(t);
	assert_int_equal(k->servers[1].slots, 0);
	assert_int_equal(k->servers[1].base_slots, based(0, 1));
	assert_int_equal(k->pools[POOL].slots_tracked, table(0)->n_tracked);
	assert_int_equal(k->pools[OTHER].slots_tracked, 0);
	sweep();
	assert_int_equal(tracker_tracking(t)->servers[1].records, 3); /* counted anew each time */
}

static bool is_empty(unsigned at)
{
	return l4_record_state(records[at].what) == L4_RECORD_EMPTY;
}

static void test_void_records_are_cleared(void **state)
{
	(void)state;
	services[0].track_all = true;
	publish();
	record(0, L4_RECORD_EMBRYONIC, POOL, 1, 1);
	record(1, L4_RECORD_LIVE, POOL, 2, 1);
	record(2, L4_RECORD_CLOSING, POOL, 3, 1);
	record(3, L4_RECORD_LIVE, POOL, 4, 2);
	record(4, L4_RECORD_LIVE, 77, 5, 1);	/* of a pool that is not there */
	record(5, L4_RECORD_LIVE, POOL, 6, 99); /* of a server that is not there */
	later(L4_EMBRYONIC_AGE);
	sweep();
	assert_false(is_empty(0) || is_empty(1) || is_empty(2) || is_empty(3));
	assert_true(is_empty(4) && is_empty(5));
	later(1);
	sweep();
	assert_true(is_empty(0));
	assert_false(is_empty(1) || is_empty(2) || is_empty(3));
	members[1].serves = false;
	members[1].weight = 0;
	publish();
	sweep();
	assert_true(is_empty(3));
	assert_false(is_empty(1) || is_empty(2));
	later(IDLE - L4_EMBRYONIC_AGE);
	sweep();
	assert_true(is_empty(1) && is_empty(2));
	assert_int_equal(tracker_tracking(t)->node.live, 0);
}

/* A settled slot's records are not kept up to date. */
static void test_records_that_settled_slots_left_behind(void **state)
{
	uint16_t owner;

	(void)state;
	publish();
	owner = table(0)->owner[9];
	record(0, L4_RECORD_CLOSING, POOL, 9, owner);
	record(1, L4_RECORD_LIVE, POOL, 9, owner % 3 + 1);
	sweep();
	assert_true(is_empty(0));
	assert_false(is_empty(1)); /* of the slot's last packets before, elsewhere */
}

/* Its slot is tracked again before a sweep has cleared it: what has its ports now may be another connection. */
static void test_a_closing_record_that_was_left_behind(void **state)
{
	uint32_t slot;

	(void)state;
	publish();
	sweep();
	members[0].weight = 0;
	publish();
	slot = slot_based(0, 1);
	later(WAIT + 1);
	sweep();
	publish();
	record(0, L4_RECORD_CLOSING, POOL, slot, table(0)->owner[slot]);
	sweep();
	assert_int_equal(l4_record_state(records[0].what), L4_RECORD_CLOSING);
	assert_int_equal(table(0)->base[slot], SETTLED);
	publish();
	members[0].weight = 1;
	publish();
	assert_int_not_equal(table(0)->base[slot], SETTLED);
	sweep();
	assert_int_equal(l4_record_state(records[0].what), L4_RECORD_LIVE);
	assert_int_equal(tracker_tracking(t)->node.live, 1);
	record(0, L4_RECORD_CLOSING, POOL, slot, table(0)->base[slot]);
	sweep(); /* which is the first that found the slot as it is published */
	record(0, L4_RECORD_CLOSING, POOL, slot, table(0)->base[slot]);
	sweep();
	assert_int_equal(l4_record_state(records[0].what), L4_RECORD_CLOSING);
}

/* The longest time-out of the services that use it. */
static void test_idle_of_a_pool(void **state)
{
	(void)state;
	services[0].track_all = true;
	services[1] = services[0];
	services[1].idle_s = 100; /* 94 units */
	publish();
	record(0, L4_RECORD_LIVE, POOL, 1, 1);
	later(94);
	sweep();
	assert_false(is_empty(0));
	later(1);
	sweep();
	assert_true(is_empty(0));
}

/* Until packets go by a shorter one, flows are alive for as long as before. */
static void test_idle_is_as_published(void **state)
{
	(void)state;
	services[0].track_all = true;
	publish();
	record(0, L4_RECORD_LIVE, POOL, 1, 1);
	later(IDLE);
	services[0].idle_s = 1;
	services[0].track_all = false;
	update();
	tracker_unpublished(t);
	sweep();
	assert_false(is_empty(0));
	publish();
	sweep();
	assert_true(is_empty(0));
}

/* Records are judged by what packets go by, not by what is to come. */
static void test_a_server_is_down_once_that_is_published(void **state)
{
	(void)state;
	services[0].track_all = true;
	publish();
	record(0, L4_RECORD_LIVE, POOL, 1, 1);
	members[0].serves = false;
	update();
	sweep();
	assert_false(is_empty(0));
	tracker_published(t);
	sweep();
	assert_true(is_empty(0));
}

/* While a change cannot be published packets leave no records: the wait begins when they do. */
static void test_failed_publish(void **state)
{
	(void)state;
	publish();
	members[0].weight = 0;
	update();
	assert_true(tracker_is_dirty(t));
	tracker_unpublished(t);
	assert_false(tracker_is_dirty(t));
	later(WAIT + 1);
	sweep();
	publish();
	assert_int_equal(table(0)->since[slot_based(0, 1)], now);
	later(WAIT);
	sweep();
	assert_false(tracker_is_dirty(t));
	later(1);
	sweep();
	assert_true(tracker_is_dirty(t));
}

/* A change that is refused has never been: packets went to the server all the time, and go on to do so, with no record. */
static void test_refused_change(void **state)
{
	uint16_t before[512];

	(void)state;
	publish();
	assert_int_equal(table(0)->n, 512);
	memcpy(before, table(0)->owner, sizeof before);
	members[0].weight = 0;
	members[0].serves = false;
	update();
	tracker_unpublished(t);
	members[0].weight = 1;
	members[0].serves = true;
	publish();
	assert_memory_equal(table(0)->owner, before, sizeof before);
	assert_int_equal(table(0)->n_tracked, 0);
}

/* What a sweep has found may no longer be so when it is published at last. */
static void test_refused_rebase(void **state)
{
	uint32_t n;

	(void)state;
	publish();
	n = owned(0, 1);
	members[0].weight = 0;
	publish();
	later(WAIT + 1);
	sweep();
	assert_true(tracker_is_dirty(t));
	update();
	tracker_unpublished(t);
	assert_false(tracker_is_dirty(t));
	publish();
	assert_int_equal(based(0, 1), n);
	tracker_forgotten(t, 1, now); /* a record was evicted */
	sweep();
	assert_false(tracker_is_dirty(t));
	later(WAIT);
	tracker_forgotten(t, 1, now);
	sweep();
	assert_false(tracker_is_dirty(t));
	later(1);
	sweep();
	assert_true(tracker_is_dirty(t));
	publish();
	assert_int_equal(based(0, 1), 0);
}

/* A server that came, with more slots, and could not be published. */
static void test_refused_growth(void **state)
{
	(void)state;
	pools[0].n_members = 2;
	publish();
	assert_int_equal(table(0)->n, 256);
	pools[0].n_members = 3;
	update();
	assert_int_equal(table(0)->n, 512);
	tracker_unpublished(t);
	pools[0].n_members = 2;
	update();
	assert_false(tracker_is_dirty(t));
	assert_int_equal(table(0)->n, 256);
	assert_int_equal(table(0)->n_tracked, 0);
	sweep();
	assert_false(tracker_is_dirty(t));
}

/* A change in the midst of a sweep: what the sweep has seen before says nothing of the new owners. */
static void test_change_during_a_sweep(void **state)
{
	uint32_t slot;

	(void)state;
	publish();
	members[0].weight = 0;
	publish();
	slot = slot_based(0, 1);
	later(WAIT + 1);
	sweep();
	publish();
	record(0, L4_RECORD_LIVE, POOL, slot, table(0)->owner[slot]);
	tracker_sweep_begin(t);
	tracker_sweep_part(t, records, RECORDS / 2, now);
	members[0].weight = 1;
	publish();
	assert_int_equal(table(0)->owner[slot], 1);
	tracker_sweep_part(t, records + RECORDS / 2, RECORDS / 2, now);
	tracker_sweep_end(t, now);
	update();
	assert_int_not_equal(table(0)->base[slot], SETTLED);
	assert_int_not_equal(table(0)->base[slot], 1);
}

/* Another pool's change does not keep this one from settling. */
static void test_pools_settle_by_themselves(void **state)
{
	(void)state;
	publish();
	members[0].weight = 0;
	publish();
	later(WAIT + 1);
	sweep();
	publish();
	tracker_sweep_begin(t);
	members[3].weight = 0;
	publish();
	tracker_sweep_part(t, records, RECORDS, now);
	tracker_sweep_end(t, now);
	publish();
	assert_int_equal(table(0)->n_tracked, 0);
	assert_true(table(1)->n_tracked > 0);
}

/* The low bits of a flow's hash choose its slot: each slot of the larger table is what its low bits had been. */
static void test_growth(void **state)
{
	uint16_t before[MAGLEV_MIN_SLOTS];
	uint32_t n;

	(void)state;
	pools[0].n_members = 2;
	pools[1].n_members = 0;
	in.n_members = 3;
	publish();
	n = table(0)->n;
	assert_int_equal(n, MAGLEV_MIN_SLOTS);
	memcpy(before, table(0)->owner, sizeof before);
	pools[0].n_members = 3;
	publish();
	assert_int_equal(table(0)->n, 2 * n);
	assert_true(owned(0, 3) > 2 * n / 4);
	for (uint32_t i = 0; i < 2 * n; i++) {
		if (table(0)->owner[i] == before[i % n])
			assert_int_equal(table(0)->base[i], SETTLED);
		else
			assert_int_equal(table(0)->base[i], before[i % n]);
	}
}

static void test_shrinking(void **state)
{
	uint32_t n;

	(void)state;
	publish();
	n = table(0)->n;
	pools[0].n_members = 2; /* the third leaves, with its flows */
	publish();
	assert_int_equal(table(0)->n, n);
	for (int i = 0; i < 4; i++) {
		later(WAIT + 1);
		sweep();
		publish();
	}
	assert_int_equal(table(0)->n, n / 2);
	assert_int_equal(table(0)->n_tracked, 0);
	assert_int_equal(owned(0, 1) + owned(0, 2), n / 2);
	sweep();
	assert_false(tracker_is_dirty(t));
}

static void test_a_pool_that_leaves(void **state)
{
	(void)state;
	services[1].track_all = true;
	publish();
	record(0, L4_RECORD_LIVE, OTHER, 1, 4);
	in.n_pools = 1;
	in.n_services = 1;
	update();
	sweep();
	assert_false(is_empty(0)); /* packets still go to it */
	tracker_published(t);
	sweep();
	assert_true(is_empty(0));
	assert_int_equal(tracker_tracking(t)->pools[OTHER].slots, 0);
	assert_int_equal(tracker_tracking(t)->servers[4].slots, 0);
}

/* What a former process published, as its successor reads it back. */
static void test_restore(void **state)
{
	struct snapshot_slots before;
	struct tracker *next = tracker_new();
	uint16_t began = now, *copy;
	size_t size;

	(void)state;
	assert_non_null(next);
	publish();
	members[0].weight = 0;
	publish();
	before = *table(0);
	size = before.n * sizeof *copy;
	copy = malloc(3 * size);
	assert_non_null(copy);
	memcpy(copy, before.owner, size);
	memcpy(copy + before.n, before.base, size);
	memcpy(copy + 2 * before.n, before.since, size);
	assert_int_equal(
		tracker_restore(next, POOL, before.n, before.owner, before.base, before.since), 0);
	tracker_free(t);
	t = next;
	later(5);
	update();
	assert_true(tracker_is_dirty(t));
	assert_memory_equal(table(0)->owner, copy, size);
	assert_memory_equal(table(0)->base, copy + before.n, size);
	for (uint32_t i = 0; i < before.n; i++)
		if (copy[before.n + i] != SETTLED)
			assert_int_equal(table(0)->since[i], began);
	assert_int_equal(table(0)->n_tracked, before.n_tracked);
	tracker_published(t);
	now = (uint16_t)(began + WAIT + 1);
	sweep();
	publish();
	assert_int_equal(based(0, 1), 0);
	free(copy);
}

/* The restart has brought other weights: the tables go on from what was published. */
static void test_restore_and_change(void **state)
{
	uint16_t owner[512], base[512], since[512] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 512; i++) {
		owner[i] = 2;
		base[i] = i % 2 ? SETTLED : 3;
	}
	base[0] = 88; /* of a server that is gone */
	assert_int_equal(tracker_restore(t, POOL, 512, owner, base, since), 0);
	update();
	for (unsigned i = 0; i < 512; i++) {
		uint16_t now_owned = table(0)->owner[i], was = table(0)->base[i];

		if (!i)
			assert_int_equal(was, now_owned);
		else if (i % 2)
			assert_int_equal(was, now_owned == 2 ? SETTLED : 2);
		else
			assert_int_equal(was, 3);
	}
}

static void test_restore_refuses(void **state)
{
	uint16_t *plane = calloc(MAGLEV_MAX_SLOTS, sizeof *plane);

	(void)state;
	assert_non_null(plane);
	assert_int_equal(tracker_restore(t, POOL, 0, plane, plane, plane), -EINVAL);
	assert_int_equal(tracker_restore(t, POOL, 128, plane, plane, plane), -EINVAL);
	assert_int_equal(tracker_restore(t, POOL, 768, plane, plane, plane), -EINVAL);
	assert_int_equal(
		tracker_restore(t, POOL, 2 * MAGLEV_MAX_SLOTS, plane, plane, plane), -EINVAL);
	assert_int_equal(tracker_restore(t, POOL, 256, plane, plane, plane), 0);
	assert_int_equal(tracker_restore(t, POOL, 256, plane, plane, plane), -EINVAL);
	free(plane);
}

static void test_services_that_record_everything(void **state)
{
	(void)state;
	services[1].track_all = true;
	publish();
	sweep();
	assert_true(tracker_is_busy(t));
	services[1].track_all = false;
	publish();
	assert_false(tracker_is_busy(t));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_tables_are_settled),
		TEST(test_drain),
		TEST(test_down_and_return),
		TEST(test_base_fails),
		TEST(test_weight),
		TEST(test_rebase_and_settle),
		TEST(test_a_sweep_that_began_before_the_publish_settles_nothing),
		TEST(test_what_is_not_published_is_not_settled),
		TEST(test_a_live_record_of_another_server_holds_its_slot),
		TEST(test_counts),
		TEST(test_void_records_are_cleared),
		TEST(test_records_that_settled_slots_left_behind),
		TEST(test_a_closing_record_that_was_left_behind),
		TEST(test_idle_of_a_pool),
		TEST(test_idle_is_as_published),
		TEST(test_a_server_is_down_once_that_is_published),
		TEST(test_failed_publish),
		TEST(test_refused_change),
		TEST(test_refused_rebase),
		TEST(test_refused_growth),
		TEST(test_change_during_a_sweep),
		TEST(test_pools_settle_by_themselves),
		TEST(test_growth),
		TEST(test_shrinking),
		TEST(test_a_pool_that_leaves),
		TEST(test_restore),
		TEST(test_restore_and_change),
		TEST(test_restore_refuses),
		TEST(test_services_that_record_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
