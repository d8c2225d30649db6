/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * minisign's secret key files, plain and under a passphrase (scrypt). All that is secret lives in
 * secret memory of the caller or in one block here, wiped on every path.
 */
#include "config.h"
#include "proto/minisign.h"

#include "base/enc.h"
#include "base/mem.h"
#include "base/rng.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SALT_LEN 32
#define OPS_DEFAULT UINT64_C(33554432)
#define MEM_DEFAULT UINT64_C(1073741824)
#define OPS_LIMIT (OPS_DEFAULT * 4)

/* 158 bytes: "Ed" | kdf | "B2" | salt | ops | mem | and, encrypted as one: id | secret key | checksum. */
enum {
	AT_SIG = 0,
	AT_KDF = 2,
	AT_CHECK = 4,
	AT_SALT = 6,
	AT_OPS = 38,
	AT_MEM = 46,
	AT_ID = 54,
	AT_SK = 62,
	AT_SUM = 126,
	RAW_LEN = 158,
	SEALED_LEN = RAW_LEN - AT_ID
};

struct keyfile {
	uint8_t raw[RAW_LEN];
	uint8_t stream[SEALED_LEN];
	uint8_t sum[32];
};

static uint64_t
le64_get(const uint8_t *p)
{
	uint64_t v = 0;
	int i;

	for (i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static void
le64_put(uint8_t *p, uint64_t v)
{
	int i;

	for (i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* BLAKE2b-256("Ed" | id | secret key) */
static void
checksum(uint8_t out[32], const uint8_t raw[RAW_LEN])
{
	crypto_generichash_blake2b_state st;

	crypto_generichash_blake2b_init(&st, NULL, 0, 32);
	crypto_generichash_blake2b_update(&st, raw + AT_SIG, 2);
	crypto_generichash_blake2b_update(&st, raw + AT_ID, AT_SUM - AT_ID);
	crypto_generichash_blake2b_final(&st, out, 32);
	mem_wipe(&st, sizeof st);
}

/* Encrypts or decrypts in place. */
static int
apply_stream(struct keyfile *k, const void *passphrase, size_t n, struct err *e)
{
	uint64_t ops = le64_get(k->raw + AT_OPS), mem = le64_get(k->raw + AT_MEM);
	size_t i;

	if (mem > MEM_DEFAULT || ops > OPS_LIMIT)
		return err_set(e, ERR_LIMIT, "the key file asks for more work than 1 GiB of scrypt");
	if (crypto_pwhash_scryptsalsa208sha256(k->stream, SEALED_LEN, passphrase, n, k->raw + AT_SALT, ops, mem) != 0)
		return err_set(e, ERR_MEMORY, "no memory for scrypt (%llu MiB)", (unsigned long long)(mem >> 20));
	for (i = 0; i < SEALED_LEN; i++)
		k->raw[AT_ID + i] ^= k->stream[i];
	return 0;
}

/* The base64 of a key file: all that is behind its first line, which must be a comment. */
static int
decode_file(uint8_t raw[RAW_LEN], const char *text, size_t len)
{
	static const char prefix[] = "untrusted comment: ";
	const char *end = text + len, *p;

	if (len > MINISIGN_KEY_FILE_MAX || len < sizeof prefix || memcmp(text, prefix, sizeof prefix - 1) != 0)
		return -1;
	p = memchr(text, '\n', len);
	if (p == NULL)
		return -1;
	p++;
	while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	if (b64_decode(raw, RAW_LEN, p, (size_t)(end - p)) != 0)
		return -1;
	return memcmp(raw + AT_SIG, "Ed", 2) == 0 && memcmp(raw + AT_CHECK, "B2", 2) == 0 ? 0 : -1;
}

bool
minisign_seckey_encrypted(const char *text, size_t len)
{
	uint8_t raw[RAW_LEN];
	bool yes = decode_file(raw, text, len) == 0 && memcmp(raw + AT_KDF, "Sc", 2) == 0;

	mem_wipe(raw, sizeof raw);
	return yes;
}

/* Whether the two halves of a decrypted key belong together. */
static bool
halves_match(const uint8_t sk[MINISIGN_SK_LEN])
{
	uint8_t pk[MINISIGN_PK_LEN], *again = secret_alloc(MINISIGN_SK_LEN);
	bool same;

	if (again == NULL)
		return false;
	crypto_sign_seed_keypair(pk, again, sk);
	same = sodium_memcmp(pk, sk + 32, sizeof pk) == 0;
	secret_free(again);
	return same;
}

static int
open_file(struct keyfile *k, const char *text, size_t len, const void *passphrase, size_t n, struct err *e)
{
	bool sealed;

	if (decode_file(k->raw, text, len) != 0)
		return err_set(e, ERR_PARSE, "not a minisign secret key file");
	sealed = memcmp(k->raw + AT_KDF, "Sc", 2) == 0;
	if (!sealed && (k->raw[AT_KDF] != 0 || k->raw[AT_KDF + 1] != 0))
		return err_set(e, ERR_PARSE, "the secret key file uses an unknown key derivation");
	if (sealed && passphrase == NULL)
		return err_set(e, ERR_AUTH, "the secret key file needs a passphrase");
	if (sealed && apply_stream(k, passphrase, n, e) != 0)
		return -1;
	checksum(k->sum, k->raw);
	/* minisign 0.11 -W leaves the checksum zero. */
	if (sodium_memcmp(k->sum, k->raw + AT_SUM, 32) != 0 && (sealed || !sodium_is_zero(k->raw + AT_SUM, 32)))
		return sealed ? err_set(e, ERR_AUTH, "wrong passphrase for the secret key file")
		              : err_set(e, ERR_CRYPTO, "the secret key file is damaged");
	if (!halves_match(k->raw + AT_SK))
		return err_set(e, ERR_CRYPTO, "the secret key file's halves don't belong together");
	return 0;
}

int
minisign_seckey_parse(struct minisign_seckey *key, const char *text, size_t len, const void *passphrase, size_t n,
    struct err *e)
{
	struct keyfile *k = secret_alloc(sizeof *k);
	int ret = -1;

	if (k == NULL)
		return err_set(e, ERR_MEMORY, "no secret memory for a key");
	if (open_file(k, text, len, passphrase, n, e) == 0) {
		memcpy(key->id, k->raw + AT_ID, MINISIGN_ID_LEN);
		memcpy(key->sk, k->raw + AT_SK, MINISIGN_SK_LEN);
		ret = 0;
	}
	secret_free(k);
	return ret;
}

int
minisign_seckey_format(char *out, const struct minisign_seckey *key, const void *passphrase, size_t n,
    const struct minisign_cost *cost, struct err *e)
{
	struct keyfile *k = secret_alloc(sizeof *k);
	int ret = -1;

	if (k == NULL)
		return err_set(e, ERR_MEMORY, "no secret memory for a key");
	memset(k->raw, 0, sizeof k->raw);
	memcpy(k->raw + AT_SIG, "Ed", 2);
	memcpy(k->raw + AT_CHECK, "B2", 2);
	memcpy(k->raw + AT_ID, key->id, MINISIGN_ID_LEN);
	memcpy(k->raw + AT_SK, key->sk, MINISIGN_SK_LEN);
	if (passphrase != NULL) {
		memcpy(k->raw + AT_KDF, "Sc", 2);
		rng_bytes(k->raw + AT_SALT, SALT_LEN);
		le64_put(k->raw + AT_OPS, cost != NULL && cost->ops != 0 ? cost->ops : OPS_DEFAULT);
		le64_put(k->raw + AT_MEM, cost != NULL && cost->mem != 0 ? cost->mem : MEM_DEFAULT);
		checksum(k->raw + AT_SUM, k->raw);
		if (apply_stream(k, passphrase, n, e) != 0)
			goto out;
	}
	ret = snprintf(out, MINISIGN_SECKEY_TEXT, "untrusted comment: minisign %ssecret key\n",
	    passphrase != NULL ? "encrypted " : "unencrypted ");
	b64_encode(out + ret, k->raw, RAW_LEN);
	memcpy(out + ret + B64_LEN(RAW_LEN), "\n", 2);
	ret = 0;
out:
	secret_free(k);
	return ret;
}

int
minisign_seckey_generate(struct minisign_seckey *key, struct err *e)
{
	uint8_t pk[MINISIGN_PK_LEN], *seed = secret_alloc(crypto_sign_SEEDBYTES);

	if (seed == NULL)
		return err_set(e, ERR_MEMORY, "no secret memory for a key");
	rng_bytes(seed, crypto_sign_SEEDBYTES);
	crypto_sign_seed_keypair(pk, key->sk, seed);
	minisign_key_id(key->id, pk);
	secret_free(seed);
	return 0;
}
