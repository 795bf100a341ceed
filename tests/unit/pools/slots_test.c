/* SPDX-License-Identifier: BSD-2-Clause */
/* Every change of a slot's state. */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/slots.h"
#include "dataplane/snapshot/maglev.h"

enum { N = MAGLEV_MIN_SLOTS, A = 1, B = 2, C = 3, SERVERS = 8, SETTLED = SNAPSHOT_SETTLED };
/* What slots.c grants beyond the idle time-out: the units in which it begins and ends, and a packet's own. */
enum { SLACK = 3 };

static bool serves[SERVERS];
static struct slots *s;

static int setup(void **state)
{
	(void)state;
	for (unsigned i = 1; i < SERVERS; i++)
		serves[i] = true;
	s = slots_new(N);
	return !s;
}

static int teardown(void **state)
{
	(void)state;
	slots_free(s);
	return 0;
}

/* All slots to one server. */
static bool give(uint16_t server, uint16_t now)
{
	uint16_t owners[2 * N];

	for (uint32_t i = 0; i < s->view.n; i++)
		owners[i] = server;
	return slots_assign(s, owners, serves, now);
}

static void check(uint32_t slot, uint16_t owner, uint16_t base, uint16_t since)
{
	assert_int_equal(s->view.owner[slot], owner);
	assert_int_equal(s->view.base[slot], base);
	if (base != SETTLED)
		assert_int_equal(s->view.since[slot], since);
}

static void check_all(uint16_t owner, uint16_t base, uint16_t since)
{
	for (uint32_t i = 0; i < s->view.n; i++)
		check(i, owner, base, since);
	assert_int_equal(s->view.n_tracked, base == SETTLED ? 0 : s->view.n);
}

static void test_new(void **state)
{
	(void)state;
	assert_int_equal(s->view.n, N);
	check_all(0, SETTLED, 0);
}

/* Who had nobody leaves no flows behind. */
static void test_first_owner(void **state)
{
	(void)state;
	assert_true(give(A, 10));
	check_all(A, SETTLED, 0);
	assert_false(give(A, 11));
}

static void test_another_owner(void **state)
{
	(void)state;
	give(A, 10);
	assert_true(give(B, 20));
	check_all(B, A, 20);
}

static void test_only_what_changes_is_tracked(void **state)
{
	uint16_t owners[N];

	(void)state;
	give(A, 10);
	memcpy(owners, s->owner, sizeof owners);
	owners[7] = B;
	assert_true(slots_assign(s, owners, serves, 20));
	check(6, A, SETTLED, 0);
	check(7, B, A, 20);
	assert_int_equal(s->view.n_tracked, 1);
}

/* Its flows are lost, but records that name it stay until the next sweep, and it may be back before. */
static void test_former_owner_that_serves_no_flows(void **state)
{
	(void)state;
	give(A, 10);
	serves[A] = false;
	assert_true(give(B, 20));
	check_all(B, B, 20);
	slots_settle(s);
	check_all(B, SETTLED, 0);
}

static void test_nobody_after_a_failure(void **state)
{
	(void)state;
	give(A, 10);
	serves[A] = false;
	assert_true(give(0, 20));
	check_all(0, 0, 20);
	assert_true(give(B, 30));
	check_all(B, 0, 20);
	assert_true(slots_drop_bases(s, serves));
	check_all(B, B, 20);
}

/* Which records may be of before the slot was settled. */
static void test_late_records(void **state)
{
	struct slots *to;

	(void)state;
	give(A, 10);
	give(B, 20);
	slots_rebase(s, 200, 100);
	assert_false(slots_is_late_record(s, 3, B));
	slots_see_record(s, 4, A);
	slots_settle(s);
	assert_true(slots_is_idle_record(s, 3, B));
	assert_false(slots_is_idle_record(s, 3, A));
	assert_false(slots_is_idle_record(s, 4, B)); /* still tracked */
	give(C, 300);
	assert_false(slots_is_idle_record(s, 3, B));
	assert_true(slots_is_late_record(s, N + 3, B));
	assert_false(slots_is_late_record(s, 3, C));
	assert_false(slots_is_late_record(s, 4, B));
	to = slots_resize(s, 2 * N);
	assert_non_null(to);
	assert_true(slots_is_late_record(to, N + 3, B));
	slots_free(to);
	to = slots_copy(s);
	assert_non_null(to);
	assert_true(slots_is_late_record(to, 3, B));
	slots_free(to);
	slots_clear_left(s);
	assert_false(slots_is_late_record(s, 3, B));
	slots_leave(s);
	assert_true(slots_is_late_record(s, 4, B));
}

static void test_nobody_left(void **state)
{
	(void)state;
	give(A, 10);
	assert_true(give(0, 20));
	check_all(0, A, 20);
	assert_true(give(B, 30));
	check_all(B, A, 20);
}

/* A slot that changes hands again while tracked changes its owner only. */
static void test_tracked_slot_changes_hands(void **state)
{
	(void)state;
	give(A, 10);
	give(B, 20);
	assert_true(give(C, 30));
	check_all(C, A, 20);
}

static void test_back_and_forth(void **state)
{
	(void)state;
	give(A, 10);
	give(B, 20);
	assert_true(give(A, 30));
	check_all(A, A, 20);
	assert_false(slots_rebase(s, 10000, 5)); /* there is no other base to wait for */
	check_all(A, A, 20);
}

static void test_rebase_exactly(void **state)
{
	(void)state;
	give(A, 10);
	give(B, 65530);
	assert_false(slots_rebase(s, 65530, 100));
	assert_false(slots_rebase(s, (uint16_t)(65530 + 100 + SLACK), 100));
	check_all(B, A, 65530);
	assert_true(slots_rebase(s, (uint16_t)(65530 + 100 + SLACK + 1), 100));
	check_all(B, B, (uint16_t)(65530 + 100 + SLACK + 1));
}

/* Flows of the owner between may live on: one more wait for them, as for those before. */
static void test_rebased_slot_changes_hands(void **state)
{
	(void)state;
	give(A, 10);
	give(B, 20);
	slots_rebase(s, 200, 100);
	give(C, 300);
	check_all(C, B, 200);
}

static void test_settle(void **state)
{
	(void)state;
	give(A, 10);
	give(B, 20);
	assert_false(slots_settle(s)); /* the base may have flows without records */
	check_all(B, A, 20);
	slots_rebase(s, 200, 100);
	assert_true(slots_settle(s));
	check_all(B, SETTLED, 0);
	assert_false(slots_settle(s));
}

static void test_foreign_record(void **state)
{
	(void)state;
	give(A, 10);
	give(B, 20);
	slots_rebase(s, 200, 100);
	slots_see_record(s, 0xabcd0000 + N + 9, A); /* the low bits tell the slot: 9 */
	slots_see_record(s, 10, B);
	slots_see_record(s, 255, C);
	assert_true(slots_settle(s));
	assert_int_equal(s->view.n_tracked, 2);
	check(8, B, SETTLED, 0);
	check(9, B, B, 200);
	check(10, B, SETTLED, 0);
	check(255, B, B, 200);
	assert_false(slots_settle(s));
	slots_clear_foreign(s);
	assert_true(slots_settle(s));
	check_all(B, SETTLED, 0);
}

static void test_drop_bases(void **state)
{
	(void)state;
	give(A, 10);
	give(B, 20);
	assert_false(slots_drop_bases(s, serves));
	serves[A] = false;
	assert_true(slots_drop_bases(s, serves));
	check_all(B, B, 20);
	serves[B] = false;
	assert_false(slots_drop_bases(s, serves));
}

static void test_copy(void **state)
{
	struct slots *to;

	(void)state;
	give(A, 10);
	give(B, 20);
	slots_rebase(s, 200, 100);
	slots_see_record(s, 5, A);
	to = slots_copy(s);
	assert_non_null(to);
	assert_true(to->view.version == s->view.version);
	slots_free(s);
	s = to;
	check_all(B, B, 200);
	slots_settle(s);
	assert_int_equal(s->view.n_tracked, 1);
	check(5, B, B, 200);
}

static void test_grow(void **state)
{
	struct slots *to;
	uint16_t owners[N];

	(void)state;
	give(A, 10);
	memcpy(owners, s->owner, sizeof owners);
	owners[3] = B;
	slots_assign(s, owners, serves, 20);
	to = slots_resize(s, 4 * N);
	assert_non_null(to);
	assert_int_equal(to->view.n, 4 * N);
	assert_int_equal(to->view.n_tracked, 4);
	for (uint32_t i = 0; i < 4 * N; i++) {
		assert_int_equal(to->owner[i], i % N == 3 ? B : A);
		assert_int_equal(to->base[i], i % N == 3 ? A : SETTLED);
		assert_int_equal(to->since[i], i % N == 3 ? 20 : 0);
	}
	assert_true(to->view.version != s->view.version);
	slots_free(to);
}

static void test_shrink(void **state)
{
	struct slots *large, *small;

	(void)state;
	give(A, 10);
	large = slots_resize(s, 2 * N);
	assert_non_null(large);
	slots_free(s);
	s = large;
	s->owner[N + 5] = B;
	assert_null(slots_resize(s, N)); /* two slots of different owners would become one */
	s->owner[N + 5] = A;
	s->base[5] = A;
	s->view.n_tracked = 1;
	assert_null(slots_resize(s, N)); /* one is tracked */
	s->base[5] = SETTLED;
	s->view.n_tracked = 0;
	small = slots_resize(s, N);
	assert_non_null(small);
	slots_free(s);
	s = small;
	check_all(A, SETTLED, 0);
}

/* Another version with every change, and only then: it decides what is published. */
static void test_versions(void **state)
{
	uint64_t version = s->view.version;
	struct slots *other = slots_new(N);

	(void)state;
	assert_non_null(other);
	assert_true(other->view.version != version);
	slots_free(other);
#define CHANGES(call)                                                       \
	do {                                                                \
		call;                                                       \
		assert_true(s->view.version && s->view.version != version); \
		version = s->view.version;                                  \
	} while (0)
#define KEEPS(call)                                      \
	do {                                             \
		call;                                    \
		assert_true(s->view.version == version); \
	} while (0)
	CHANGES(give(A, 10));
	KEEPS(give(A, 11));
	CHANGES(give(B, 20));
	KEEPS(slots_rebase(s, 30, 100));
	KEEPS(slots_settle(s));
	KEEPS(slots_drop_bases(s, serves));
	KEEPS(slots_clear_foreign(s));
	KEEPS(slots_see_record(s, 1, A));
	CHANGES(slots_rebase(s, 200, 100));
	CHANGES(slots_settle(s));
	CHANGES(slots_touch(s));
#undef CHANGES
#undef KEEPS
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_what_changes_is_tracked, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_former_owner_that_serves_no_flows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_after_a_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tracked_slot_changes_hands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_back_and_forth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rebase_exactly, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rebased_slot_changes_hands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop_bases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shrink, setup, teardown),
		cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
