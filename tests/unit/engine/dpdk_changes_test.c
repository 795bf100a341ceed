/* SPDX-License-Identifier: BSD-2-Clause */
/* What an engine in another process says that it has changed about devices: it is asked when that may be another list, and what cannot be
 * is not believed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/unit/engine/dpdk_bed.h"

static struct protocol_change mac(unsigned i)
{
	struct protocol_change c = { .ifindex = BED_IFINDEX, .kind = PROTOCOL_MAC };

	snprintf(c.what, sizeof c.what, "02:00:00:00:00:%02x", i);
	return c;
}

static size_t count(void)
{
	size_t n;

	engine_changes(bed.engine, &n);
	return n;
}

static bool is_change(size_t i, enum engine_change_kind kind, const char *what)
{
	size_t n;
	const struct engine_change *c = engine_changes(bed.engine, &n) + i;

	return i < n && c->kind == kind && c->ifindex == BED_IFINDEX && !strcmp(c->what, what);
}

static void publish(void)
{
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(bed_state(), ENGINE_SERVING);
}

static void test_each_kind(void **state)
{
	struct protocol_changes *l = &bed.fake.changes[0];

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	assert_int_equal(count(), 0);
	l->list[0] = (struct protocol_change){ BED_IFINDEX, PROTOCOL_OFFLOAD, "rx-gro" };
	l->list[1] = mac(1);
	l->list[2] = (struct protocol_change){ BED_IFINDEX, PROTOCOL_ALL_FRAMES, "" };
	l->list[3] = (struct protocol_change){ BED_IFINDEX, PROTOCOL_ALL_GROUPS, "" };
	l->n = 4;
	publish();
	assert_int_equal(count(), 4);
	assert_true(is_change(0, ENGINE_OFFLOAD, "rx-gro"));
	assert_true(is_change(1, ENGINE_MAC, "02:00:00:00:00:01"));
	assert_true(is_change(2, ENGINE_ALL_FRAMES, ""));
	assert_true(is_change(3, ENGINE_ALL_GROUPS, ""));
	l->n = 1;
	publish();
	assert_int_equal(count(), 1);
}

static void test_parts(void **state)
{
	struct protocol_changes *l = bed.fake.changes;
	struct fake_asked a;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	for (unsigned i = 0; i < PROTOCOL_LIST; i++)
		l[0].list[i] = mac(i);
	l[0].n = PROTOCOL_LIST;
	l[0].more = 1;
	l[1].list[0] = mac(0xfe);
	l[1].n = 1;
	publish();
	assert_int_equal(count(), PROTOCOL_LIST + 1);
	assert_true(is_change(PROTOCOL_LIST, ENGINE_MAC, "02:00:00:00:00:fe"));
	assert_int_equal(fake_count(&bed.fake, PROTOCOL_CHANGES), 2);
	assert_true(fake_asked(&bed.fake, PROTOCOL_CHANGES, 1, &a));
	assert_int_equal(a.first, PROTOCOL_LIST);
}

/* Packets are served all the same. */
static void assert_not_believed(void)
{
	publish();
	assert_int_equal(count(), 0);
}

static void test_what_cannot_be(void **state)
{
	struct protocol_changes *l = bed.fake.changes;

	(void)state;
	assert_int_equal(bed_open(NULL), 0);
	l->n = PROTOCOL_LIST + 1;
	assert_not_believed();
	l->n = UINT32_MAX;
	assert_not_believed();
	l->n = 2;
	l->list[0] = l->list[1] = mac(1);
	l->list[1].kind = PROTOCOL_ALL_GROUPS + 1;
	assert_not_believed();
	l->list[1] = mac(1);
	memset(l->list[1].what, 'x', sizeof l->list[1].what);
	assert_not_believed();
	l->list[1] = mac(1);
	l->n = 0;
	l->more = 1;
	assert_not_believed();
	l->n = 2; /* for ever */
	l[1] = l[0];
	assert_not_believed();
	l->more = 0;
	publish();
	assert_int_equal(count(), 2);
	bed.fake.refusal = -EOPNOTSUPP;
	fake_set_fault(&bed.fake, FAKE_REFUSES, PROTOCOL_CHANGES, 1);
	assert_not_believed();
}

/* An answer that is none ends the connection, as any other does. */
static void test_an_answer_that_is_cut_short(void **state)
{
	(void)state;
	bed.fake.changes[0].list[0] = mac(1);
	bed.fake.changes[0].n = 1;
	assert_int_equal(bed_open(bed.base), 0);
	fake_set_fault(&bed.fake, FAKE_SHORT, PROTOCOL_CHANGES, 1);
	assert_int_equal(bed_publish(1, 1, 0), 0);
	assert_int_equal(bed_state(), ENGINE_GONE);
	assert_int_equal(count(), 0);
}

static bool has_two(void)
{
	return count() == 2;
}

/* The next process may have others; until then they are those of the former. */
static void test_an_engine_returns(void **state)
{
	struct protocol_changes *l = bed.fake.changes;

	(void)state;
	l->list[0] = mac(1);
	l->n = 1;
	assert_int_equal(bed_open(bed.base), 0);
	publish();
	fake_stop(&bed.fake);
	fake_forget(&bed.fake);
	bed_loop_ms(20);
	assert_int_equal(bed_state(), ENGINE_GONE);
	assert_int_equal(count(), 1);
	l->list[1] = mac(2);
	l->n = 2;
	fake_start(&bed.fake, bed.dir);
	assert_true(bed_loop_until(has_two));
	assert_int_equal(bed_state(), ENGINE_SERVING);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_kind),
		TEST(test_parts),
		TEST(test_what_cannot_be),
		TEST(test_an_answer_that_is_cut_short),
		TEST(test_an_engine_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
