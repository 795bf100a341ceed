/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include "tests/unit/test.h"

/* SipHash-1-3 as OpenSSL computes it: another implementation, over bytes. */
static inline uint64_t siphash_reference(const void *key, const uint8_t *bytes, size_t len)
{
	unsigned c = 1, d = 3, size = 8;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	uint64_t out = 0;
	size_t n;

	assert_non_null(ctx);
	assert_int_equal(EVP_MAC_init(ctx, key, 16, params), 1);
	assert_int_equal(EVP_MAC_update(ctx, bytes, len), 1);
	assert_int_equal(EVP_MAC_final(ctx, (uint8_t *)&out, &n, sizeof out), 1);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return out;
}
