/* SPDX-License-Identifier: BSD-2-Clause */
/* What one engine knows of flows, in the tables of another: found there by the same hashes, in tables of the same size, smaller and larger
 * ones, and beside what is there already. */
#include <stdlib.h>
#include <string.h>
#include "controlplane/engine/carry_tables.h"
#include "tests/unit/test.h"

enum { BITS = 6, FLOWS = 200, POOL = 3, NOW = 1000 };

/* Well spread, and always the same. */
static uint64_t hash_of(uint32_t flow)
{
	uint64_t x = (flow + 1) * 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static void *table(uint32_t bits, size_t bucket)
{
	void *t = calloc((size_t)1 << bits, bucket);

	assert_non_null(t);
	return t;
}

static struct carry_sizes sizes(uint32_t to_bits, uint32_t from_bits)
{
	return (struct carry_sizes){ 1u << to_bits, 1u << from_bits, NOW };
}

/* False: its bucket is full. */
static bool enter(struct l4_record_bucket *t, uint32_t bits, uint32_t flow, uint8_t state,
	uint16_t seen, uint16_t server)
{
	uint64_t hash = hash_of(flow), mark = l4_record_mark(hash, POOL);
	struct l4_record_bucket *b = &t[hash >> (64 - bits)];

	for (unsigned i = 0; i < L4_BUCKET_RECORDS; i++) {
		if (b->records[i].what)
			continue;
		b->records[i].who = l4_record_who(hash, flow);
		b->records[i].what = l4_record_what(mark, state, false, seen, server);
		return true;
	}
	return false;
}

/* The server that the flow's record names; 0: it has none. */
static uint16_t server_of(struct l4_record_bucket *t, uint32_t bits, uint32_t flow)
{
	uint64_t hash = hash_of(flow);
	struct l4_found found = l4_record_find(&t[hash >> (64 - bits)], hash, POOL);

	return found.at ? l4_record_server(found.what) : 0;
}

/* Every flow that could be entered, with a server of its own. Returns how many. */
static uint32_t fill(struct l4_record_bucket *t, uint32_t bits)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < FLOWS; i++)
		n += enter(t, bits, i, L4_RECORD_LIVE, NOW - 1, (uint16_t)(i + 1));
	return n;
}

static uint32_t count(struct l4_record_bucket *t, uint32_t bits)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < FLOWS; i++)
		n += server_of(t, bits, i) == i + 1;
	return n;
}

static void a_table_of_the_same_size_becomes_the_same(void **state)
{
	struct l4_record_bucket *from = table(BITS, sizeof *from), *to = table(BITS, sizeof *to);
	uint32_t n = fill(from, BITS);
	struct carried c;

	(void)state;
	enter(to, BITS, FLOWS, L4_RECORD_LIVE, NOW, 7); /* of long ago */
	c = carry_records(to, from, sizes(BITS, BITS));
	assert_int_equal(c.flows, n);
	assert_int_equal(c.lost, 0);
	assert_memory_equal(to, from, sizeof *from << BITS);
	/* What has changed since, and what has been taken by another flow, follows. */
	from[0] = (struct l4_record_bucket){ 0 };
	from[1].records[2].what ^= 1ull << L4_RECORD_SERVER_AT;
	carry_records(to, from, sizes(BITS, BITS));
	assert_memory_equal(to, from, sizeof *from << BITS);
	free(from);
	free(to);
}

static void a_full_table_loses_nothing(void **state)
{
	struct l4_record_bucket *from = table(1, sizeof *from), *to = table(1, sizeof *to);
	uint32_t n = fill(from, 1);
	struct carried c = carry_records(to, from, sizes(1, 1));

	(void)state;
	assert_int_equal(n, 2 * L4_BUCKET_RECORDS);
	assert_int_equal(c.flows, n);
	assert_int_equal(count(to, 1), n);
	free(from);
	free(to);
}

/* The bits of the hash that a record does not have are tried. */
static void flows_are_found_in_a_larger_table(void **state)
{
	struct l4_record_bucket *from = table(BITS, sizeof *from),
				*to = table(BITS + 3, sizeof *to);
	uint32_t n = fill(from, BITS);
	struct carried c;

	(void)state;
	enter(to, BITS + 3, 0, L4_RECORD_LIVE, NOW, 999);
	c = carry_records(to, from, sizes(BITS + 3, BITS));
	assert_int_equal(c.flows, n);
	assert_int_equal(c.lost, 0);
	assert_int_equal(count(to, BITS + 3), n);
	free(from);
	free(to);
}

static void flows_are_found_in_a_smaller_table(void **state)
{
	struct l4_record_bucket *from = table(BITS + 2, sizeof *from),
				*to = table(BITS, sizeof *to);
	uint32_t n = 0;
	struct carried c;

	(void)state;
	for (uint32_t i = 0; i < FLOWS / 4; i++)
		n += enter(from, BITS + 2, i, L4_RECORD_LIVE, NOW - 1, (uint16_t)(i + 1));
	c = carry_records(to, from, sizes(BITS, BITS + 2));
	assert_int_equal(c.flows, n);
	assert_int_equal(count(to, BITS), n);
	free(from);
	free(to);
}

/* Eight buckets become one: what is worth least gives way, whatever the order. */
static void the_dearest_stay_where_there_is_no_room(void **state)
{
	struct l4_record_bucket *from = table(3, sizeof *from), *to = table(1, sizeof *to);
	uint32_t live = 0, wanted = 0;
	struct carried c;

	(void)state;
	for (uint32_t i = 0; i < FLOWS; i++)
		enter(from, 3, i, i % 2 ? L4_RECORD_EMBRYONIC : L4_RECORD_LIVE, (uint16_t)(NOW - i),
			(uint16_t)(i + 1));
	c = carry_records(to, from, sizes(1, 3));
	assert_int_equal(c.flows + c.lost, 8 * L4_BUCKET_RECORDS);
	assert_int_equal(c.flows, 2 * L4_BUCKET_RECORDS);
	for (uint32_t i = 0; i < FLOWS; i += 2)
		wanted += server_of(from, 3, i) != 0;
	for (unsigned i = 0; i < 2 * L4_BUCKET_RECORDS; i++)
		live += l4_record_state(to[i / 4].records[i % 4].what) == L4_RECORD_LIVE;
	assert_true(wanted > 2 * L4_BUCKET_RECORDS);
	assert_int_equal(live, 2 * L4_BUCKET_RECORDS);
	free(from);
	free(to);
}

/* Those that a larger table had besides have grown old. */
static void copies_of_a_record_become_one(void **state)
{
	struct l4_record_bucket *small = table(BITS, sizeof *small),
				*large = table(BITS + 2, sizeof *large);

	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		assert_true(enter(small, BITS, i, L4_RECORD_LIVE, NOW - 5, 10));
	carry_records(large, small, sizes(BITS + 2, BITS));
	for (uint32_t i = 0; i < 16; i++) {
		uint64_t hash = hash_of(i);
		struct l4_found found = l4_record_find(&large[hash >> (64 - BITS - 2)], hash, POOL);

		assert_non_null(found.at);
		found.at->what = l4_record_what(
			l4_record_mark(hash, POOL), L4_RECORD_LIVE, false, NOW - 1, 20);
	}
	assert_int_equal(carry_records(small, large, sizes(BITS, BITS + 2)).lost, 0);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(server_of(small, BITS, i), 20);
	free(small);
	free(large);
}

/* Another process that died in the middle of one has left it. */
static void entries_that_are_being_written_are_left_out(void **state)
{
	struct l4_record_bucket *from = table(BITS, sizeof *from), *to = table(BITS, sizeof *to);
	struct carried c;

	(void)state;
	from[5].records[1] = (struct l4_record){ 1, L4_RECORD_BUSY };
	c = carry_records(to, from, sizes(BITS, BITS));
	assert_int_equal(c.flows, 0);
	assert_int_equal(to[5].records[1].what, 0);
	free(from);
	free(to);
}

static struct l4_proxied connection(uint32_t flow, uint16_t seen)
{
	return (struct l4_proxied){ .who = hash_of(flow),
		.what = l4_proxied_seen(5ull << L4_PROXIED_SERVICE_AT, L4_PROXIED_OPEN, seen),
		.shift = flow,
		.isn = flow + 1,
		.idle = 100 };
}

static void connections_are_found(uint32_t to_bits, uint32_t from_bits)
{
	struct l4_proxied_bucket *from = table(from_bits, sizeof *from),
				 *to = table(to_bits, sizeof *to);
	struct carried c;

	for (uint32_t i = 0; i < FLOWS / 8; i++) {
		struct l4_proxied p = connection(i, i ? NOW - 1 : NOW - 101);

		assert_true(l4_proxied_begin(&from[p.who >> (64 - from_bits)], &p, NOW - 1));
	}
	c = carry_proxied(to, from, sizes(to_bits, from_bits));
	assert_int_equal(c.flows, FLOWS / 8 - 1);
	assert_int_equal(c.lost, 0);
	for (uint32_t i = 0; i < FLOWS / 8; i++) {
		uint64_t hash = hash_of(i);
		struct l4_proxied_found found =
			l4_proxied_find(&to[hash >> (64 - to_bits)], hash, NOW);

		assert_int_equal(found.at != NULL, i > 0);
		assert_int_equal(found.shift, i);
		assert_int_equal(found.isn, i ? i + 1 : 0);
	}
	free(from);
	free(to);
}

static void connections_of_cookies_are_found_too(void **state)
{
	(void)state;
	connections_are_found(BITS, BITS);
	connections_are_found(BITS + 2, BITS);
	connections_are_found(BITS, BITS + 2);
}

static void datagrams_go_on_where_they_were(void **state)
{
	struct l4_datagram_bucket *from = table(2, sizeof *from), *to = table(2, sizeof *to);
	uint64_t young = l4_datagram_what(17, NOW - 1, 4, 5), old = l4_datagram_what(17, 9, 4, 5);
	uint64_t what;

	(void)state;
	from[1].datagrams[2] = (struct l4_record){ 77, young };
	from[1].parts[2].got = 12;
	from[1].parts[2].units[3] = 0xff;
	from[3].datagrams[0] = (struct l4_record){ 78, old };
	to[3].datagrams[0] = (struct l4_record){ 79, young };
	carry_datagrams(to, from, sizes(2, 2));
	assert_int_equal(l4_datagram_find(&to[1], 77, NOW, &what), 2);
	assert_memory_equal(&to[1].parts[2], &from[1].parts[2], sizeof to[1].parts[2]);
	assert_int_equal(to[3].datagrams[0].what, 0);
	free(from);
	free(to);
}

static void floods_go_on(void **state)
{
	struct l4_flood from[3] = {
		[1] = { .seen = 1, .begun = 9, .ended = 4 }, [2] = { .seen = 1 }
	};
	struct l4_flood to[2] = { { .seen = 1 }, { .seen = 0 } };

	(void)state;
	carry_floods(to, from, (struct carry_sizes){ 2, 3, NOW });
	assert_memory_equal(to, from, sizeof to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_of_the_same_size_becomes_the_same),
		cmocka_unit_test(a_full_table_loses_nothing),
		cmocka_unit_test(flows_are_found_in_a_larger_table),
		cmocka_unit_test(flows_are_found_in_a_smaller_table),
		cmocka_unit_test(the_dearest_stay_where_there_is_no_room),
		cmocka_unit_test(copies_of_a_record_become_one),
		cmocka_unit_test(entries_that_are_being_written_are_left_out),
		cmocka_unit_test(connections_of_cookies_are_found_too),
		cmocka_unit_test(datagrams_go_on_where_they_were),
		cmocka_unit_test(floods_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
