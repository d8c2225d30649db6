/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ed25519 with tor's expanded secret keys, by libsodium's scalar arithmetic. Owns nothing:
 * keys are the caller's, temporary secrets live in one secret allocation and are wiped.
 */
#include "config.h"
#include "proto/edkey.h"

#include "base/mem.h"
#include "base/rng.h"

#include <sodium.h>
#include <string.h>

#define SCALAR_LEN 32

void
edkey_from_seed(uint8_t key[EDKEY_LEN], const uint8_t seed[EDKEY_SEED_LEN])
{
	crypto_hash_sha512(key, seed, EDKEY_SEED_LEN);
	key[0] &= 248;
	key[31] &= 127;
	key[31] |= 64;
}

int
edkey_generate(uint8_t key[EDKEY_LEN], struct err *e)
{
	uint8_t *seed = secret_alloc(EDKEY_SEED_LEN);

	if (seed == NULL)
		return err_set(e, ERR_MEMORY, "no secret memory for a key");
	rng_bytes(seed, EDKEY_SEED_LEN);
	edkey_from_seed(key, seed);
	secret_free(seed);
	return 0;
}

/* The public half without any check of the key. */
static int
public_half(uint8_t pub[EDKEY_PUB_LEN], const uint8_t key[EDKEY_LEN], struct err *e)
{
	if (crypto_scalarmult_ed25519_base_noclamp(pub, key) != 0)
		return err_set(e, ERR_CRYPTO, "the onion key's scalar is zero");
	return 0;
}

int
edkey_check(const uint8_t key[EDKEY_LEN], const uint8_t *pub, struct err *e)
{
	uint8_t mine[EDKEY_PUB_LEN];

	if ((key[0] & 7) != 0 || (key[31] & 0xc0) != 0x40)
		return err_set(e, ERR_CRYPTO, "the onion key's scalar is not clamped");
	if (sodium_is_zero(key + SCALAR_LEN, EDKEY_LEN - SCALAR_LEN))
		return err_set(e, ERR_CRYPTO, "the onion key's nonce prefix is all zero");
	if (public_half(mine, key, e) != 0)
		return -1;
	if (pub != NULL && sodium_memcmp(mine, pub, EDKEY_PUB_LEN) != 0)
		return err_set(e, ERR_CRYPTO, "the onion key belongs to another address");
	return 0;
}

int
edkey_pubkey(uint8_t pub[EDKEY_PUB_LEN], const uint8_t key[EDKEY_LEN], struct err *e)
{
	if (edkey_check(key, NULL, e) != 0)
		return -1;
	return public_half(pub, key, e);
}

/* What signing needs to keep secret, in one allocation. */
struct scratch {
	crypto_hash_sha512_state hash;
	uint8_t wide[64], r[SCALAR_LEN], ka[SCALAR_LEN];
};

/* out = SHA-512(a | b | msg) mod L; a and b are 32 bytes each, b may be NULL. */
static void
hash_to_scalar(struct scratch *t, uint8_t out[SCALAR_LEN], const uint8_t *a, const uint8_t *b, const void *msg,
    size_t n)
{
	crypto_hash_sha512_init(&t->hash);
	crypto_hash_sha512_update(&t->hash, a, 32);
	if (b != NULL)
		crypto_hash_sha512_update(&t->hash, b, 32);
	crypto_hash_sha512_update(&t->hash, msg, n);
	crypto_hash_sha512_final(&t->hash, t->wide);
	crypto_core_ed25519_scalar_reduce(out, t->wide);
}

int
edkey_sign(uint8_t sig[EDKEY_SIG_LEN], const uint8_t key[EDKEY_LEN], const void *msg, size_t n, struct err *e)
{
	uint8_t pub[EDKEY_PUB_LEN], made[EDKEY_SIG_LEN], k[SCALAR_LEN];
	struct scratch *t = NULL;
	int ret = -1;

	if (edkey_pubkey(pub, key, e) != 0)
		return -1;
	t = secret_alloc(sizeof *t);
	if (t == NULL)
		return err_set(e, ERR_MEMORY, "no secret memory for a signature");
	hash_to_scalar(t, t->r, key + SCALAR_LEN, NULL, msg, n);
	if (crypto_scalarmult_ed25519_base_noclamp(made, t->r) != 0) {
		err_set(e, ERR_CRYPTO, "the signature's nonce is zero");
		goto out;
	}
	hash_to_scalar(t, k, made, pub, msg, n);
	crypto_core_ed25519_scalar_mul(t->ka, k, key);
	crypto_core_ed25519_scalar_add(made + 32, t->ka, t->r);
	if (crypto_sign_verify_detached(made, msg, n, pub) != 0) {
		err_set(e, ERR_CRYPTO, "a signature just made does not verify");
		goto out;
	}
	memcpy(sig, made, EDKEY_SIG_LEN);
	ret = 0;
out:
	if (ret != 0)
		mem_wipe(made, sizeof made);
	secret_free(t);
	return ret;
}
