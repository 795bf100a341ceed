/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/pools/ids.h"

static void test_numbers_are_given_once(void **state)
{
	static const char *const all[] = { "c", "a", "b" };
	static const char *const less[] = { "b", "d" };
	uint32_t out[3];
	bool fresh[9] = { 0 };
	struct ids t = { 0 };

	(void)state;
	assert_int_equal(ids_bind(&t, all, 3, 8, 1, NULL, out, fresh), 0);
	assert_int_equal(out[0], 1);
	assert_int_equal(out[1], 2);
	assert_int_equal(out[2], 3);
	assert_true(fresh[1] && fresh[2] && fresh[3] && !fresh[4]);
	assert_int_equal(ids_bind(&t, less, 2, 8, 2, NULL, out, NULL), 0);
	assert_int_equal(out[0], 3);
	assert_int_equal(out[1], 4);
	assert_int_equal(ids_find(&t, "a")->gone, 2);
	memset(fresh, 0, sizeof fresh);
	assert_int_equal(ids_bind(&t, all, 3, 8, 3, NULL, out, fresh), 0);
	assert_int_equal(out[0], 1);
	assert_int_equal(out[1], 2);
	assert_int_equal(out[2], 3);
	assert_false(fresh[1] || fresh[2] || fresh[3]);
	ids_free(&t);
}

static void test_longest_gone_is_reused_first(void **state)
{
	static const char *const first[] = { "a", "b", "c" };
	static const char *const second[] = { "a", "c" };
	static const char *const third[] = { "c" };
	static const char *const fourth[] = { "c", "x" };
	static const char *const fifth[] = { "c", "x", "y" };
	struct ids t = { 0 };
	uint32_t out[3];

	(void)state;
	assert_int_equal(ids_bind(&t, first, 3, 3, 1, NULL, out, NULL), 0);
	assert_int_equal(ids_bind(&t, second, 2, 3, 2, NULL, out, NULL), 0); /* b goes: 2 */
	assert_int_equal(ids_bind(&t, third, 1, 3, 3, NULL, out, NULL), 0);  /* a goes: 1 */
	assert_int_equal(ids_bind(&t, fourth, 2, 3, 4, NULL, out, NULL), 0);
	assert_int_equal(out[1], 2);
	assert_null(ids_find(&t, "b"));
	assert_int_equal(ids_bind(&t, fifth, 3, 3, 5, NULL, out, NULL), 0);
	assert_int_equal(out[2], 1);
	assert_int_equal(t.n, 3);
	ids_free(&t);
}

static void test_limits(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct ids t = { 0 };
	uint32_t out[4];

	(void)state;
	assert_int_equal(ids_bind(&t, names, 4, 3, 1, NULL, out, NULL), -ENOSPC);
	ids_free(&t);
	assert_int_equal(ids_bind(&t, names, 4, 4, 1, NULL, out, NULL), 0);
	/* Where the limit sinks, what is above it moves to a free number. */
	assert_int_equal(ids_bind(&t, names + 2, 2, 2, 2, NULL, out, NULL), 0);
	assert_true(out[0] != out[1] && out[0] >= 1 && out[0] <= 2 && out[1] >= 1 && out[1] <= 2);
	assert_int_equal(t.n, 2);
	ids_free(&t);
}

static bool is_held(const void *arg, const struct ids_entry *e)
{
	return e->gone && e->id == *(const uint32_t *)arg;
}

/* The longest gone is passed over while it is held, and with nothing else left the name has to wait. */
static void test_held(void **state)
{
	static const char *const first[] = { "a", "b", "c" };
	static const char *const second[] = { "c" };
	static const char *const third[] = { "c", "x" };
	static const char *const fourth[] = { "c", "x", "y" };
	const uint32_t number_of_a = 1;
	const struct ids_held held = { is_held, &number_of_a };
	struct ids t = { 0 }, copy;
	uint32_t out[3];

	(void)state;
	assert_int_equal(ids_bind(&t, first, 3, 3, 1, &held, out, NULL), 0);
	assert_int_equal(ids_bind(&t, second, 1, 3, 2, &held, out, NULL), 0);
	assert_int_equal(ids_bind(&t, third, 2, 3, 3, &held, out, NULL), 0);
	assert_int_equal(out[1], 2);
	assert_int_equal(ids_copy(&copy, &t), 0);
	assert_int_equal(ids_bind(&copy, fourth, 3, 3, 4, &held, out, NULL), -EAGAIN);
	ids_free(&copy);
	/* The name itself may come back at any time. */
	assert_int_equal(ids_copy(&copy, &t), 0);
	assert_int_equal(ids_bind(&copy, first, 1, 3, 4, &held, out, NULL), 0);
	assert_int_equal(out[0], number_of_a);
	ids_free(&copy);
	assert_int_equal(ids_bind(&t, fourth, 3, 3, 4, NULL, out, NULL), 0);
	assert_int_equal(out[2], number_of_a);
	ids_free(&t);
}

/* Random configurations against a plain model of what was promised. */
enum { MODEL_NAMES = 40, MODEL_LIMIT = 24, MODEL_ROUNDS = 4000 };

struct model {
	uint32_t owner_of[MODEL_LIMIT + 1]; /* name + 1 that has the number; 0: never given */
	uint64_t left[MODEL_NAMES];	    /* the round in which a name went */
	bool used[MODEL_NAMES];
};

static uint32_t model_number(const struct model *m, uint32_t name)
{
	for (uint32_t id = 1; id <= MODEL_LIMIT; id++)
		if (m->owner_of[id] == name + 1)
			return id;
	return 0;
}

/* A new name takes a number nobody had; failing that, that of a name than which none has been gone longer. */
static void model_give(struct model *m, uint32_t name, uint32_t id)
{
	uint32_t former = m->owner_of[id];

	for (uint32_t i = 1; i <= MODEL_LIMIT; i++)
		if (former)
			assert_true(m->owner_of[i]);
	if (former) {
		assert_false(m->used[former - 1]);
		for (uint32_t i = 1; i <= MODEL_LIMIT; i++)
			if (m->owner_of[i] && !m->used[m->owner_of[i] - 1])
				assert_true(m->left[former - 1] <= m->left[m->owner_of[i] - 1]);
	}
	m->owner_of[id] = name + 1;
}

static void model_round(struct model *m, struct ids *t, uint64_t round)
{
	static char text[MODEL_NAMES][8];
	const char *names[MODEL_LIMIT];
	uint32_t chosen[MODEL_LIMIT], out[MODEL_LIMIT], n = 0;
	bool now[MODEL_NAMES] = { 0 };

	for (uint32_t i = 0; i < MODEL_NAMES && n < MODEL_LIMIT; i++)
		if (rand() % 100 < (m->used[i] ? 85 : 20)) {
			snprintf(text[i], sizeof text[i], "n%u", i);
			names[n] = text[i];
			chosen[n++] = i;
			now[i] = true;
		}
	for (uint32_t i = 0; i < MODEL_NAMES; i++) {
		if (m->used[i] && !now[i])
			m->left[i] = round;
		m->used[i] = now[i];
	}
	assert_int_equal(ids_bind(t, names, n, MODEL_LIMIT, round, NULL, out, NULL), 0);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t known = model_number(m, chosen[i]);

		assert_in_range(out[i], 1, MODEL_LIMIT);
		if (known)
			assert_int_equal(out[i], known);
	}
	for (uint32_t i = 0; i < n; i++)
		if (!model_number(m, chosen[i]))
			model_give(m, chosen[i], out[i]);
}

static void test_model(void **state)
{
	struct model m = { 0 };
	struct ids t = { 0 }, copy;

	(void)state;
	srand(1);
	for (uint64_t round = 1; round <= MODEL_ROUNDS; round++) {
		model_round(&m, &t, round);
		/* As if the daemon had been restarted. */
		assert_int_equal(ids_copy(&copy, &t), 0);
		ids_free(&t);
		t = copy;
	}
	ids_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_given_once),
		cmocka_unit_test(test_longest_gone_is_reused_first),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
