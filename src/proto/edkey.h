/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_EDKEY_H
#define PROTO_EDKEY_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Ed25519 with tor's expanded secret keys (what ADD_ONION's ED25519-V3 blob
 * holds): 64 bytes, a (32, little-endian clamped scalar) | RH (32, prefix for
 * nonces). It is SHA-512 of the seed, clamped; the seed can't be had back.
 * Never give one to crypto_sign_*(): that format is another.
 *
 * All key memory is the caller's and must be secret_alloc() memory; temporary
 * secrets are wiped here on every path.
 */
#define EDKEY_LEN 64
#define EDKEY_PUB_LEN 32
#define EDKEY_SEED_LEN 32
#define EDKEY_SIG_LEN 64

/* A new key from rng_bytes(). ERR_MEMORY if secret memory can't be had. */
int edkey_generate(uint8_t key[EDKEY_LEN], struct err *e);
/* SHA-512(seed), clamped. */
void edkey_from_seed(uint8_t key[EDKEY_LEN], const uint8_t seed[EDKEY_SEED_LEN]);
/*
 * Refuses (ERR_CRYPTO) what tor takes but nobody should sign with: low or high
 * bits of the scalar unclamped, an all-zero RH (its nonces are public), and,
 * when `pub` is not NULL, a public key other than `pub`.
 */
int edkey_check(const uint8_t key[EDKEY_LEN], const uint8_t *pub, struct err *e);
/* The public key; ERR_CRYPTO for a key that edkey_check() refuses. */
int edkey_pubkey(uint8_t pub[EDKEY_PUB_LEN], const uint8_t key[EDKEY_LEN], struct err *e);
/*
 * Plain Ed25519 (RFC 8032), byte-equal to crypto_sign_detached() from the same
 * seed. The public key is recomputed here (taking it from the caller would leak
 * the scalar), the key is checked first, and the signature is verified before
 * it is handed out (a fault would leak the scalar too).
 */
int edkey_sign(uint8_t sig[EDKEY_SIG_LEN], const uint8_t key[EDKEY_LEN], const void *msg, size_t n, struct err *e);

#endif
