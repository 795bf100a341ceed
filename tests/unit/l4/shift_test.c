/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/shift.h"

enum { TCP = 20, CHECKSUM_AT = 16, ROOM = 160 };

/* A segment somewhere in a frame that ends behind it. */
struct segment {
	uint8_t memory[ROOM];
	struct l4_frame frame;
	uint32_t l4, len;
};

/* RFC 1071, section 4.1, over the bytes from the segment's first on. */
static uint16_t from_scratch(const struct segment *s)
{
	const uint8_t *b = s->frame.data + s->l4;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < s->len; i++)
		if (i != CHECKSUM_AT && i != CHECKSUM_AT + 1)
			sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Bytes that make sums meet their corners more often than chance would. */
static void random_segment(struct segment *s, uint32_t l4, uint32_t len)
{
	static const uint8_t corners[] = { 0, 0, 0xff, 0xff, 0x7f, 0x80, 1, 0xfe };

	s->l4 = l4;
	s->len = len;
	s->frame = (struct l4_frame){ s->memory, s->memory + l4 + len, l4 + len };
	for (uint32_t i = 0; i < ROOM; i++)
		s->memory[i] = lrand48() % 2 ? corners[lrand48() % 8] : (uint8_t)mrand48();
	s->memory[l4] |= 1; /* none is all zero */
}

static be16 checksum_of(const struct segment *s)
{
	return L4_BE16(from_scratch(s));
}

static void test_fields(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint32_t by = (uint32_t)mrand48(), at = i & 1 ? 4 : 8, was;
		struct l4_shifts d = { 0 };
		struct segment s;
		be16 before;

		random_segment(&s, 34, TCP + (uint32_t)(lrand48() % 9));
		before = checksum_of(&s);
		was = get32(s.memory + s.l4 + at);
		l4_shift_field((be32 *)(s.memory + s.l4 + at), by, &d);
		assert_int_equal(get32(s.memory + s.l4 + at), was + by);
		assert_int_equal(l4_shift_checksum(before, d), checksum_of(&s));
	}
}

/* Numbers at every place of the options of segments at even and odd places in the frame. */
static void test_any_alignment(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint32_t by = (uint32_t)mrand48(), at = TCP + (uint32_t)i % 37, was;
		struct l4_shifts d = { 0 };
		struct segment s, before;

		random_segment(&s, 34 + (uint32_t)(i / 37 % 2), TCP + 40);
		before = s;
		was = get32(s.memory + s.l4 + at);
		l4_shift_at(&s.frame, s.l4, s.l4 + at, by, &d);
		assert_int_equal(get32(s.memory + s.l4 + at), was + by);
		assert_memory_equal(s.memory, before.memory, s.l4 + at);
		assert_memory_equal(s.memory + s.l4 + at + 4, before.memory + s.l4 + at + 4,
			ROOM - s.l4 - at - 4);
		before.frame.data = before.memory;
		assert_int_equal(l4_shift_checksum(checksum_of(&before), d), checksum_of(&s));
	}
}

/* Both ends of all blocks, with a field of the header and at any place. */
static void test_blocks(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct l4_options o = { .n_blocks = (uint32_t)(i % 5) };
		uint32_t by = (uint32_t)mrand48(), room = 40 - 8 * o.n_blocks;
		struct l4_shifts d = { 0 };
		struct segment s, before;

		random_segment(&s, 34, TCP + 40);
		before = s;
		before.frame.data = before.memory;
		o.sack = s.l4 + TCP + (uint32_t)(lrand48() % (room + 1));
		l4_shift_field((be32 *)(s.memory + s.l4 + 8), by, &d);
		l4_shift_sack(&s.frame, s.l4, &o, by, &d);
		for (uint32_t at = 0; at < 8 * o.n_blocks; at += 4)
			assert_int_equal(get32(s.memory + o.sack + at),
				get32(before.memory + o.sack + at) + by);
		assert_memory_equal(
			s.memory + s.l4 + TCP, before.memory + s.l4 + TCP, o.sack - s.l4 - TCP);
		assert_memory_equal(s.memory + o.sack + 8 * o.n_blocks,
			before.memory + o.sack + 8 * o.n_blocks, room - (o.sack - s.l4 - TCP));
		assert_int_equal(l4_shift_checksum(checksum_of(&before), d), checksum_of(&s));
	}
}

/* What ends behind the frame is left alone. */
static void test_frame_ends(void **state)
{
	struct l4_shifts d = { 0 };
	struct segment s, before;

	(void)state;
	random_segment(&s, 34, TCP + 40);
	before = s;
	for (uint32_t at = TCP + 37; at < TCP + 44; at++)
		l4_shift_at(&s.frame, s.l4, s.l4 + at, 1, &d);
	assert_memory_equal(s.memory, before.memory, ROOM);
	assert_true(!d.even && !d.odd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_any_alignment),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_frame_ends),
	};

	srand48(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
