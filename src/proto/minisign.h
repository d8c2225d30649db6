/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_MINISIGN_H
#define PROTO_MINISIGN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * minisign's files (https://jedisct1.github.io/minisign/, "File formats").
 * Signatures: algorithm "ED" only, that is Ed25519 over the unkeyed BLAKE2b-512
 * of the file. "Ed" is refused: the two algorithm bytes are not signed, so a
 * flip would turn a signature of a file into one of its hash. Neither is the
 * key id: it is never believed, only whole keys are compared.
 *
 * Stock `minisign -V -H` accepts what is written here.
 */
#define MINISIGN_PK_LEN 32
#define MINISIGN_SK_LEN 64 /* libsodium's: seed | public key */
#define MINISIGN_ID_LEN 8
#define MINISIGN_HASH_LEN 64
#define MINISIGN_PUBKEY_TEXT 256  /* room that minisign_pubkey_format() needs */
#define MINISIGN_SECKEY_TEXT 512  /* room that minisign_seckey_format() needs */
#define MINISIGN_KEY_FILE_MAX 4096
#define MINISIGN_COMMENT_MAX 1024 /* characters of an untrusted comment */
#define MINISIGN_TRUSTED_MAX 8192 /* characters of a trusted comment */
#define MINISIGN_SIG_MAX 16384    /* bytes of a signature file */

/* The id of keys that we make: BLAKE2b-64 of the public key. */
void minisign_key_id(uint8_t id[MINISIGN_ID_LEN], const uint8_t pk[MINISIGN_PK_LEN]);

/* A public key file: an untrusted comment line and 42 bytes of base64; LF at the end may be missing, CRLF is accepted. `id` may be NULL. */
int minisign_pubkey_parse(uint8_t pk[MINISIGN_PK_LEN], uint8_t *id, const char *text, size_t len, struct err *e);
/* Writes the file's text and a NUL; `id` NULL: minisign_key_id(). */
void minisign_pubkey_format(char out[MINISIGN_PUBKEY_TEXT], const uint8_t pk[MINISIGN_PK_LEN], const uint8_t *id);

/* Lives in secret_alloc() memory. */
struct minisign_seckey {
	uint8_t id[MINISIGN_ID_LEN]; /* as in its file; goes into its signatures so that the stock tool finds the key */
	uint8_t sk[MINISIGN_SK_LEN];
};

/* Makes a key from rng_bytes(), id = minisign_key_id(). */
int minisign_seckey_generate(struct minisign_seckey *key, struct err *e);
/* Whether the text looks like a secret key file that needs a passphrase. */
bool minisign_seckey_encrypted(const char *text, size_t len);
/*
 * Reads a secret key file: unencrypted (minisign -W; version 0.11 leaves its
 * checksum all zero, which is accepted) or encrypted by scrypt. The passphrase
 * is `n` bytes, ignored for an unencrypted file, borrowed. ERR_AUTH: a
 * passphrase is needed or is wrong; ERR_PARSE: not such a file; ERR_CRYPTO: its
 * halves don't belong together; ERR_LIMIT: it asks for more than 1 GiB.
 */
int minisign_seckey_parse(struct minisign_seckey *key, const char *text, size_t len, const void *passphrase, size_t n,
    struct err *e);
/* scrypt cost; 0 means minisign's own default (33554432 and 1 GiB: about 3 seconds). */
struct minisign_cost {
	uint64_t ops, mem;
};
/*
 * Writes a secret key file and a NUL into MINISIGN_SECKEY_TEXT bytes of secret
 * memory. `passphrase` NULL: unencrypted, as -W. `cost` may be NULL.
 */
int minisign_seckey_format(char *out, const struct minisign_seckey *key, const void *passphrase, size_t n,
    const struct minisign_cost *cost, struct err *e);

/* A parsed signature file; `comment` points into the text. */
struct minisign_sig {
	uint8_t id[MINISIGN_ID_LEN]; /* not signed, for display only */
	uint8_t sig[64];
	uint8_t global[64];          /* over sig | trusted comment */
	const char *comment;         /* trusted comment, comment_len characters, not NUL-ended */
	size_t comment_len;
};

/*
 * Exactly four LF-ended lines, canonical base64, "ED", printable ASCII in the
 * comments (as a bundle can hold it), nothing behind. ERR_PARSE otherwise.
 */
int minisign_sig_parse(struct minisign_sig *out, const char *text, size_t len, struct err *e);

/* BLAKE2b-512 of a file: what an "ED" signature is over. Compute once, check many signatures. */
void minisign_hash(uint8_t hash[MINISIGN_HASH_LEN], const void *file, size_t n);
/* 0 if both signatures are `pk`'s and the trusted comment is `comment` (NULL: any); else -1. */
int minisign_verify_hash(const struct minisign_sig *sig, const uint8_t hash[MINISIGN_HASH_LEN],
    const uint8_t pk[MINISIGN_PK_LEN], const char *comment);
/* All in one; ERR_PARSE or ERR_CRYPTO. */
int minisign_verify(const void *file, size_t n, const char *sig, size_t sig_len, const uint8_t pk[MINISIGN_PK_LEN],
    const char *comment, struct err *e);

/*
 * Signs `file` (ED). *out is the signature file's text, malloced, NUL-ended.
 * `id` NULL: minisign_key_id(); `untrusted` NULL: "signature by onionmirror".
 * Comments must be one line of printable ASCII (ERR_PARSE). The result is
 * verified before it is handed out.
 */
int minisign_sign(char **out, const uint8_t sk[MINISIGN_SK_LEN], const uint8_t *id, const void *file, size_t n,
    const char *trusted, const char *untrusted, struct err *e);

#endif
