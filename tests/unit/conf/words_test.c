/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/words.h"
#include <string.h>
#include "tests/unit/test.h"

#define TEN "abcdefghij"

static void distance_counts_steps(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "pool", "pool", 0 },
		{ "pool", "POOL", 0 },
		{ "helth", "health", 1 },   /* one missing */
		{ "heallth", "health", 1 }, /* one too many */
		{ "haelth", "health", 1 },  /* two swapped */
		{ "hexlth", "health", 1 },  /* one wrong */
		{ "kitten", "sitting", 3 },
		{ "ca", "abc", 3 }, /* what is swapped is not changed once more */
		{ TEN TEN TEN TEN TEN TEN "abc", TEN TEN TEN TEN TEN TEN "abd", 1 },
		{ TEN TEN TEN TEN TEN TEN "abcd", TEN TEN TEN TEN TEN TEN "abcd", 64 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(conf_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(conf_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
}

static const char *guess(const char *word, const char *const *candidates)
{
	struct conf_guess g;

	conf_guess_start(&g, word);
	for (; *candidates; candidates++)
		conf_guess_offer(&g, *candidates);
	return g.best;
}

static void guess_takes_the_nearest(void **state)
{
	static const char *const keys[] = { "vip", "vips", "pool", "port", "protocol", "forward",
		NULL };

	(void)state;
	assert_string_equal(
		guess("vipp", keys), "vip"); /* the first of those that are alike near */
	assert_string_equal(guess("prot", keys), "port");
	assert_string_equal(guess("FORWARD", keys), "forward");
	assert_string_equal(guess("protocoll", keys), "protocol");
	assert_null(guess("address", keys));
	assert_null(guess("x", keys));
	assert_null(guess("xyz", keys)); /* as far from "vip" as a word of three letters can be */
}

static void quote_is_safe_to_print(void **state)
{
	char buf[CONF_QUOTED], text[300];

	(void)state;
	assert_string_equal(conf_quote("", buf), "\"\"");
	assert_string_equal(conf_quote("web", buf), "\"web\"");
	assert_string_equal(conf_quote("a\n\x1b\x7f\xff", buf), "\"a\\x0a\\x1b\\x7f\\xff\"");
	assert_string_equal(conf_quote("\xc3\xa4\xc3", buf), "\"\xc3\xa4\\xc3\"");
	for (int fill = 0; fill < 3; fill++) {
		memset(text, "a\x01\xc3"[fill], sizeof text - 1);
		text[sizeof text - 1] = '\0';
		conf_quote(text, buf);
		assert_true(strlen(buf) < CONF_QUOTED);
		assert_string_equal(buf + strlen(buf) - 4, "...\"");
	}
}

static void utf8_knows_its_forms(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\x80", 0 },
		{ "\xc2\x80", 2 },
		{ "\xc1\xbf", 0 }, /* overlong */
		{ "\xc3", 0 },	   /* cut short */
		{ "\xc3"
		  "a",
			0 },
		{ "\xe0\x9f\xbf", 0 }, /* overlong */
		{ "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xed\xa0\x80", 0 }, /* a surrogate */
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x8f\xbf\xbf", 0 }, /* overlong */
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 0 }, /* above U+10FFFF */
		{ "\xf5\x80\x80\x80", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = cases[i].text;
		assert_int_equal(conf_utf8(text, text + strlen(text)), cases[i].n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_counts_steps),
		cmocka_unit_test(guess_takes_the_nearest),
		cmocka_unit_test(quote_is_safe_to_print),
		cmocka_unit_test(utf8_knows_its_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
