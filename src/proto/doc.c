/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the documents of a mirror list have in common: reasons, names, hashes, site ids, trusted
 * comments, tombstones, possession texts, urls. Each kind of document has its own file. Owns nothing.
 */
#include "config.h"
#include "proto/doc.h"

#include "base/enc.h"
#include "proto/edkey.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum err_code code;
} reasons[DOC__COUNT] = {
	[DOC_OK] = { "ok", ERR_NONE },
	[DOC_MALFORMED] = { "malformed", ERR_PARSE },
	[DOC_TOO_LARGE] = { "too-large", ERR_LIMIT },
	[DOC_WRONG_SITE] = { "wrong-site", ERR_PROTO },
	[DOC_BAD_SIGNATURE] = { "bad-signature", ERR_CRYPTO },
	[DOC_THRESHOLD] = { "threshold", ERR_CRYPTO },
	[DOC_UNCERTIFIED] = { "uncertified", ERR_PROTO },
	[DOC_EXPIRED] = { "expired", ERR_PROTO },
	[DOC_NOT_YET_VALID] = { "not-yet-valid", ERR_PROTO },
	[DOC_ROLLBACK] = { "rollback", ERR_PROTO },
	[DOC_FORK] = { "fork", ERR_PROTO },
	[DOC_NOT_LISTED] = { "not-listed", ERR_PROTO },
	[DOC_REVOKED] = { "revoked", ERR_PROTO },
	[DOC_RETIRED] = { "retired", ERR_PROTO },
	[DOC_BAD_POSSESSION] = { "bad-possession", ERR_CRYPTO },
	[DOC_MISMATCH] = { "mismatch", ERR_PROTO },
	[DOC_CLOCK] = { "clock", ERR_PROTO },
	[DOC_MISSING] = { "missing", ERR_PROTO },
	[DOC_NO_MEMORY] = { "no-memory", ERR_MEMORY },
};

const char *
doc_reason_name(enum doc_reason r)
{
	return (unsigned)r < DOC__COUNT ? reasons[r].name : "unknown";
}

int
doc_reason_parse(enum doc_reason *r, const char *name)
{
	unsigned i;

	for (i = 0; i < DOC__COUNT; i++)
		if (strcmp(reasons[i].name, name) == 0) {
			*r = (enum doc_reason)i;
			return 0;
		}
	return -1;
}

enum doc_reason
doc_fail(struct err *e, enum doc_reason r, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (e != NULL) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof text, fmt, ap);
		va_end(ap);
		err_set(e, reasons[r].code, "%s", text);
	}
	return r;
}

void
doc_hash(uint8_t out[DOC_HASH_LEN], const void *p, size_t n)
{
	crypto_hash_sha256(out, p, n);
}

void
doc_site_format(char out[DOC_SITE_TEXT_LEN + 1], const uint8_t site[DOC_HASH_LEN])
{
	memcpy(out, "om1", 3);
	b32_encode(out + 3, site, DOC_HASH_LEN);
}

int
doc_site_parse(uint8_t site[DOC_HASH_LEN], const char *text)
{
	if (strlen(text) != DOC_SITE_TEXT_LEN || memcmp(text, "om1", 3) != 0)
		return -1;
	return b32_decode(site, DOC_HASH_LEN, text + 3, DOC_SITE_TEXT_LEN - 3);
}

#define HASH_HEX (HEX_LEN(DOC_HASH_LEN) + 1)

void
doc_root_comment(char out[DOC_COMMENT_MAX], const uint8_t site[DOC_HASH_LEN], uint64_t version,
    const uint8_t sha256[DOC_HASH_LEN])
{
	char s[HASH_HEX], h[HASH_HEX];

	hex_encode(s, site, DOC_HASH_LEN);
	hex_encode(h, sha256, DOC_HASH_LEN);
	snprintf(out, DOC_COMMENT_MAX, "onionmirror root site=%s version=%llu sha256=%s", s,
	    (unsigned long long)version, h);
}

void
doc_members_comment(char out[DOC_COMMENT_MAX], const struct doc_members *m, const uint8_t sha256[DOC_HASH_LEN])
{
	char s[HASH_HEX], h[HASH_HEX];

	hex_encode(s, m->site, DOC_HASH_LEN);
	hex_encode(h, sha256, DOC_HASH_LEN);
	snprintf(out, DOC_COMMENT_MAX, "onionmirror members site=%s epoch=%llu seq=%llu sha256=%s", s,
	    (unsigned long long)m->epoch, (unsigned long long)m->seq, h);
}

void
doc_head_comment(char out[DOC_COMMENT_MAX], const struct doc_head *d, const uint8_t sha256[DOC_HASH_LEN])
{
	char s[HASH_HEX], h[HASH_HEX], until[UTC_LEN + 1];

	hex_encode(s, d->site, DOC_HASH_LEN);
	hex_encode(h, sha256, DOC_HASH_LEN);
	utc_format(until, d->valid_until);
	snprintf(out, DOC_COMMENT_MAX,
	    "onionmirror head site=%s epoch=%llu member=%s serial=%llu valid-until=%s sha256=%s", s,
	    (unsigned long long)d->epoch, d->member, (unsigned long long)d->serial, until, h);
}

void
doc_tombstone_hash(uint8_t h[DOC_HASH_LEN], const char *addr)
{
	char text[128];
	int n = snprintf(text, sizeof text, "onionmirror/tombstone/1\n%.*s.onion", ONION_ADDR_LEN, addr);

	crypto_hash_sha256(h, (const uint8_t *)text, (size_t)n);
}

size_t
doc_possession_text(char out[DOC_POSSESSION_MAX], const uint8_t site[DOC_HASH_LEN], const char *addr,
    int64_t not_before, int64_t not_after)
{
	char s[HASH_HEX], from[UTC_LEN + 1], to[UTC_LEN + 1];

	hex_encode(s, site, DOC_HASH_LEN);
	utc_format(from, not_before);
	utc_format(to, not_after);
	return (size_t)snprintf(out, DOC_POSSESSION_MAX,
	    "onionmirror/possession/1\nsite %s\nonion %.*s.onion\nnot-before %s\nnot-after %s\n", s, ONION_ADDR_LEN,
	    addr, from, to);
}

int
doc_possession_sign(uint8_t sig[DOC_SIG_LEN], const uint8_t site[DOC_HASH_LEN], const uint8_t *key,
    int64_t not_before, int64_t not_after, struct err *e)
{
	char text[DOC_POSSESSION_MAX], addr[ONION_ADDR_LEN + 1];
	uint8_t pk[DOC_KEY_LEN];
	size_t n;

	if (not_before < 0 || not_before % 3600 != 0 || not_after % 3600 != 0 || not_after <= not_before)
		return err_set(e, ERR_PROTO, "a possession proof needs whole hours, the end after the begin");
	if (edkey_pubkey(pk, key, e) != 0)
		return -1;
	if (onion_from_pubkey(addr, pk) != 0)
		return err_set(e, ERR_MEMORY, "can't compute an address checksum");
	n = doc_possession_text(text, site, addr, not_before, not_after);
	return edkey_sign(sig, key, text, n, e);
}

int
doc_possession_verify(const struct doc_leaf *l)
{
	char text[DOC_POSSESSION_MAX];
	size_t n = doc_possession_text(text, l->site, l->onion, l->possession_not_before, l->possession_not_after);

	return crypto_sign_verify_detached(l->possession_sig, (const uint8_t *)text, n, l->pk);
}

/* ":1" to ":65535", no leading zero; what follows it is returned, NULL if it is no port. */
static const char *
skip_port(const char *s)
{
	unsigned long v = 0;
	int n;

	if (s[1] < '1' || s[1] > '9')
		return NULL;
	for (n = 1; s[n] >= '0' && s[n] <= '9'; n++) {
		v = v * 10 + (unsigned long)(s[n] - '0');
		if (v > 65535)
			return NULL;
	}
	return s + n;
}

bool
doc_url_ok(const char *url, const char *addr)
{
	if (strncmp(url, "http://", 7) == 0)
		url += 7;
	else if (strncmp(url, "https://", 8) == 0)
		url += 8;
	else
		return false;
	if (strncmp(url, addr, ONION_ADDR_LEN) != 0 || strncmp(url + ONION_ADDR_LEN, ".onion", 6) != 0)
		return false;
	url += ONION_HOST_LEN;
	if (*url == ':') {
		url = skip_port(url);
		if (url == NULL)
			return false;
	}
	if (*url == '/')
		url++;
	return *url == '\0';
}

bool
doc_member_name_ok(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		char c = name[i];

		if (i >= DOC_MEMBER_LEN)
			return false;
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0)))
			return false;
	}
	return i > 0;
}

const char *
doc_role_name(enum doc_role r)
{
	switch (r) {
	case DOC_ROLE_MIRROR: return "mirror";
	case DOC_ROLE_REPLICA: return "replica";
	case DOC_ROLE_ARCHIVE: return "archive";
	}
	return "";
}

const char *
doc_state_name(enum doc_state s)
{
	switch (s) {
	case DOC_STATE_RETIRED: return "retired";
	case DOC_STATE_REVOKED: return "revoked";
	}
	return "";
}
