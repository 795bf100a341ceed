/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/host/table.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/test.h"

struct row {
	int key, value;
};

static int compare(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	return (a->key > b->key) - (a->key < b->key);
}

static void an_empty_table_has_nothing(void **state)
{
	struct host_table t;

	(void)state;
	host_table_init(&t, sizeof(struct row), compare);
	assert_null(host_table_find(&t, &(struct row){ 1, 0 }));
	assert_int_equal(host_table_lower(&t, &(struct row){ 1, 0 }), 0);
	host_table_sort(&t);
	assert_int_equal(t.n, 0);
	host_table_fini(&t);
}

static void rows_stand_in_order(const struct host_table *t)
{
	for (size_t i = 1; i < t->n; i++)
		assert_true(compare(host_table_row(t, i - 1), host_table_row(t, i)) < 0);
}

/* Beside an array that holds the value of every key, -1 for none. */
static void the_table_is_a_map(void **state)
{
	enum { KEYS = 500, STEPS = 20000 };
	int model[KEYS];
	unsigned seed = 7;
	struct host_table t;

	(void)state;
	host_table_init(&t, sizeof(struct row), compare);
	memset(model, 0xff, sizeof model);
	for (int i = 0; i < STEPS; i++) {
		struct row row = { rand_r(&seed) % KEYS, i }, *found = host_table_find(&t, &row);

		assert_int_equal(found ? found->value : -1, model[row.key]);
		if (found && rand_r(&seed) % 2) {
			host_table_remove(&t, host_table_lower(&t, &row));
			model[row.key] = -1;
		} else {
			assert_int_equal(host_table_put(&t, &row), 0);
			model[row.key] = row.value;
		}
	}
	rows_stand_in_order(&t);
	host_table_fini(&t);
}

static void appended_rows_are_sorted_and_made_unique(void **state)
{
	enum { ROWS = 1000, KEYS = 300 };
	bool there[KEYS] = { false };
	unsigned seed = 9;
	size_t different = 0;
	struct host_table t;

	(void)state;
	host_table_init(&t, sizeof(struct row), compare);
	for (int i = 0; i < ROWS; i++) {
		struct row row = { rand_r(&seed) % KEYS, i };

		assert_int_equal(host_table_append(&t, &row), 0);
		different += !there[row.key];
		there[row.key] = true;
	}
	host_table_sort(&t);
	rows_stand_in_order(&t);
	assert_int_equal(t.n, different);
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(host_table_find(&t, &(struct row){ i, 0 }) != NULL, there[i]);
	host_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(the_table_is_a_map),
		cmocka_unit_test(appended_rows_are_sorted_and_made_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
