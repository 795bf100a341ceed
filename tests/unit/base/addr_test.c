/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/base/addr.h"
#include <errno.h>
#include <string.h>
#include "tests/unit/test.h"

static struct addr parse(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a))
		fail_msg("\"%s\" is not read", text);
	return a;
}

static void texts_are_read_and_written(void **state)
{
	static const struct {
		const char *text, *canonical; /* RFC 5952, section 4 */
		uint8_t af;
	} cases[] = {
		{ "0.0.0.0", "0.0.0.0", 4 },
		{ "192.0.2.255", "192.0.2.255", 4 },
		{ "::", "::", 6 },
		{ "2001:DB8:0:0:1::1", "2001:db8::1:0:0:1", 6 },
		{ "2001:0db8::0001", "2001:db8::1", 6 },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", 6 },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 6 },
	};
	char buf[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct addr a = parse(cases[i].text);
		assert_int_equal(a.af, cases[i].af);
		assert_int_equal(addr_size(&a), a.af == 4 ? 4 : 16);
		assert_string_equal(addr_text(&a, buf), cases[i].canonical);
	}
	assert_string_equal(addr_text(&(struct addr){ 0 }, buf), "none");
	assert_int_equal(addr_size(&(struct addr){ 0 }), 0);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = { "", "192.0.2", "192.0.2.256", "192.0.2.1 ",
		" 192.0.2.1", "192.0.2.1/24", "192.0.2.01", "0x1.2.3.4", "2001:db8::1::2",
		"2001:db8::12345", "fe80::1%lo", "[::1]", "localhost" };
	struct addr a = { .af = 4, .bytes = { 1, 2, 3, 4 } }, before = a;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(addr_parse(texts[i], &a), -EINVAL);
		assert_memory_equal(&a, &before, sizeof a);
	}
}

/* Addresses are compared as memory, so that what an address does not use has to be zero. */
static void unused_bytes_are_zero(void **state)
{
	struct addr a, zero = { 0 };

	(void)state;
	memset(&a, 0xff, sizeof a);
	assert_int_equal(addr_parse("192.0.2.1", &a), 0);
	assert_memory_equal(a.bytes + 4, zero.bytes, 12);
}

static void prefixes_are_read(void **state)
{
	static const char *const bad[] = { "192.0.2.0", "192.0.2.0/", "192.0.2.0/33",
		"192.0.2.0/-1", "192.0.2.0/+1", "192.0.2.0/ 1", "192.0.2.0/8x", "2001:db8::/129",
		"192.0.2.0/99999999999999999999999", "/8",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/8" };
	struct addr a;
	uint8_t plen = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(addr_parse_prefix(bad[i], &a, &plen), -EINVAL);
	assert_int_equal(plen, 7);
	assert_int_equal(addr_parse_prefix("192.0.2.0/24", &a, &plen), 0);
	assert_int_equal(a.af, 4);
	assert_int_equal(plen, 24);
	assert_int_equal(addr_parse_prefix("::/0", &a, &plen), 0);
	assert_int_equal(a.af, 6);
	assert_int_equal(plen, 0);
	assert_int_equal(
		addr_parse_prefix("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128", &a, &plen),
		0);
	assert_int_equal(plen, 128);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void addresses_have_an_order(void **state)
{
	static const char *const ascending[] = { "1.0.0.0", "1.0.0.1", "2.0.0.0", "200.0.0.0",
		"::", "::1", "1::", "ff00::" };
	const int n = sizeof ascending / sizeof *ascending;

	(void)state;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			struct addr a = parse(ascending[i]), b = parse(ascending[j]);
			assert_int_equal(sign(addr_compare(&a, &b)), sign(i - j));
			assert_int_equal(addr_equal(&a, &b), i == j);
		}
}

static bool within(const char *text, const char *prefix)
{
	struct addr a = parse(text), net;
	uint8_t plen;

	assert_int_equal(addr_parse_prefix(prefix, &net, &plen), 0);
	return addr_in_prefix(&a, &net, plen);
}

static void prefixes_hold_their_addresses(void **state)
{
	struct addr a = parse("10.0.0.1");

	(void)state;
	assert_true(within("10.1.2.3", "10.0.0.0/8"));
	assert_false(within("11.1.2.3", "10.0.0.0/8"));
	assert_true(within("10.0.0.127", "10.0.0.0/25"));
	assert_false(within("10.0.0.128", "10.0.0.0/25"));
	assert_true(within("10.0.0.1", "10.0.0.99/24")); /* host bits of the prefix do not matter */
	assert_true(within("10.0.0.1", "10.0.0.1/32"));
	assert_false(within("10.0.0.2", "10.0.0.1/32"));
	assert_true(within("10.0.0.1", "0.0.0.0/0"));
	assert_false(within("::1", "0.0.0.0/0"));
	assert_false(within("10.0.0.1", "::/0"));
	assert_true(within("2001:db8::1", "2001:db8::/127"));
	assert_false(within("2001:db8::2", "2001:db8::/127"));
	assert_true(within("ffff::1", "ffff::1/128"));
	assert_false(addr_in_prefix(&a, &a, 33)); /* longer than the address */
	assert_false(addr_in_prefix(&a, &a, 128));
}

static void only_unicast_is_unicast(void **state)
{
	static const char *const yes[] = { "1.0.0.0", "127.0.0.1", "192.0.2.1", "223.255.255.255",
		"::1", "fe80::1", "2001:db8::1", "::192.0.2.1" };
	static const char *const no[] = { "0.0.0.0", "0.1.2.3", "224.0.0.1", "240.0.0.1",
		"255.255.255.255", "::", "ff02::1", "::ffff:192.0.2.1" };

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		struct addr a = parse(yes[i]);
		assert_true(addr_is_unicast(&a));
	}
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
		struct addr a = parse(no[i]);
		assert_false(addr_is_unicast(&a));
	}
	assert_false(addr_is_unicast(&(struct addr){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_and_written),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(unused_bytes_are_zero),
		cmocka_unit_test(prefixes_are_read),
		cmocka_unit_test(addresses_have_an_order),
		cmocka_unit_test(prefixes_hold_their_addresses),
		cmocka_unit_test(only_unicast_is_unicast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
