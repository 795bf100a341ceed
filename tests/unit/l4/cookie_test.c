/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/cookie.h"
#include "tests/unit/l4/siphash.h"

static uint32_t hash_reference(
	const uint64_t key[2], const struct l4_flow *f, uint32_t isn, uint16_t period)
{
	size_t n = f->is6 ? 16 : 4, len = 2 * n;
	uint8_t bytes[43];

	memcpy(bytes, f->src, n);
	memcpy(bytes + n, f->dst, n);
	memcpy(bytes + len, &f->sport, 2);
	memcpy(bytes + len + 2, &f->dport, 2);
	memcpy(bytes + len + 4, &isn, 4);
	memcpy(bytes + len + 8, &period, 2);
	bytes[len + 10] = f->protocol;
	return (uint32_t)(siphash_reference(key, bytes, len + 11) >> 32) & 0xffffff00;
}

static const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

static struct l4_flow random_flow(bool is6)
{
	struct l4_flow f = { .protocol = 6, .is6 = is6 };

	for (int i = 0; i < (is6 ? 4 : 1); i++) {
		f.src[i] = (uint32_t)mrand48();
		f.dst[i] = (uint32_t)mrand48();
	}
	f.sport = (uint16_t)mrand48();
	f.dport = (uint16_t)mrand48();
	return f;
}

static void test_hash_is_siphash_1_3(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct l4_flow f = random_flow(i % 2);
		uint32_t isn = (uint32_t)mrand48();
		uint16_t now = (uint16_t)mrand48();
		const struct l4_syn none = { 0, L4_TCP_UNSCALED, false };
		uint32_t cookie = l4_cookie_make(key, &f, isn, &none, now);

		assert_int_equal(
			cookie & 0xffffff00, hash_reference(key, &f, isn, (uint16_t)(now >> 6)));
		assert_int_equal(cookie & 0x80, now & 0x40 ? 0x80 : 0);
	}
}

/* Whatever size stands in the SYN, the cookie says one that is no larger, if there is one. */
static void test_sizes(void **state)
{
	static const uint16_t sizes[2][4] = { { 536, 1300, 1440, 1460 },
		{ 1220, 1420, 1440, 8940 } };

	(void)state;
	for (int is6 = 0; is6 < 2; is6++)
		for (uint32_t mss = 0; mss <= UINT16_MAX; mss++) {
			uint32_t want = 0;

			while (want < 3 && sizes[is6][want + 1] <= mss)
				want++;
			assert_int_equal(l4_cookie_mss_index(is6, (uint16_t)mss), want);
			assert_int_equal(l4_cookie_mss(is6, want), sizes[is6][want]);
		}
}

static void test_all_that_a_syn_says_comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * 4 * 2 * 16; i++) {
		bool is6 = i & 1, sack = i >> 3 & 1;
		struct l4_flow f = random_flow(is6);
		struct l4_syn syn = { l4_cookie_mss(is6, i >> 1 & 3), (uint8_t)(i >> 4), sack },
			      got;
		uint32_t cookie = l4_cookie_make(key, &f, i, &syn, (uint16_t)(i * 517));

		got = l4_cookie_says(is6, cookie);
		assert_int_equal(got.mss, syn.mss);
		assert_int_equal(got.scale, syn.scale);
		assert_int_equal(got.sack, syn.sack);
		assert_true(l4_cookie_is_good(key, &f, i, cookie, (uint16_t)(i * 517)));
	}
}

/* In its own period and the next, wherever the clock's 16 bits begin anew. */
static void test_periods(void **state)
{
	const struct l4_syn syn = { 1460, 7, true };
	const struct l4_flow f = random_flow(false);

	(void)state;
	for (uint32_t begin = 0; begin < 65536; begin += 64) {
		uint32_t cookie =
			l4_cookie_make(key, &f, 5, &syn, (uint16_t)(begin + begin / 64 % 64));

		assert_true(l4_cookie_is_good(key, &f, 5, cookie, (uint16_t)begin));
		assert_true(l4_cookie_is_good(key, &f, 5, cookie, (uint16_t)(begin + 63)));
		assert_true(l4_cookie_is_good(key, &f, 5, cookie, (uint16_t)(begin + 64)));
		assert_true(l4_cookie_is_good(key, &f, 5, cookie, (uint16_t)(begin + 127)));
		assert_false(l4_cookie_is_good(key, &f, 5, cookie, (uint16_t)(begin + 128)));
		assert_false(l4_cookie_is_good(key, &f, 5, cookie, (uint16_t)(begin + 192)));
		assert_false(l4_cookie_is_good(key, &f, 5, cookie, (uint16_t)(begin - 1)));
	}
}

/* A cookie is of one flow, one sequence number and one key. */
static void test_others_are_not_good(void **state)
{
	const struct l4_syn syn = { 1460, 7, true };

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct l4_flow f = random_flow(i & 1), other = f;
		uint32_t isn = (uint32_t)mrand48(),
			 cookie = l4_cookie_make(key, &f, isn, &syn, 100);
		const uint64_t other_key[2] = { key[0] ^ 1ull << i % 64, key[1] };

		switch (i / 2 % 5) {
		case 0:
			other.src[i & 1 ? i / 10 % 4 : 0] ^= 1u << i % 32;
			break;
		case 1:
			other.dst[i & 1 ? i / 10 % 4 : 0] ^= 1u << i % 32;
			break;
		case 2:
			other.sport ^= (uint16_t)(1u << i % 16);
			break;
		case 3:
			other.dport ^= (uint16_t)(1u << i % 16);
			break;
		default:
			isn ^= 1u << i % 32;
		}
		assert_false(l4_cookie_is_good(key, &other, isn, cookie, 100));
		assert_false(l4_cookie_is_good(other_key, &f, isn, cookie, 100));
		for (unsigned bit = 7; bit < 32; bit++)
			assert_false(l4_cookie_is_good(key, &other, isn, cookie ^ 1u << bit, 100));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_siphash_1_3),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_all_that_a_syn_says_comes_back),
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_others_are_not_good),
	};

	srand48(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
