/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_DOC_H
#define PROTO_DOC_H

#include "base/err.h"
#include "base/utc.h"
#include "proto/onion.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The five documents of a signed mirror list (lists.md, "Five kinds of
 * document"): root, members, head, leaf, bundle. Here: bytes to structs and
 * back, and what can be said of one document by itself. Whether a document is
 * to be believed is chain.h's.
 *
 * All times are seconds since 1970, whole hours; all hashes are SHA-256 of a
 * document's exact bytes (with its LF). Everything is bounded by the caps below
 * before it is parsed.
 */

/* Why a document was refused (lists.md, "Verifying"). The names are part of the interface. */
enum doc_reason {
	DOC_OK = 0,
	DOC_MALFORMED,      /* "malformed" */
	DOC_TOO_LARGE,      /* "too-large" */
	DOC_WRONG_SITE,     /* "wrong-site" */
	DOC_BAD_SIGNATURE,  /* "bad-signature": of a head */
	DOC_THRESHOLD,      /* "threshold": not enough good signatures of distinct root keys */
	DOC_UNCERTIFIED,    /* "uncertified": the members document has no such member */
	DOC_EXPIRED,        /* "expired" */
	DOC_NOT_YET_VALID,  /* "not-yet-valid" */
	DOC_ROLLBACK,       /* "rollback": older than what we have */
	DOC_FORK,           /* "fork": contradicts what we have */
	DOC_NOT_LISTED,     /* "not-listed": a leaf that no head lists; a bundle without heads */
	DOC_REVOKED,        /* "revoked" */
	DOC_RETIRED,        /* "retired" */
	DOC_BAD_POSSESSION, /* "bad-possession" */
	DOC_MISMATCH,       /* "mismatch": documents that don't belong together */
	DOC_CLOCK,          /* "clock": the serial runs ahead of the time */
	DOC_MISSING,        /* "missing": a certified member without a usable head */
	DOC_NO_MEMORY,      /* "no-memory": says nothing about the document */
	DOC__COUNT
};
/* The name above; "ok" for DOC_OK. Constant text. */
const char *doc_reason_name(enum doc_reason r);
/* 0 and *r, or -1 for an unknown name. */
int doc_reason_parse(enum doc_reason *r, const char *name);
/*
 * Functions that judge return a doc_reason and put the detail (one line, no
 * bytes from outside but checked names and addresses) into `e`, which may be
 * NULL. This sets both: `return doc_fail(e, DOC_FORK, "...")`.
 */
enum doc_reason doc_fail(struct err *e, enum doc_reason r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Caps. */
#define DOC_ROOT_MAX (64 * 1024)
#define DOC_MEMBERS_MAX (64 * 1024)
#define DOC_HEAD_MAX (1024 * 1024)
#define DOC_LEAF_MAX (8 * 1024)
#define DOC_BUNDLE_MAX (4 * 1024 * 1024)
#define DOC_KEYS_MAX 16
#define DOC_MEMBER_MAX 64
#define DOC_SIGS_MAX 32
#define DOC_VALUES_MAX 65536 /* JSON values in one document: bounds the memory a parse takes */
#define DOC_BUNDLE_VALUES_MAX 16384 /* in a bundle itself: thrice what 4 MiB of leaves have */
#define DOC_CLOCK_SKEW 3600   /* s: begin times may lie this far ahead */
#define DOC_SERIAL_SLACK 1000 /* a serial may be this far above the minutes since epoch_start */

#define DOC_HASH_LEN 32
#define DOC_KEY_LEN 32
#define DOC_SIG_LEN 64
#define DOC_SALT_LEN 16
#define DOC_NAME_MAX 64   /* characters of a root's name */
#define DOC_MEMBER_LEN 32 /* characters of a member's name */
#define DOC_URL_MAX (8 + ONION_HOST_LEN + 6 + 1)

struct doc_limits {
	uint64_t member_days;     /* longest members document and member window */
	uint64_t head_hours;      /* longest head: valid_until - issued */
	uint64_t possession_days; /* longest possession proof */
};

struct doc_root {
	uint64_t version, epoch; /* from 1 */
	int64_t epoch_start, expires;
	char name[DOC_NAME_MAX + 1];
	uint8_t prev[DOC_HASH_LEN]; /* version > 1: hash of version - 1 */
	uint8_t site[DOC_HASH_LEN]; /* version > 1; zero in version 1, whose own hash is the site */
	uint8_t keys[DOC_KEYS_MAX][DOC_KEY_LEN];
	size_t n_keys;
	unsigned threshold; /* 1..n_keys */
	struct doc_limits limits;
};

struct doc_member {
	char name[DOC_MEMBER_LEN + 1]; /* [a-z0-9][a-z0-9-]{0,31} */
	uint8_t key[DOC_KEY_LEN];
	int64_t not_before, not_after;
};

struct doc_members {
	uint8_t site[DOC_HASH_LEN];
	uint64_t epoch, seq;
	int64_t issued, expires;
	struct doc_member members[DOC_MEMBER_MAX];
	size_t n_members;
};

enum doc_state { DOC_STATE_RETIRED = 1, DOC_STATE_REVOKED };

struct doc_tombstone {
	uint8_t h[DOC_HASH_LEN]; /* doc_tombstone_hash() */
	enum doc_state state;
	int64_t since;
};

struct doc_peer {
	uint8_t site[DOC_HASH_LEN], root_sha256[DOC_HASH_LEN], head_sha256[DOC_HASH_LEN];
	uint64_t epoch, serial;
	char member[DOC_MEMBER_LEN + 1];
};

struct doc_head {
	uint8_t site[DOC_HASH_LEN];
	uint64_t epoch, serial, root_version, members_seq;
	char member[DOC_MEMBER_LEN + 1];
	uint8_t members_sha256[DOC_HASH_LEN];
	int64_t issued, fresh_until, valid_until; /* issued < fresh_until <= valid_until */
	uint64_t prev_serial;                     /* 0: there is no `prev` */
	uint8_t prev_sha256[DOC_HASH_LEN];
	uint8_t (*leaves)[DOC_HASH_LEN]; /* owned; strictly ascending; 16 * 2^k of them */
	size_t n_leaves;
	struct doc_tombstone *tombstones; /* owned; each h once, in the document's order */
	size_t n_tombstones;
	struct doc_peer *peers; /* owned */
	size_t n_peers;
};

enum doc_role { DOC_ROLE_MIRROR = 1, DOC_ROLE_REPLICA, DOC_ROLE_ARCHIVE };

struct doc_leaf {
	uint8_t site[DOC_HASH_LEN];
	char onion[ONION_ADDR_LEN + 1]; /* without ".onion" */
	uint8_t pk[DOC_KEY_LEN];        /* decoded from it; a writer need not fill it */
	char url[DOC_URL_MAX + 1];
	enum doc_role role;
	uint8_t salt[DOC_SALT_LEN];
	int64_t from, until;
	int64_t possession_not_before, possession_not_after;
	uint8_t possession_sig[DOC_SIG_LEN];
};

/* `len` bytes at `p`; borrowed from whoever says so. */
struct doc_text {
	const char *p;
	size_t len;
};

/* A document and its signature files. */
struct doc_signed {
	struct doc_text doc;
	const struct doc_text *sigs;
	size_t n_sigs;
};

struct doc_bundle {
	struct doc_signed *roots; /* all from version 1, in order */
	size_t n_roots;
	struct doc_signed members;
	struct doc_signed *heads;
	size_t n_heads;
	struct doc_text *leaves;
	size_t n_leaves;
	void *hold; /* what a parsed bundle's pointers point into; NULL in one made for writing */
};

/*
 * Parsing. Checks in this order: size, canonical form (parsing with duplicate
 * keys refused and dumping again gives the same bytes and LF), nesting and
 * characters, `type`, `site` (against `site`, NULL: any; DOC_WRONG_SITE), then
 * each field and what relates fields of the same document (distinct names and
 * keys, ends after begins, prev.serial below serial): DOC_MALFORMED. Unknown
 * fields are allowed. Outputs are written only on DOC_OK.
 *
 * Root 1 must not have `site` and `prev`; its hash is compared by chain.h.
 */
enum doc_reason doc_root_parse(struct doc_root *out, const char *text, size_t len, const uint8_t *site, struct err *e);
enum doc_reason doc_members_parse(
    struct doc_members *out, const char *text, size_t len, const uint8_t *site, struct err *e);
/* doc_head_free() it. */
enum doc_reason doc_head_parse(struct doc_head *out, const char *text, size_t len, const uint8_t *site, struct err *e);
/* Also checks the address and the url (DOC_MALFORMED), not the possession proof. */
enum doc_reason doc_leaf_parse(struct doc_leaf *out, const char *text, size_t len, const uint8_t *site, struct err *e);
/*
 * As doc_leaf_parse(), for the text of a leaf that passed before (a reader's
 * own memory): of the address only the shape is looked at, and `pk` is zero. That
 * part costs most; doc_leaf_prove() makes up for it when the leaf is used.
 */
enum doc_reason doc_leaf_parse_known(
    struct doc_leaf *out, const char *text, size_t len, const uint8_t *site, struct err *e);
/* The address is good (fills in `pk`) and its key signed the possession; no times. 0 or -1. */
int doc_leaf_prove(struct doc_leaf *l);
/* The checks that come before a leaf is looked up in the heads: size, form, type, site. */
enum doc_reason doc_leaf_outline(const char *text, size_t len, const uint8_t *site, struct err *e);
/* Only the container; the documents in it are texts. doc_bundle_free() it. The bytes need not stay. */
enum doc_reason doc_bundle_parse(struct doc_bundle *out, const char *text, size_t len, struct err *e);

/* Frees what the struct owns and clears it; fine on a cleared struct. */
void doc_head_free(struct doc_head *h);
void doc_bundle_free(struct doc_bundle *b);

/*
 * Writing: the canonical text, malloced, NUL-ended, *len bytes without the NUL
 * (`len` may be NULL). The result is parsed again before it is handed out, so a
 * struct that breaks a rule gives -1 (ERR_PROTO with what is wrong), as does a
 * text above its cap. Leaves and tombstones of a head are sorted for you; their
 * number must already be padded, see doc_leaves_pad().
 */
int doc_root_write(char **out, size_t *len, const struct doc_root *r, struct err *e);
int doc_members_write(char **out, size_t *len, const struct doc_members *m, struct err *e);
int doc_head_write(char **out, size_t *len, const struct doc_head *h, struct err *e);
int doc_leaf_write(char **out, size_t *len, const struct doc_leaf *l, struct err *e);
int doc_bundle_write(char **out, size_t *len, const struct doc_bundle *b, struct err *e);

/*
 * Pads leaf hashes to the next 16 * 2^k with decoys: first those of `decoys`
 * (the last head's: decoys that change from head to head would give the real
 * ones away), then random ones. *out is malloced and sorted. A hash that occurs
 * twice is taken once. ERR_LIMIT if a head could not hold them.
 */
int doc_leaves_pad(uint8_t (**out)[DOC_HASH_LEN], size_t *n_out, const uint8_t (*leaves)[DOC_HASH_LEN], size_t n,
    const uint8_t (*decoys)[DOC_HASH_LEN], size_t n_decoys, struct err *e);
/* Whether a hash is among n strictly ascending ones. */
bool doc_leaves_have(const uint8_t (*leaves)[DOC_HASH_LEN], size_t n, const uint8_t hash[DOC_HASH_LEN]);

/* SHA-256 of a document's bytes. Of root 1 it is the site; of a leaf it is what the head lists. */
void doc_hash(uint8_t out[DOC_HASH_LEN], const void *p, size_t n);

/* The site id as people see it: "om1" and 52 characters of base32. */
#define DOC_SITE_TEXT_LEN 55
void doc_site_format(char out[DOC_SITE_TEXT_LEN + 1], const uint8_t site[DOC_HASH_LEN]);
/* The whole string, exactly what doc_site_format() writes (no upper case, spare bits zero); 0 or -1. */
int doc_site_parse(uint8_t site[DOC_HASH_LEN], const char *text);

/* Trusted comments, recomputed by a verifier and compared. `sha256` is the document's hash; for root 1 it is `site` too. */
#define DOC_COMMENT_MAX 384
void doc_root_comment(char out[DOC_COMMENT_MAX], const uint8_t site[DOC_HASH_LEN], uint64_t version,
    const uint8_t sha256[DOC_HASH_LEN]);
void doc_members_comment(
    char out[DOC_COMMENT_MAX], const struct doc_members *m, const uint8_t sha256[DOC_HASH_LEN]);
void doc_head_comment(char out[DOC_COMMENT_MAX], const struct doc_head *h, const uint8_t sha256[DOC_HASH_LEN]);

/* SHA-256("onionmirror/tombstone/1\n" | "<56>.onion"). `addr`: 56 characters. */
void doc_tombstone_hash(uint8_t h[DOC_HASH_LEN], const char *addr);

/*
 * Possession proofs: the onion's own key signs a fixed text that names the
 * site, the address and a window of whole hours. DOC_POSSESSION_MAX has room
 * for the text and a NUL; the length is returned.
 */
#define DOC_POSSESSION_MAX 320
size_t doc_possession_text(char out[DOC_POSSESSION_MAX], const uint8_t site[DOC_HASH_LEN], const char *addr,
    int64_t not_before, int64_t not_after);
/* Signs for the address that belongs to `key` (64 bytes, expanded, secret); times are rounded down to the hour by the caller. */
int doc_possession_sign(uint8_t sig[DOC_SIG_LEN], const uint8_t site[DOC_HASH_LEN], const uint8_t *key,
    int64_t not_before, int64_t not_after, struct err *e);
/* The signature only, no times: 0 or -1. */
int doc_possession_verify(const struct doc_leaf *l);

/* Whether `url` is http(s)://<addr>.onion[:port][/] and nothing else; port 1..65535 without leading zero. */
bool doc_url_ok(const char *url, const char *addr);
/* "[a-z0-9][a-z0-9-]{0,31}" */
bool doc_member_name_ok(const char *name);
/* "mirror", "replica", "archive"; "retired", "revoked": constant text, "" for another number. */
const char *doc_role_name(enum doc_role r);
const char *doc_state_name(enum doc_state s);

#endif
