/* SPDX-License-Identifier: BSD-2-Clause */
/* Pings of a VIP, with every identifier and odd lengths: in each engine the answer has a right checksum, by adding it all up
 * (RFC 1071), and the same identifier, number and data. */
#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "tests/packets/body.h"
#include "tests/packets/frame.h"
#include "tests/packets/world.h"

enum { L2 = 14, ID_AT = 4, ICMP_HEADER = 8, IDENTIFIERS = 65536 };

static const size_t lengths[] = { 1, 3, 17, 1471 };
static const char *world_path;

/* The sum of 16-bit words in network order, folded; an odd byte is the upper half of its word. */
static uint32_t add_up(const uint8_t *bytes, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* What is added up besides the ICMP message itself. */
static uint32_t pseudo_sum(const uint8_t *ip, bool is6, size_t icmp_len)
{
	return is6 ? add_up(ip + 8, 32, (uint32_t)icmp_len + 58) : 0;
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* A ping from CLIENT of the world to WEB, with all but what differs from one to the next. */
static size_t make_ping(struct frame *f, bool is6, size_t data)
{
	static const uint8_t ends4[] = { 203, 0, 113, 7, 192, 0, 2, 10 };
	static const uint8_t ends6[] = { 0x20, 1, 0x0d, 0xb8, 0, 0x0c, [15] = 7, 0x20, 1, 0x0d,
		0xb8, 0, 0x0f, [31] = 0x10 };
	static const uint8_t front[] = { 2, 0, 0, 0, 0x0f, 1, 2, 0, 0, 0, 0x0f, 0xfe };
	size_t l4 = L2 + (is6 ? 40 : 20);
	uint8_t *ip = f->bytes + L2;

	memset(f, 0, sizeof *f);
	f->len = l4 + ICMP_HEADER + data;
	memcpy(f->bytes, front, sizeof front);
	put16(f->bytes + 12, is6 ? 0x86dd : 0x0800);
	ip[0] = is6 ? 0x60 : 0x45;
	put16(ip + (is6 ? 4 : 2), (uint32_t)(f->len - (is6 ? l4 : L2)));
	ip[is6 ? 7 : 8] = 64;
	ip[is6 ? 6 : 9] = is6 ? 58 : 1;
	memcpy(ip + (is6 ? 8 : 12), is6 ? ends6 : ends4, is6 ? sizeof ends6 : sizeof ends4);
	if (!is6)
		put16(ip + 10, ~add_up(ip, 20, 0));
	f->bytes[l4] = is6 ? 128 : 8;
	for (size_t i = 0; i < data; i++)
		f->bytes[l4 + ICMP_HEADER + i] = (uint8_t)(i * 7 + data);
	return l4;
}

static void expect_answer(const struct frame *f, size_t l4, bool is6, const struct body_result *r)
{
	size_t icmp_len = f->len - l4;

	assert_int_equal(r->verdict, L4_V_ECHO_ANSWERED);
	assert_int_equal(r->len, f->len);
	assert_int_equal(r->frame[l4], is6 ? 129 : 0);
	assert_memory_equal(r->frame + l4 + ID_AT, f->bytes + l4 + ID_AT, icmp_len - ID_AT);
	assert_int_equal(
		add_up(r->frame + l4, icmp_len, pseudo_sum(r->frame + L2, is6, icmp_len)), 0xffff);
}

static void ping_all(
	const struct body_ops *ops, struct body *b, uint32_t device, bool is6, size_t data)
{
	static struct body_result r;
	struct frame f;
	size_t l4 = make_ping(&f, is6, data);

	for (uint32_t id = 0; id < IDENTIFIERS; id++) {
		uint8_t *icmp = f.bytes + l4;

		put16(icmp + ID_AT, id);
		put16(icmp + ID_AT + 2, id * 3);
		put16(icmp + 2, 0);
		put16(icmp + 2,
			~add_up(icmp, f.len - l4, pseudo_sum(f.bytes + L2, is6, f.len - l4)));
		assert_int_equal(ops->inject(b, device, f.bytes, f.len, &r), 0);
		expect_answer(&f, l4, is6, &r);
	}
}

static void every_identifier(const struct body_ops *ops)
{
	struct world_file *w;
	struct body *b;
	struct err e;

	if (world_open(&w, world_path, &e))
		fail_msg("%s", e.text);
	if (ops->open(&b, &w->world, &e))
		fail_msg("%s", e.text);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		ping_all(ops, b, world_device(w, "front"), false, lengths[i]);
		ping_all(ops, b, world_device(w, "front"), true, lengths[i]);
	}
	ops->close(b);
	world_close(w);
}

static void native(void **state)
{
	(void)state;
	every_identifier(&body_native);
}

static void xdp(void **state)
{
	(void)state;
	every_identifier(&body_xdp);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(native), cmocka_unit_test(xdp) };

	if (argc != 2)
		return 2;
	world_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
