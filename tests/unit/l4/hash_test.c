/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <stdlib.h>
#include <string.h>
#include "dataplane/l4/flow.h"
#include "tests/unit/l4/siphash.h"

static uint64_t flow_reference(const uint8_t key[16], const struct l4_flow *f)
{
	size_t n = f->is6 ? 16 : 4, len = 0;
	uint8_t bytes[37];

	memcpy(bytes, f->src, n);
	memcpy(bytes + n, f->dst, n);
	len = 2 * n;
	memcpy(bytes + len, &f->sport, 2);
	memcpy(bytes + len + 2, &f->dport, 2);
	bytes[len + 4] = f->protocol;
	return siphash_reference(key, bytes, len + 5);
}

static void random_flow(struct l4_flow *f, bool is6)
{
	memset(f, 0, sizeof *f);
	for (int i = 0; i < (is6 ? 4 : 1); i++) {
		f->src[i] = (uint32_t)mrand48();
		f->dst[i] = (uint32_t)mrand48();
	}
	f->sport = (uint16_t)mrand48();
	f->dport = (uint16_t)mrand48();
	f->protocol = (uint8_t)mrand48();
	f->is6 = is6;
}

static void test_flow_hash_is_siphash_1_3(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint64_t key[2] = { (uint64_t)mrand48() << 32 ^ (uint64_t)mrand48(),
			(uint64_t)mrand48() << 32 ^ (uint64_t)mrand48() };
		struct l4_flow f;

		random_flow(&f, i % 2);
		assert_true(l4_flow_hash(key, &f) == flow_reference((uint8_t *)key, &f));
	}
}

/* Slots are taken from the low bits: a million flows that differ in one field must fill them evenly. */
static void test_low_bits_are_even(void **state)
{
	static uint32_t slots[1024];
	const uint64_t key[2] = { 1, 2 };
	struct l4_flow f = { .protocol = 6 };
	double chi2 = 0;

	(void)state;
	for (uint32_t i = 0; i < 1 << 20; i++) {
		f.src[0] = i;
		slots[l4_flow_hash(key, &f) & 1023]++;
	}
	for (int i = 0; i < 1024; i++)
		chi2 += (slots[i] - 1024.0) * (slots[i] - 1024.0) / 1024.0;
	/* 1023 degrees of freedom: beyond 1200 once in ten thousand keys. */
	assert_true(chi2 < 1200);
}

static void test_multilinear_never_yields_zero(void **state)
{
	const uint64_t zero[L4_ML_KEYS] = { 0 };
	const uint32_t a[4] = { 1, 2, 3, 4 };

	(void)state;
	assert_int_equal(l4_ml_end(zero, l4_ml_address(zero, true, a), 7), 1);
}

static void test_multilinear_is_the_published_sum(void **state)
{
	const uint64_t k[L4_ML_KEYS] = { 11, 22ull << 32, 33ull << 32, 44ull << 32, 55ull << 32,
		66ull << 32 };
	const uint32_t a[4] = { 2, 3, 5, 7 };

	(void)state;
	assert_int_equal(l4_ml_end(k, l4_ml_address(k, false, a), 9), 22 * 2 + 66 * 9);
	assert_int_equal(l4_ml_end(k, l4_ml_address(k, true, a), 9),
		22 * 2 + 33 * 3 + 44 * 5 + 55 * 7 + 66 * 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_hash_is_siphash_1_3),
		cmocka_unit_test(test_low_bits_are_even),
		cmocka_unit_test(test_multilinear_never_yields_zero),
		cmocka_unit_test(test_multilinear_is_the_published_sum),
	};

	srand48(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
