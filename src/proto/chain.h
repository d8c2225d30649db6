/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_CHAIN_H
#define PROTO_CHAIN_H

#include "proto/doc.h"

/*
 * Who may say what (lists.md, "Verifying, in this order"): pure functions from
 * documents, signatures, what the caller already knows, and `now` (seconds
 * since 1970) to a reason. They keep nothing; the reader's memory (rollback,
 * fork) is passed in as `struct chain_seen`. Each does its checks in the order
 * of the specification, so the first failing one names the reason.
 */

/* A root that passed. */
struct chain_root {
	struct doc_root doc;
	uint8_t sha256[DOC_HASH_LEN];
	uint8_t site[DOC_HASH_LEN]; /* hash of root 1 */
};

/* What a reader has stored: a seq or serial and the hash of the bytes it came with. NULL or number 0: nothing. */
struct chain_seen {
	uint64_t number;
	uint8_t sha256[DOC_HASH_LEN];
};

/*
 * One step of the walk. prev NULL: root 1, which must hash to `site` (NULL: any,
 * nothing is pinned) and meet its own threshold. Else: version = prev + 1
 * (malformed), site, prev hash (fork), epoch not lower (rollback), epoch_start
 * unmoved within an epoch (malformed), old threshold, new threshold. A key
 * counts once however many signatures it made. Expiry is not looked at.
 */
enum doc_reason chain_root_next(struct chain_root *out, const struct chain_root *prev, const uint8_t *site,
    const struct doc_signed *s, struct err *e);
/* The expiry of the last root: DOC_OK or DOC_EXPIRED. */
enum doc_reason chain_root_expiry(const struct chain_root *r, int64_t now, struct err *e);
/* Both over a whole chain (at least one root); *out is the last. `site` as above. */
enum doc_reason chain_roots(struct chain_root *out, const struct doc_signed *roots, size_t n, const uint8_t *site,
    int64_t now, struct err *e);

/*
 * How many of the keys (at most DOC_KEYS_MAX) made a good signature with this
 * trusted comment; unusable signatures are passed over. Stops at `enough`.
 * `who` (may be NULL) gets n_keys flags.
 */
unsigned chain_count_keys(const struct doc_signed *s, const uint8_t (*keys)[DOC_KEY_LEN], size_t n_keys,
    const char *comment, unsigned enough, bool *who);

/*
 * The signatures that count for these keys, one a key, are added to the `n` of `out` unless they are among them;
 * `out` has room for n_keys more. Returns how many there are then.
 */
size_t chain_counting_sigs(struct doc_text *out, size_t n, const struct doc_signed *s,
    const uint8_t (*keys)[DOC_KEY_LEN], size_t n_keys, const char *comment);

/*
 * Parses and judges a members document against the current root: threshold,
 * epoch, seq against `seen`, times, spans. `sha256` (may be NULL) gets its hash.
 */
enum doc_reason chain_members(struct doc_members *out, uint8_t *sha256, const struct chain_root *root,
    const struct doc_signed *s, const struct chain_seen *seen, int64_t now, struct err *e);

/* What chain_members() says of a parsed document besides its signatures. */
enum doc_reason chain_members_check(const struct doc_members *m, const uint8_t sha256[DOC_HASH_LEN],
    const struct doc_root *root, const struct chain_seen *seen, int64_t now, struct err *e);

/* The certified member of that name, or NULL. */
const struct doc_member *chain_member_find(const struct doc_members *m, const char *name);

/*
 * Judges a parsed head: member certified and in its window, epoch, bindings,
 * signature (by the member's key; `s->doc` are the bytes that were parsed),
 * times and length, serial bound, then `seen` (stored for the same epoch,
 * member name and key).
 */
enum doc_reason chain_head(const struct doc_head *h, const struct chain_root *root, const struct doc_members *members,
    const uint8_t members_sha256[DOC_HASH_LEN], const struct doc_signed *s, const struct chain_seen *seen, int64_t now,
    struct err *e);

/* Units of the root's limits in seconds, and the last end that a limit allows to what begins then. */
#define CHAIN_HOUR 3600
#define CHAIN_DAY 86400
int64_t chain_bound(int64_t begin, uint64_t limit, int64_t unit);

/* The highest serial that a head issued at that time may have. */
uint64_t chain_serial_bound(const struct doc_root *root, int64_t issued);

/*
 * Judges a parsed leaf that a head lists: times, tombstones (`n` of them,
 * ascending by h), possession (window, span, signature).
 */
enum doc_reason chain_leaf(const struct doc_leaf *l, const struct chain_root *root,
    const struct doc_tombstone *tombstones, size_t n, int64_t now, struct err *e);
/* The same without the proof's signature, for a leaf whose proof was verified before: what may change with time. */
enum doc_reason chain_leaf_now(const struct doc_leaf *l, const struct chain_root *root,
    const struct doc_tombstone *tombstones, size_t n, int64_t now, struct err *e);
/* The tombstone of an address among `n`, ascending by h; NULL: none. */
const struct doc_tombstone *chain_tombstone_find(const struct doc_tombstone *t, size_t n, const char *addr);

#endif
