/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/base/err.h"
#include <errno.h>
#include <string.h>
#include "tests/unit/test.h"

static void set_writes_and_returns(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, -ENOENT, "no %s in line %d", "pool", 7), -ENOENT);
	assert_string_equal(e.text, "no pool in line 7");
	assert_int_equal(err_set(NULL, -EIO, "%s", "x"), -EIO);
	assert_int_equal(err_prefix(NULL, -EIO, "%s", "x"), -EIO);
}

static void prefixes_pile_up(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, -ENOENT, "no such file");
	assert_int_equal(err_prefix(&e, -EINVAL, "cannot read %s", "a"), -EINVAL);
	assert_string_equal(e.text, "cannot read a: no such file");
	err_prefix(&e, -EINVAL, "reload");
	assert_string_equal(e.text, "reload: cannot read a: no such file");
}

/* Long texts are cut at the end, at every length in bounds and without half a character. */
static void long_texts_are_cut(void **state)
{
	char fill[2 * sizeof(struct err)];

	(void)state;
	for (size_t n = sizeof(struct err) - 8; n < sizeof(struct err) + 8; n++) {
		struct err e;
		memset(fill, 'x', n);
		fill[n] = '\0';
		err_set(&e, -EIO, "%s", fill);
		assert_int_equal(strlen(e.text), n < sizeof e.text ? n : sizeof e.text - 1);
		err_set(&e, -EIO, "cause");
		err_prefix(&e, -EIO, "%s", fill);
		assert_true(strlen(e.text) < sizeof e.text);
		assert_memory_equal(e.text, fill, n < sizeof e.text ? n : sizeof e.text - 1);
	}
}

static void characters_stay_whole(void **state)
{
	static const char *const characters[] = { "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80" };
	char fill[sizeof(struct err) + 8];

	(void)state;
	for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
		size_t size = strlen(characters[i]);
		for (size_t room = 0; room <= size; room++) {
			size_t before = sizeof(struct err) - 1 - room;
			struct err e;
			memset(fill, 'x', before);
			memcpy(fill + before, characters[i], size + 1);
			err_set(&e, -EIO, "%s", fill);
			assert_int_equal(strlen(e.text), room == size ? before + size : before);
			err_set(&e, -EIO, "%s", fill + 5);
			err_prefix(&e, -EIO, "abc");
			assert_int_equal(strlen(e.text), room == size ? before + size : before);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_writes_and_returns),
		cmocka_unit_test(prefixes_pile_up),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(characters_stay_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
