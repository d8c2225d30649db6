/* SPDX-License-Identifier: BSD-3-Clause */
/* tor's expanded keys: the vector made with tor, equality with libsodium's own signatures, broken keys. */
#include "config.h"
#include "proto/edkey.h"

#include "base/enc.h"
#include "base/mem.h"
#include "proto/onion.h"

#include <criterion/criterion.h>
/* OpenSSL has a type of the name of our ERR_STATE. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#undef ERR_STATE
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static uint8_t *key;

static void
setup(void)
{
	cr_assert_geq(sodium_init(), 0);
	key = secret_alloc(EDKEY_LEN);
}

static void
teardown(void)
{
	secret_free(key);
}

TestSuite(proto_edkey, .init = setup, .fini = teardown);

Test(proto_edkey, tors_own_vector)
{
	uint8_t seed[EDKEY_SEED_LEN], pub[EDKEY_PUB_LEN];
	char blob[B64_LEN(EDKEY_LEN) + 1], addr[ONION_ADDR_LEN + 1];
	size_t i;

	for (i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t)(7 + i);
	edkey_from_seed(key, seed);
	b64_encode(blob, key, EDKEY_LEN);
	cr_expect_str_eq(blob, "EBdAhMve0kC/U1by+V9d3g+NtpzK19WecLhxiH5ZemKLlWfcg2iDniNG+VU7SWjG/oVtWnZp8cVOlvZc/aSwOQ==");
	cr_assert_eq(edkey_pubkey(pub, key, NULL), 0);
	cr_assert_eq(onion_from_pubkey(addr, pub), 0);
	cr_expect_str_eq(addr, "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad");
}

Test(proto_edkey, signatures_equal_libsodiums_from_the_same_seed)
{
	uint8_t seed[32], pub[32], sk[64], want[64], got[64], msg[40];
	struct err e = ERR_INIT;
	int i;

	for (i = 0; i < 50; i++) {
		randombytes_buf(seed, sizeof seed);
		randombytes_buf(msg, sizeof msg);
		crypto_sign_seed_keypair(pub, sk, seed);
		crypto_sign_detached(want, NULL, msg, (size_t)i % sizeof msg, sk);
		edkey_from_seed(key, seed);
		cr_expect_eq(edkey_check(key, pub, &e), 0, "%s", e.msg);
		cr_assert_eq(edkey_sign(got, key, msg, (size_t)i % sizeof msg, &e), 0, "%s", e.msg);
		cr_expect_eq(memcmp(got, want, sizeof got), 0);
	}
}

Test(proto_edkey, openssl_accepts_a_generated_keys_signature)
{
	uint8_t pub[32], sig[64];
	EVP_PKEY *pk;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	cr_assert_eq(edkey_generate(key, NULL), 0);
	cr_assert_eq(edkey_pubkey(pub, key, NULL), 0);
	cr_assert_eq(edkey_sign(sig, key, "hello", 5, NULL), 0);
	pk = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, sizeof pub);
	cr_assert_eq(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pk), 1);
	cr_expect_eq(EVP_DigestVerify(ctx, sig, sizeof sig, (const uint8_t *)"hello", 5), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pk);
}

Test(proto_edkey, keys_that_tor_takes_but_nobody_should_sign_with)
{
	static const struct {
		size_t at;
		uint8_t flip;
		const char *what;
	} rows[] = {
		{ 0, 0x01, "low bit" },
		{ 0, 0x04, "third bit" },
		{ 31, 0x80, "highest bit" },
		{ 31, 0x40, "bit 254" },
	};
	uint8_t sig[64], pub[32];
	struct err e = ERR_INIT;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		err_clear(&e);
		edkey_generate(key, NULL);
		key[rows[i].at] ^= rows[i].flip;
		cr_expect_eq(edkey_sign(sig, key, "x", 1, &e), -1, "%s", rows[i].what);
		cr_expect_eq(e.code, ERR_CRYPTO, "%s", rows[i].what);
		cr_expect_eq(edkey_pubkey(pub, key, NULL), -1, "%s", rows[i].what);
	}
	edkey_generate(key, NULL);
	memset(key + 32, 0, 32);
	cr_expect_eq(edkey_check(key, NULL, NULL), -1, "all-zero RH");
	edkey_generate(key, NULL);
	memset(pub, 1, sizeof pub);
	cr_expect_eq(edkey_check(key, pub, NULL), -1, "another public key");
}
