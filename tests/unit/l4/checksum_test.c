/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/checksum.h"

/* RFC 1071, section 4.1, word by word. */
static be16 from_scratch(const uint16_t *words, int n)
{
	uint32_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (be16)~sum;
}

/* Words that make the sums meet their corners more often than chance would. */
static uint16_t random_word(void)
{
	static const uint16_t corners[] = { 0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff };
	long r = lrand48();

	return r % 3 ? (uint16_t)(r >> 8) : corners[(r >> 8) % 6];
}

static void test_update_equals_from_scratch(void **state)
{
	(void)state;
	for (int round = 0; round < 200000; round++) {
		uint16_t words[6];
		be16 before, after;
		l4_delta d;
		uint32_t from, to;

		for (int i = 0; i < 6; i++)
			words[i] = random_word();
		words[5] |= 1; /* no header is all zero */
		before = from_scratch(words, 6);
		memcpy(&from, words, 4);
		d = l4_delta16(0, words[2], words[3]);
		words[2] = words[3];
		words[0] = random_word();
		words[1] = random_word();
		memcpy(&to, words, 4);
		d = l4_delta32(d, from, to);
		after = l4_checksum_update(before, d);
		assert_int_equal(after, from_scratch(words, 6));
	}
}

/* RFC 1624, section 4: the example in which RFC 1141's equation goes wrong. */
static void test_rfc_1624_example(void **state)
{
	(void)state;
	assert_int_equal(l4_checksum_update(
				 L4_BE16(0xdd2f), l4_delta16(0, L4_BE16(0x5555), L4_BE16(0x3285))),
		L4_BE16(0x0000));
}

static void test_udp_zero_rules(void **state)
{
	(void)state;
	assert_int_equal(l4_checksum_update_udp(0, l4_delta16(0, 1, 2)), 0);
	assert_int_equal(l4_checksum_update_udp(
				 L4_BE16(0xdd2f), l4_delta16(0, L4_BE16(0x5555), L4_BE16(0x3285))),
		0xffff);
}

static void test_fold_of_the_largest_sums(void **state)
{
	(void)state;
	assert_int_equal(l4_fold(0), 0);
	assert_int_equal(l4_fold(0xffff), 0xffff);
	assert_int_equal(l4_fold(0x10000), 1);
	assert_int_equal(l4_fold(UINT64_MAX), 0xffff);
	assert_int_equal(l4_fold(0xffffffff00000001), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_update_equals_from_scratch),
		cmocka_unit_test(test_rfc_1624_example),
		cmocka_unit_test(test_udp_zero_rules),
		cmocka_unit_test(test_fold_of_the_largest_sums),
	};

	srand48(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
