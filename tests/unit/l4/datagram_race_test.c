/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments that several threads take at once. */
#include "tests/unit/l4/race.h"
#include "dataplane/l4/datagram.h"

enum {
	THREADS = 4,
	BUCKETS = 2,
	TOGETHER = BUCKETS * L4_BUCKET_DATAGRAMS, /* as many as there is room for */
	PARTS = 2000,
	PART_UNITS = 3, /* some lie in two words */
	ROUNDS = 400,
	CROWD = 32, /* datagrams, more than there is room for */
	TURNS = 3000000,
	NOW = 9,
};

static struct l4_datagram_bucket buckets[BUCKETS];
static struct racer threads[THREADS];
static pthread_barrier_t barrier;
static _Atomic unsigned taken[TOGETHER][PARTS];

/* All that a record holds follows from its datagram. Neighbours differ in one part of the hash only. */
static uint64_t who_of(uint32_t datagram)
{
	return (uint64_t)(datagram & 1) << 63 | (uint64_t)(datagram >> 1 & 3) << 32 | datagram >> 3;
}

static struct l4_datagram_bucket *bucket_of(uint32_t datagram)
{
	return &buckets[who_of(datagram) >> 63];
}

static uint64_t what_of(uint32_t datagram, uint32_t turn)
{
	return l4_datagram_what((uint8_t)(6 + datagram), (uint16_t)(NOW + turn % 3),
		(uint16_t)(1000 + datagram), (uint16_t)~datagram);
}

/* But for its time. */
static bool is_of(uint64_t what, uint32_t datagram)
{
	const uint64_t time = (uint64_t)0xffff << L4_DATAGRAM_TIME_AT;

	return (what & ~time) == (what_of(datagram, 0) & ~time);
}

static void take(struct racer *t, uint32_t datagram, uint32_t i)
{
	const struct l4_part part = { i * PART_UNITS, PART_UNITS, i == PARTS - 1 };
	struct l4_datagram_bucket *b = bucket_of(datagram);
	uint64_t what = 0;
	uint32_t at = l4_datagram_find(b, who_of(datagram), NOW, &what);

	if (at == L4_BUCKET_DATAGRAMS)
		return; /* others have taken all of it */
	t->found++;
	t->wrong += !is_of(what, datagram);
	if (l4_datagram_take(b, at, what, part))
		taken[datagram][i]++;
}

static void *take_all(void *arg)
{
	struct racer *t = arg;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&barrier);
		/* Side by side, so that they come to the same words at once. */
		for (uint32_t i = 0; i < TOGETHER * PARTS; i++)
			take(t, i / PARTS, (i % PARTS) ^ (uint32_t)(t - threads));
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void begin_all(void)
{
	for (uint32_t datagram = 0; datagram < TOGETHER; datagram++) {
		assert_int_not_equal(l4_datagram_begin(bucket_of(datagram), who_of(datagram),
					     what_of(datagram, 0), NOW),
			L4_BUCKET_DATAGRAMS);
		for (unsigned i = 0; i < PARTS; i++)
			taken[datagram][i] = 0;
	}
}

static void assert_all_taken_once(void)
{
	for (unsigned datagram = 0; datagram < TOGETHER; datagram++)
		for (unsigned i = 0; i < PARTS; i++)
			assert_int_equal(taken[datagram][i], 1);
	for (unsigned i = 0; i < TOGETHER; i++)
		assert_int_equal(l4_datagram_state(buckets[i / L4_BUCKET_DATAGRAMS]
							   .datagrams[i % L4_BUCKET_DATAGRAMS]
							   .what),
			L4_DATAGRAM_EMPTY);
}

/* Each part comes to all threads, and one of them takes it; with the last, the record is given back. */
static void each_part_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
	race_start(threads, THREADS, take_all);
	for (unsigned round = 0; round < ROUNDS; round++) {
		begin_all();
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		assert_all_taken_once();
	}
	race_join(threads, THREADS);
	pthread_barrier_destroy(&barrier);
}

static void *crowd(void *arg)
{
	struct racer *t = arg;

	for (uint32_t turn = 0; turn < TURNS; turn++) {
		uint32_t datagram = draw(t, CROWD), from = draw(t, 100);
		struct l4_datagram_bucket *b = bucket_of(datagram);
		uint64_t what = 0;
		uint32_t at = l4_datagram_find(b, who_of(datagram), NOW + 2, &what);

		if (at == L4_BUCKET_DATAGRAMS) {
			l4_datagram_begin(b, who_of(datagram), what_of(datagram, turn), NOW + 2);
			continue;
		}
		t->found++;
		t->wrong += !is_of(what, datagram);
		l4_datagram_take(b, at, what, (struct l4_part){ from, 1, from > 90 });
	}
	return NULL;
}

/* While they drive each other out. */
static void nobody_finds_anothers_ports(void **state)
{
	(void)state;
	race_start(threads, THREADS, crowd);
	race_join(threads, THREADS);
	for (unsigned i = 0; i < TOGETHER; i++)
		assert_int_not_equal(l4_datagram_state(buckets[i / L4_BUCKET_DATAGRAMS]
							       .datagrams[i % L4_BUCKET_DATAGRAMS]
							       .what),
			L4_DATAGRAM_BUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_is_taken_once),
		cmocka_unit_test(nobody_finds_anothers_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
