/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may say what: the root chain, members under the root, heads under members, leaves under heads.
 * Pure functions in the order of the specification; they own and remember nothing.
 */
#include "config.h"
#include "proto/chain.h"

#include "proto/minisign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t
chain_bound(int64_t begin, uint64_t limit, int64_t unit)
{
	/* Years end at 9999, so no span reaches this many units. */
	const uint64_t enough = UINT64_C(1) << 32;

	return begin + (int64_t)(limit < enough ? limit : enough) * unit;
}

/* Whether a span in seconds is longer than `limit` units. */
static bool
span_above(int64_t begin, int64_t end, uint64_t limit, int64_t unit)
{
	return end > chain_bound(begin, limit, unit);
}

/* `which` (may be NULL) gets the places of the signatures that count. */
static unsigned
count(const struct doc_signed *s, const uint8_t (*keys)[DOC_KEY_LEN], size_t n_keys, const char *comment,
    unsigned enough, bool *who, size_t *which)
{
	uint8_t hash[MINISIGN_HASH_LEN];
	bool counted[DOC_KEYS_MAX] = { false };
	struct minisign_sig sig;
	unsigned good = 0;
	size_t i, k;

	minisign_hash(hash, s->doc.p, s->doc.len);
	for (i = 0; i < s->n_sigs && i < DOC_SIGS_MAX && good < enough; i++) {
		if (minisign_sig_parse(&sig, s->sigs[i].p, s->sigs[i].len, NULL) != 0)
			continue;
		for (k = 0; k < n_keys; k++) {
			if (counted[k] || minisign_verify_hash(&sig, hash, keys[k], comment) != 0)
				continue;
			counted[k] = true;
			if (which != NULL)
				which[good] = i;
			good++;
			break; /* one signature is one key's */
		}
	}
	if (who != NULL)
		memcpy(who, counted, n_keys * sizeof *who);
	return good;
}

unsigned
chain_count_keys(const struct doc_signed *s, const uint8_t (*keys)[DOC_KEY_LEN], size_t n_keys, const char *comment,
    unsigned enough, bool *who)
{
	return count(s, keys, n_keys, comment, enough, who, NULL);
}

size_t
chain_counting_sigs(struct doc_text *out, size_t n, const struct doc_signed *s, const uint8_t (*keys)[DOC_KEY_LEN],
    size_t n_keys, const char *comment)
{
	size_t which[DOC_KEYS_MAX], i, k, before = n, good;

	good = count(s, keys, n_keys, comment, DOC_KEYS_MAX, NULL, which);
	for (i = 0; i < good; i++) {
		for (k = 0; k < before && out[k].p != s->sigs[which[i]].p; k++)
			;
		if (k == before)
			out[n++] = s->sigs[which[i]];
	}
	return n;
}

/* What binds a root to the one before it. */
static enum doc_reason
root_follows(const struct doc_root *r, const struct chain_root *prev, struct err *e)
{
	unsigned long long v = r->version;

	if (memcmp(r->prev, prev->sha256, DOC_HASH_LEN) != 0)
		return doc_fail(e, DOC_FORK, "root %llu does not follow the root before it", v);
	if (r->epoch < prev->doc.epoch)
		return doc_fail(e, DOC_ROLLBACK, "root %llu goes back to an older epoch", v);
	if (r->epoch == prev->doc.epoch && r->epoch_start != prev->doc.epoch_start)
		return doc_fail(e, DOC_MALFORMED, "root %llu moves the epoch's start", v);
	return DOC_OK;
}

enum doc_reason
chain_root_next(struct chain_root *out, const struct chain_root *prev, const uint8_t *site,
    const struct doc_signed *s, struct err *e)
{
	unsigned long long version = prev != NULL ? prev->doc.version + 1 : 1;
	char comment[DOC_COMMENT_MAX];
	struct chain_root c;
	enum doc_reason r;

	memset(&c, 0, sizeof c);
	r = doc_root_parse(&c.doc, s->doc.p, s->doc.len, prev != NULL ? prev->site : NULL, e);
	if (r != DOC_OK)
		return r;
	doc_hash(c.sha256, s->doc.p, s->doc.len);
	if (c.doc.version != version)
		return doc_fail(e, DOC_MALFORMED, "root %llu stands where root %llu should",
		    (unsigned long long)c.doc.version, version);
	memcpy(c.site, prev != NULL ? prev->site : c.sha256, DOC_HASH_LEN);
	if (prev == NULL && site != NULL && memcmp(site, c.sha256, DOC_HASH_LEN) != 0)
		return doc_fail(e, DOC_WRONG_SITE, "root 1 is another site's");
	if (prev != NULL) {
		r = root_follows(&c.doc, prev, e);
		if (r != DOC_OK)
			return r;
	}
	doc_root_comment(comment, c.site, version, c.sha256);
	if (prev != NULL && chain_count_keys(s, prev->doc.keys, prev->doc.n_keys, comment, prev->doc.threshold, NULL) <
	                        prev->doc.threshold)
		return doc_fail(e, DOC_THRESHOLD, "root %llu is not signed by %u keys of root %llu", version,
		    prev->doc.threshold, version - 1);
	if (chain_count_keys(s, c.doc.keys, c.doc.n_keys, comment, c.doc.threshold, NULL) < c.doc.threshold)
		return doc_fail(e, DOC_THRESHOLD, "root %llu is not signed by %u of its own keys", version,
		    c.doc.threshold);
	*out = c;
	return DOC_OK;
}

enum doc_reason
chain_root_expiry(const struct chain_root *r, int64_t now, struct err *e)
{
	char text[UTC_LEN + 1];

	if (r->doc.expires > now)
		return DOC_OK;
	utc_format(text, r->doc.expires);
	return doc_fail(e, DOC_EXPIRED, "root %llu expired %s", (unsigned long long)r->doc.version, text);
}

enum doc_reason
chain_roots(struct chain_root *out, const struct doc_signed *roots, size_t n, const uint8_t *site, int64_t now,
    struct err *e)
{
	struct chain_root last, next;
	enum doc_reason r;
	size_t i;

	if (n == 0)
		return doc_fail(e, DOC_MALFORMED, "there is no root");
	r = chain_root_next(&last, NULL, site, &roots[0], e);
	for (i = 1; r == DOC_OK && i < n; i++) {
		r = chain_root_next(&next, &last, NULL, &roots[i], e);
		if (r == DOC_OK)
			last = next;
	}
	if (r == DOC_OK)
		r = chain_root_expiry(&last, now, e);
	if (r == DOC_OK)
		*out = last;
	return r;
}

/* The epoch that a document must share with the root. */
static enum doc_reason
epoch_check(const char *what, uint64_t epoch, const struct doc_root *root, struct err *e)
{
	if (epoch < root->epoch)
		return doc_fail(e, DOC_ROLLBACK, "%s of epoch %llu, the root is in %llu", what,
		    (unsigned long long)epoch, (unsigned long long)root->epoch);
	if (epoch > root->epoch)
		return doc_fail(e, DOC_MISMATCH, "%s of epoch %llu, the root is in %llu", what,
		    (unsigned long long)epoch, (unsigned long long)root->epoch);
	return DOC_OK;
}

/* A begin that may lie an hour ahead and an end that must lie ahead. */
static enum doc_reason
window_check(const char *what, int64_t begin, int64_t end, int64_t now, struct err *e)
{
	char text[UTC_LEN + 1];

	if (begin > now + DOC_CLOCK_SKEW) {
		utc_format(text, begin);
		return doc_fail(e, DOC_NOT_YET_VALID, "%s begins %s", what, text);
	}
	if (end <= now) {
		utc_format(text, end);
		return doc_fail(e, DOC_EXPIRED, "%s ended %s", what, text);
	}
	return DOC_OK;
}

enum doc_reason
chain_members_check(const struct doc_members *m, const uint8_t sha256[DOC_HASH_LEN], const struct doc_root *root,
    const struct chain_seen *seen, int64_t now, struct err *e)
{
	unsigned long long seq = m->seq;
	enum doc_reason r;
	size_t i;

	r = epoch_check("members", m->epoch, root, e);
	if (r != DOC_OK)
		return r;
	if (seen != NULL && m->seq < seen->number)
		return doc_fail(e, DOC_ROLLBACK, "members %llu, but %llu is known", seq,
		    (unsigned long long)seen->number);
	if (seen != NULL && m->seq == seen->number && memcmp(sha256, seen->sha256, DOC_HASH_LEN) != 0)
		return doc_fail(e, DOC_FORK, "another members %llu is known", seq);
	r = window_check("members", m->issued, m->expires, now, e);
	if (r != DOC_OK)
		return r;
	if (span_above(m->issued, m->expires, root->limits.member_days, CHAIN_DAY))
		return doc_fail(e, DOC_MALFORMED, "members lasts longer than the root allows");
	for (i = 0; i < m->n_members; i++)
		if (span_above(m->members[i].not_before, m->members[i].not_after, root->limits.member_days, CHAIN_DAY))
			return doc_fail(e, DOC_MALFORMED, "member %s is certified for longer than the root allows",
			    m->members[i].name);
	return DOC_OK;
}

enum doc_reason
chain_members(struct doc_members *out, uint8_t *sha256, const struct chain_root *root, const struct doc_signed *s,
    const struct chain_seen *seen, int64_t now, struct err *e)
{
	struct doc_members *m = calloc(1, sizeof *m);
	char comment[DOC_COMMENT_MAX];
	uint8_t hash[DOC_HASH_LEN];
	enum doc_reason r;

	if (m == NULL)
		return doc_fail(e, DOC_NO_MEMORY, "members: no memory");
	r = doc_members_parse(m, s->doc.p, s->doc.len, root->site, e);
	if (r != DOC_OK)
		goto out;
	doc_hash(hash, s->doc.p, s->doc.len);
	doc_members_comment(comment, m, hash);
	if (chain_count_keys(s, root->doc.keys, root->doc.n_keys, comment, root->doc.threshold, NULL) < root->doc.threshold)
		r = doc_fail(e, DOC_THRESHOLD, "members is not signed by %u root keys", root->doc.threshold);
	else
		r = chain_members_check(m, hash, &root->doc, seen, now, e);
	if (r != DOC_OK)
		goto out;
	*out = *m;
	if (sha256 != NULL)
		memcpy(sha256, hash, sizeof hash);
out:
	free(m);
	return r;
}

const struct doc_member *
chain_member_find(const struct doc_members *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n_members; i++)
		if (strcmp(m->members[i].name, name) == 0)
			return &m->members[i];
	return NULL;
}

uint64_t
chain_serial_bound(const struct doc_root *root, int64_t issued)
{
	int64_t minutes = (issued - root->epoch_start) / 60 + DOC_SERIAL_SLACK;

	return minutes > 0 ? (uint64_t)minutes : 0;
}

/* What a head says of the documents above it. */
static enum doc_reason
head_bindings(const struct doc_head *h, const struct doc_root *root, const struct doc_members *members,
    const uint8_t members_sha256[DOC_HASH_LEN], struct err *e)
{
	enum doc_reason r = epoch_check("a head", h->epoch, root, e);

	if (r != DOC_OK)
		return r;
	if (h->root_version > root->version)
		return doc_fail(e, DOC_MISMATCH, "the head of %s knows root %llu, here is %llu", h->member,
		    (unsigned long long)h->root_version, (unsigned long long)root->version);
	if (h->members_seq > members->seq)
		return doc_fail(e, DOC_MISMATCH, "the head of %s knows members %llu, here is %llu", h->member,
		    (unsigned long long)h->members_seq, (unsigned long long)members->seq);
	if (h->members_seq == members->seq && memcmp(h->members_sha256, members_sha256, DOC_HASH_LEN) != 0)
		return doc_fail(e, DOC_MISMATCH, "the head of %s knows another members %llu", h->member,
		    (unsigned long long)h->members_seq);
	return DOC_OK;
}

/* A head against the one that is stored. */
static enum doc_reason
head_history(const struct doc_head *h, const uint8_t sha256[DOC_HASH_LEN], const struct chain_seen *seen, struct err *e)
{
	unsigned long long serial = h->serial, known;

	if (seen == NULL || seen->number == 0)
		return DOC_OK;
	known = seen->number;
	if (h->serial < seen->number)
		return doc_fail(e, DOC_ROLLBACK, "head %llu of %s, but %llu is known", serial, h->member, known);
	if (h->serial == seen->number)
		return memcmp(sha256, seen->sha256, DOC_HASH_LEN) == 0
		           ? DOC_OK
		           : doc_fail(e, DOC_FORK, "another head %llu of %s is known", serial, h->member);
	if (h->prev_serial < seen->number)
		return doc_fail(e, DOC_FORK, "head %llu of %s passes over the known %llu", serial, h->member, known);
	if (h->prev_serial == seen->number && memcmp(h->prev_sha256, seen->sha256, DOC_HASH_LEN) != 0)
		return doc_fail(e, DOC_FORK, "head %llu of %s follows another %llu than the known one", serial,
		    h->member, known);
	return DOC_OK;
}

enum doc_reason
chain_head(const struct doc_head *h, const struct chain_root *root, const struct doc_members *members,
    const uint8_t members_sha256[DOC_HASH_LEN], const struct doc_signed *s, const struct chain_seen *seen, int64_t now,
    struct err *e)
{
	const struct doc_member *m = chain_member_find(members, h->member);
	uint8_t sha256[DOC_HASH_LEN];
	char comment[DOC_COMMENT_MAX], what[64];
	enum doc_reason r;

	if (m == NULL)
		return doc_fail(e, DOC_UNCERTIFIED, "%s is not a certified member", h->member);
	snprintf(what, sizeof what, "the certificate of %s", h->member);
	r = window_check(what, m->not_before, m->not_after, now, e);
	if (r != DOC_OK)
		return r;
	r = head_bindings(h, &root->doc, members, members_sha256, e);
	if (r != DOC_OK)
		return r;
	doc_hash(sha256, s->doc.p, s->doc.len);
	doc_head_comment(comment, h, sha256);
	if (chain_count_keys(s, &m->key, 1, comment, 1, NULL) != 1)
		return doc_fail(e, DOC_BAD_SIGNATURE, "the head of %s is not signed by its key", h->member);
	snprintf(what, sizeof what, "the head of %s", h->member);
	r = window_check(what, h->issued, h->valid_until, now, e);
	if (r != DOC_OK)
		return r;
	if (span_above(h->issued, h->valid_until, root->doc.limits.head_hours, CHAIN_HOUR))
		return doc_fail(e, DOC_MALFORMED, "the head of %s lasts longer than the root allows", h->member);
	if (h->serial > chain_serial_bound(&root->doc, h->issued))
		return doc_fail(e, DOC_CLOCK, "serial %llu of %s is ahead of its time",
		    (unsigned long long)h->serial, h->member);
	return head_history(h, sha256, seen, e);
}

static int
tombstone_find_cmp(const void *h, const void *t)
{
	return memcmp(h, ((const struct doc_tombstone *)t)->h, DOC_HASH_LEN);
}

const struct doc_tombstone *
chain_tombstone_find(const struct doc_tombstone *t, size_t n, const char *addr)
{
	uint8_t h[DOC_HASH_LEN];

	if (n == 0)
		return NULL;
	doc_tombstone_hash(h, addr);
	return bsearch(h, t, n, sizeof *t, tombstone_find_cmp);
}

static enum doc_reason
possession_window_check(const struct doc_leaf *l, const struct doc_root *root, int64_t now, struct err *e)
{
	if (l->possession_not_after <= l->possession_not_before)
		return doc_fail(e, DOC_BAD_POSSESSION, "%s.onion: the proof ends before it begins", l->onion);
	if (window_check("the proof", l->possession_not_before, l->possession_not_after, now, NULL) != DOC_OK)
		return doc_fail(e, DOC_BAD_POSSESSION, "%s.onion: the proof of possession is not of now", l->onion);
	if (span_above(l->possession_not_before, l->possession_not_after, root->limits.possession_days, CHAIN_DAY))
		return doc_fail(
		    e, DOC_BAD_POSSESSION, "%s.onion: the proof lasts longer than the root allows", l->onion);
	return DOC_OK;
}

enum doc_reason
chain_leaf_now(const struct doc_leaf *l, const struct chain_root *root, const struct doc_tombstone *tombstones, size_t n,
    int64_t now, struct err *e)
{
	const struct doc_tombstone *t;
	char what[ONION_HOST_LEN + 16];
	enum doc_reason r;

	snprintf(what, sizeof what, "%s.onion", l->onion);
	r = window_check(what, l->from, l->until, now, e);
	if (r != DOC_OK)
		return r;
	t = chain_tombstone_find(tombstones, n, l->onion);
	if (t != NULL && t->state == DOC_STATE_REVOKED)
		return doc_fail(e, DOC_REVOKED, "%s.onion was revoked and must not be trusted", l->onion);
	if (t != NULL)
		return doc_fail(e, DOC_RETIRED, "%s.onion was retired", l->onion);
	return possession_window_check(l, &root->doc, now, e);
}

enum doc_reason
chain_leaf(const struct doc_leaf *l, const struct chain_root *root, const struct doc_tombstone *tombstones, size_t n,
    int64_t now, struct err *e)
{
	enum doc_reason r = chain_leaf_now(l, root, tombstones, n, now, e);

	if (r == DOC_OK && doc_possession_verify(l) != 0)
		r = doc_fail(e, DOC_BAD_POSSESSION, "%s.onion: its own key did not sign for this site", l->onion);
	return r;
}
