/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * minisign's public keys and signatures. Only prehashed ("ED") signatures exist here, and keys are
 * compared whole: neither the algorithm bytes nor the key id are covered by a signature.
 * Secret key files are in minisign_key.c.
 */
#include "config.h"
#include "proto/minisign.h"

#include "base/buf.h"
#include "base/enc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PK_RAW_LEN 42  /* "Ed" | id | key */
#define SIG_RAW_LEN 74 /* "ED" | id | signature */

static const char untrusted_prefix[] = "untrusted comment: ";
static const char trusted_prefix[] = "trusted comment: ";

/* One line of a file that is being read. */
struct line {
	const char *p;
	size_t n;
};

/* Takes a line that must end with LF off the front of *p; -1 if there is none. */
static int
line_take(struct line *out, const char **p, const char *end)
{
	const char *lf = memchr(*p, '\n', (size_t)(end - *p));

	if (lf == NULL)
		return -1;
	out->p = *p;
	out->n = (size_t)(lf - *p);
	*p = lf + 1;
	return 0;
}

/* Strips a fixed prefix and checks that the rest is at most `max` printable ASCII, or with `lax` anything but control characters (TAB is none). */
static int
comment_strip(struct line *l, const char *prefix, size_t max, bool lax)
{
	size_t n = strlen(prefix), i;

	if (l->n < n || memcmp(l->p, prefix, n) != 0 || l->n - n > max)
		return -1;
	l->p += n;
	l->n -= n;
	for (i = 0; i < l->n; i++) {
		unsigned char c = (unsigned char)l->p[i];

		if (c == 0x7f || (lax ? c < 0x20 && c != '\t' : c < 0x20 || c > 0x7e))
			return -1;
	}
	return 0;
}

/* Decodes a line of exactly n bytes in base64. */
static int
line_b64(uint8_t *out, size_t n, const struct line *l)
{
	return b64_decode(out, n, l->p, l->n);
}

void
minisign_key_id(uint8_t id[MINISIGN_ID_LEN], const uint8_t pk[MINISIGN_PK_LEN])
{
	/* libsodium names 16 as the shortest output but takes 1 to 64. */
	crypto_generichash_blake2b(id, MINISIGN_ID_LEN, pk, MINISIGN_PK_LEN, NULL, 0);
}

int
minisign_pubkey_parse(uint8_t pk[MINISIGN_PK_LEN], uint8_t *id, const char *text, size_t len, struct err *e)
{
	const char *p = text, *end = text + len;
	uint8_t raw[PK_RAW_LEN];
	struct line l;

	if (len > MINISIGN_KEY_FILE_MAX)
		return err_set(e, ERR_LIMIT, "the public key file is larger than %d bytes", MINISIGN_KEY_FILE_MAX);
	if (line_take(&l, &p, end) != 0)
		return err_set(e, ERR_PARSE, "not a minisign public key file: only one line");
	if (l.n > 0 && l.p[l.n - 1] == '\r')
		l.n--;
	if (comment_strip(&l, untrusted_prefix, MINISIGN_COMMENT_MAX, true) != 0)
		return err_set(e, ERR_PARSE, "not a minisign public key file: no untrusted comment");
	while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	l.p = p;
	l.n = (size_t)(end - p);
	if (line_b64(raw, sizeof raw, &l) != 0 || raw[0] != 'E' || raw[1] != 'd')
		return err_set(e, ERR_PARSE, "not a minisign public key file: the key line is wrong");
	if (id != NULL)
		memcpy(id, raw + 2, MINISIGN_ID_LEN);
	memcpy(pk, raw + 2 + MINISIGN_ID_LEN, MINISIGN_PK_LEN);
	return 0;
}

/* Key ids are shown as minisign does: the little-endian number in upper-case hex. */
static void
id_format(char out[2 * MINISIGN_ID_LEN + 1], const uint8_t id[MINISIGN_ID_LEN])
{
	int i;

	for (i = 0; i < MINISIGN_ID_LEN; i++)
		snprintf(out + 2 * i, 3, "%02X", id[MINISIGN_ID_LEN - 1 - i]);
}

void
minisign_pubkey_format(char out[MINISIGN_PUBKEY_TEXT], const uint8_t pk[MINISIGN_PK_LEN], const uint8_t *id)
{
	char shown[2 * MINISIGN_ID_LEN + 1], b64[B64_LEN(PK_RAW_LEN) + 1];
	uint8_t raw[PK_RAW_LEN] = { 'E', 'd' };

	if (id != NULL)
		memcpy(raw + 2, id, MINISIGN_ID_LEN);
	else
		minisign_key_id(raw + 2, pk);
	memcpy(raw + 2 + MINISIGN_ID_LEN, pk, MINISIGN_PK_LEN);
	id_format(shown, raw + 2);
	b64_encode(b64, raw, sizeof raw);
	snprintf(out, MINISIGN_PUBKEY_TEXT, "%sminisign public key %s\n%s\n", untrusted_prefix, shown, b64);
}

int
minisign_sig_parse(struct minisign_sig *out, const char *text, size_t len, struct err *e)
{
	const char *p = text, *end = text + len;
	uint8_t raw[SIG_RAW_LEN], global[64];
	struct line l[4];
	int i;

	if (len > MINISIGN_SIG_MAX)
		return err_set(e, ERR_PARSE, "the signature file is larger than %d bytes", MINISIGN_SIG_MAX);
	for (i = 0; i < 4; i++)
		if (line_take(&l[i], &p, end) != 0)
			return err_set(e, ERR_PARSE, "a signature file has four lines, this one has %d", i);
	if (p != end)
		return err_set(e, ERR_PARSE, "the signature file goes on after its fourth line");
	if (comment_strip(&l[0], untrusted_prefix, MINISIGN_COMMENT_MAX, false) != 0 ||
	    comment_strip(&l[2], trusted_prefix, MINISIGN_TRUSTED_MAX, false) != 0)
		return err_set(e, ERR_PARSE, "the signature file's comments are wrong");
	if (line_b64(raw, sizeof raw, &l[1]) != 0 || line_b64(global, sizeof global, &l[3]) != 0)
		return err_set(e, ERR_PARSE, "the signature file's base64 is wrong");
	if (raw[0] != 'E' || raw[1] != 'D')
		return err_set(e, ERR_PARSE, "the signature is not of the prehashed kind (ED)");
	memcpy(out->id, raw + 2, MINISIGN_ID_LEN);
	memcpy(out->sig, raw + 2 + MINISIGN_ID_LEN, sizeof out->sig);
	memcpy(out->global, global, sizeof global);
	out->comment = l[2].p;
	out->comment_len = l[2].n;
	return 0;
}

void
minisign_hash(uint8_t hash[MINISIGN_HASH_LEN], const void *file, size_t n)
{
	crypto_generichash_blake2b(hash, MINISIGN_HASH_LEN, file, n, NULL, 0);
}

int
minisign_verify_hash(const struct minisign_sig *sig, const uint8_t hash[MINISIGN_HASH_LEN],
    const uint8_t pk[MINISIGN_PK_LEN], const char *comment)
{
	uint8_t signed_part[64 + MINISIGN_TRUSTED_MAX];

	if (sig->comment_len > MINISIGN_TRUSTED_MAX)
		return -1;
	if (comment != NULL &&
	    (strlen(comment) != sig->comment_len || memcmp(comment, sig->comment, sig->comment_len) != 0))
		return -1;
	if (crypto_sign_verify_detached(sig->sig, hash, MINISIGN_HASH_LEN, pk) != 0)
		return -1;
	memcpy(signed_part, sig->sig, 64);
	memcpy(signed_part + 64, sig->comment, sig->comment_len);
	return crypto_sign_verify_detached(sig->global, signed_part, 64 + sig->comment_len, pk);
}

int
minisign_verify(const void *file, size_t n, const char *sig, size_t sig_len, const uint8_t pk[MINISIGN_PK_LEN],
    const char *comment, struct err *e)
{
	uint8_t hash[MINISIGN_HASH_LEN];
	struct minisign_sig s;

	if (minisign_sig_parse(&s, sig, sig_len, e) != 0)
		return -1;
	minisign_hash(hash, file, n);
	if (minisign_verify_hash(&s, hash, pk, NULL) != 0)
		return err_set(e, ERR_CRYPTO, "the signature is not by this key over these bytes");
	if (minisign_verify_hash(&s, hash, pk, comment) != 0)
		return err_set(e, ERR_CRYPTO, "the signature's trusted comment is not the expected one");
	return 0;
}

static bool
printable(const char *s, size_t max)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (i >= max || s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

int
minisign_sign(char **out, const uint8_t sk[MINISIGN_SK_LEN], const uint8_t *id, const void *file, size_t n,
    const char *trusted, const char *untrusted, struct err *e)
{
	char sig64[B64_LEN(SIG_RAW_LEN) + 1], global64[B64_LEN(64) + 1];
	uint8_t hash[MINISIGN_HASH_LEN], raw[SIG_RAW_LEN] = { 'E', 'D' }, global[64];
	uint8_t signed_part[64 + MINISIGN_TRUSTED_MAX];
	const uint8_t *pk = sk + 32;
	struct buf b = BUF_INIT(MINISIGN_SIG_MAX);
	char *text;
	size_t len;

	if (untrusted == NULL)
		untrusted = "signature by onionmirror";
	if (!printable(trusted, MINISIGN_TRUSTED_MAX) || !printable(untrusted, MINISIGN_COMMENT_MAX))
		return err_set(e, ERR_PARSE, "a signature's comment must be one line of printable ASCII");
	if (id != NULL)
		memcpy(raw + 2, id, MINISIGN_ID_LEN);
	else
		minisign_key_id(raw + 2, pk);
	minisign_hash(hash, file, n);
	crypto_sign_detached(raw + 2 + MINISIGN_ID_LEN, NULL, hash, sizeof hash, sk);
	memcpy(signed_part, raw + 2 + MINISIGN_ID_LEN, 64);
	memcpy(signed_part + 64, trusted, strlen(trusted));
	crypto_sign_detached(global, NULL, signed_part, 64 + strlen(trusted), sk);
	b64_encode(sig64, raw, sizeof raw);
	b64_encode(global64, global, sizeof global);
	buf_addf(&b, "%s%s\n%s\n%s%s\n%s\n", untrusted_prefix, untrusted, sig64, trusted_prefix, trusted, global64);
	len = b.len;
	text = buf_take(&b);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a signature");
	if (minisign_verify(file, n, text, len, pk, trusted, e) != 0) {
		free(text);
		return -1;
	}
	*out = text;
	return 0;
}
