/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/options.h"

enum { BEFORE = 3 }; /* bytes of the frame in front of the options */

/* Reads options from memory that ends where they end, so that the address sanitizer sees what is read behind. */
static struct l4_options read_options(const uint8_t *bytes, uint32_t len, bool is6)
{
	uint8_t *memory = malloc(BEFORE + len);
	struct l4_frame f = { memory, memory + BEFORE + len, BEFORE + len };
	struct l4_options o;

	assert_non_null(memory);
	memset(memory, 0xee, BEFORE);
	if (len)
		memcpy(memory + BEFORE, bytes, len);
	l4_options_read(&f, BEFORE, BEFORE + len, is6, &o);
	free(memory);
	return o;
}

static void assert_says(const struct l4_options *o, uint16_t mss, uint8_t scale, bool sack)
{
	assert_int_equal(o->syn.mss, mss);
	assert_int_equal(o->syn.scale, scale);
	assert_int_equal(o->syn.sack, sack);
}

/* RFC 9293, section 3.7.1; RFC 7323, section 2.2. */
static void test_none(void **state)
{
	struct l4_options o = read_options(NULL, 0, false);

	(void)state;
	assert_says(&o, 536, 15, false);
	assert_false(o.has_time);
	assert_int_equal(o.n_blocks, 0);
	o = read_options(NULL, 0, true);
	assert_says(&o, 1220, 15, false);
}

static void test_each(void **state)
{
	static const uint8_t all[] = { 4, 2, 1, 3, 3, 9, 2, 4, 5, 0xb4, 8, 10, 1, 2, 3, 4, 5, 6, 7,
		8, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2 };
	struct l4_options o = read_options(all, sizeof all, false);

	(void)state;
	assert_says(&o, 1460, 9, true);
	assert_true(o.has_time);
	assert_memory_equal(&o.time, all + 12, 4);
	assert_int_equal(o.sack, BEFORE + 22);
	assert_int_equal(o.n_blocks, 1);
}

/* RFC 7323, section 2.3 */
static void test_scales(void **state)
{
	(void)state;
	for (unsigned scale = 0; scale < 256; scale++) {
		struct l4_options o = read_options((uint8_t[]){ 3, 3, (uint8_t)scale }, 3, false);

		assert_int_equal(o.syn.scale, scale < 14 ? scale : 14);
	}
}

static void test_wrong_lengths_say_nothing(void **state)
{
	static const uint8_t kinds[] = { 2, 3, 4, 8 }, lengths[] = { 4, 3, 2, 10 };
	uint8_t bytes[40] = { 0 };

	(void)state;
	for (unsigned i = 0; i < sizeof kinds; i++)
		for (unsigned len = 2; len <= sizeof bytes; len++) {
			struct l4_options o;

			bytes[0] = kinds[i];
			bytes[1] = (uint8_t)len;
			o = read_options(bytes, sizeof bytes, false);
			if (len == lengths[i])
				continue;
			assert_says(&o, 536, 15, false);
			assert_false(o.has_time);
		}
}

static void test_blocks(void **state)
{
	uint8_t bytes[40] = { 5 };

	(void)state;
	for (unsigned len = 2; len <= sizeof bytes; len++) {
		struct l4_options o;

		bytes[1] = (uint8_t)len;
		o = read_options(bytes, sizeof bytes, false);
		assert_int_equal(o.n_blocks, (len - 2) / 8);
		assert_true(o.n_blocks <= L4_SACK_BLOCKS);
		assert_int_equal(o.sack, o.n_blocks ? BEFORE + 2 : 0);
	}
}

/* Nothing behind an option that cannot be, or the end of all of them, is read. */
static void test_what_cannot_be_ends_it(void **state)
{
	static const uint8_t ends[][2] = { { 0, 4 }, { 9, 0 }, { 9, 1 }, { 9, 7 }, { 9, 255 } };
	uint8_t bytes[8] = { 3, 3, 5, 0, 0, 4, 2, 1 };

	(void)state;
	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct l4_options o;

		memcpy(bytes + 3, ends[i], 2);
		o = read_options(bytes, sizeof bytes, false);
		assert_says(&o, 536, 5, false);
	}
	for (uint8_t last = 2; last < 10; last++) { /* a kind without a length */
		struct l4_options o = read_options((uint8_t[]){ 4, 2, last }, 3, false);

		assert_says(&o, 536, 15, true);
	}
}

/* The same from the definitions, byte by byte. */
static void reference(const uint8_t *b, uint32_t len, struct l4_options *o)
{
	*o = (struct l4_options){ .syn = { 536, 15, false } };
	for (uint32_t at = 0; at < len && b[at];) {
		if (b[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 == len || b[at + 1] < 2 || at + b[at + 1] > len)
			break;
		if (b[at] == 2 && b[at + 1] == 4)
			o->syn.mss = (uint16_t)(b[at + 2] * 256 + b[at + 3]);
		if (b[at] == 3 && b[at + 1] == 3)
			o->syn.scale = b[at + 2] > 14 ? 14 : b[at + 2];
		if (b[at] == 4 && b[at + 1] == 2)
			o->syn.sack = true;
		if (b[at] == 5 && b[at + 1] >= 10) {
			o->sack = BEFORE + at + 2;
			o->n_blocks = (b[at + 1] - 2u) / 8;
		}
		if (b[at] == 8 && b[at + 1] == 10) {
			o->has_time = true;
			memcpy(&o->time, b + at + 2, 4);
		}
		at += b[at + 1];
	}
}

static void test_hostile_headers(void **state)
{
	static const uint8_t likely[] = { 0, 1, 1, 2, 3, 4, 5, 8, 2, 3, 4, 10, 18, 34, 40 };

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint32_t len = (uint32_t)(lrand48() % 11) * 4;
		struct l4_options got, want;
		uint8_t bytes[40];

		for (uint32_t k = 0; k < len; k++)
			bytes[k] = lrand48() % 5 ? likely[lrand48() % (long)sizeof likely]
						 : (uint8_t)mrand48();
		got = read_options(bytes, len, false);
		reference(bytes, len, &want);
		assert_says(&got, want.syn.mss, want.syn.scale, want.syn.sack);
		assert_int_equal(got.has_time, want.has_time);
		assert_true(!want.has_time || got.time == want.time);
		assert_int_equal(got.n_blocks, want.n_blocks);
		assert_int_equal(got.sack, want.sack);
	}
}

/* What is written says the same when it is read. */
static void test_written_options(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 16 * 2; i++) {
		struct l4_syn syn = { (uint16_t)mrand48(), (uint8_t)(i / 2), i & 1 };
		struct l4_options o;
		be32 words[5];

		l4_options_write(words, &syn);
		o = read_options((uint8_t *)words, 12, false);
		assert_says(&o, syn.mss,
			syn.scale == 15	 ? 15
			: syn.scale < 14 ? syn.scale
					 : 14,
			syn.sack);
		assert_false(o.has_time);
		l4_options_write_times(words, &syn, 0x01020304, L4_BE32(0x05060708));
		o = read_options((uint8_t *)words, 20, true);
		assert_says(&o, syn.mss,
			syn.scale == 15	 ? 15
			: syn.scale < 14 ? syn.scale
					 : 14,
			syn.sack);
		assert_true(o.has_time);
		assert_memory_equal(words + 2, ((uint8_t[]){ 1, 2, 3, 4, 5, 6, 7, 8 }), 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_wrong_lengths_say_nothing),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_what_cannot_be_ends_it),
		cmocka_unit_test(test_hostile_headers),
		cmocka_unit_test(test_written_options),
	};

	srand48(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
